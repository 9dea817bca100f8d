# What every lane begins with; sourced. Leaves the shell in the root of the tree, with a directory of
# the lane's own ($dir), which stays for whoever looks into a failure.
# shellcheck shell=bash disable=SC2034 # used by those who source this
set -u -o pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.." || exit 2

faultline=$PWD/build/faultline
dir=$PWD/build/check/${lane:-$(basename "$0" .sh)}.d
rm -rf "$dir"
mkdir -p "$dir"

fail()
{
    echo "FAILED: $*"
    exit 1
}

skip()
{
    echo "$*"
    exit 77
}

# expect STATUS COMMAND...: leaves what it printed in $dir/out and $dir/err.
expect()
{
    local want=$1 got
    shift
    "$@" >"$dir/out" 2>"$dir/err"
    got=$?
    [ "$got" = "$want" ] && return
    cat "$dir/out" "$dir/err"
    fail "exit status $got instead of $want: $*"
}

# one_line FILE: it holds exactly one line.
one_line()
{
    [ "$(wc -l <"$1")" = 1 ] && return
    cat "$1"
    fail "$(wc -l <"$1") lines instead of one: $1"
}

# value FILTER: of the JSON object that the last expect printed.
value()
{
    jq -r "$1" "$dir/out" || fail "no JSON with $1 in $dir/out"
}

# holds FILTER: is true of that object.
holds()
{
    jq -e "$1" "$dir/out" >/dev/null && return
    jq . "$dir/out" || cat "$dir/out"
    fail "does not hold: $1"
}
