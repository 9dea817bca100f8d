#!/bin/bash
#@ limit=180
# gdb at a stop of the stepper: it stands where the stepper does, looks, writes, goes on and leaves;
# the stepper says that gdb's run diverged, goes on itself, and its run ends with the recorded hash.
. "$(dirname "$0")/../lane.bash"

command -v gdb-multiarch >/dev/null || skip "there is no gdb-multiarch"

expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 --json \
    --runs-dir "$dir/runs"
trace=$(value '.findings[0].trace')
hash=$(value '.findings[0].event_hash')

coproc stepper { exec "$faultline" step "$trace" 2>&1; }
stepper_pid=$!

# hear PATTERN: reads what the stepper says up to a line that matches, which is left in $line.
hear()
{
    while IFS= read -r -t 60 -u "${stepper[0]}" line; do
        echo "$line"
        [[ $line =~ $1 ]] && return
    done
    fail "the stepper does not say $1"
}

tell()
{
    echo "$1" >&"${stepper[1]}"
}

# attached COMMAND...: by the line that the stepper gave; what gdb says is left in $dir/out.
attached()
{
    local arguments=()
    for command in "$@"; do
        arguments+=(-ex "$command")
    done
    eval "$attach -batch $(printf '%q ' "${arguments[@]}")" >"$dir/out" 2>&1 </dev/null ||
        { cat "$dir/out"; fail "gdb: $*"; }
    cat "$dir/out"
}

hear '^event 0 of '
tell 'c finding'
hear '^event [0-9]+ of '
here=$line
tell gdb
hear '^gdb-multiarch '
attach=$line

# Looking and going on does no harm.
attached 'bt' 'fl slots' 'stepi' 'stepi'
grep -q 'choose_slot' "$dir/out" || fail "gdb does not stand in choose_slot"
grep -q 'and reserved' "$dir/out" || fail "gdb's slot has one holder"
tell n
hear 'could run instead'
tell p
hear '^event '

# Writing does, to gdb's run, and to that alone.
tell 'c finding'
hear '^event [0-9]+ of '
tell gdb
hear '^gdb-multiarch '
attach=$line
# shellcheck disable=SC2016 # gdb's
attached 'set $r0 = 42' 'stepi'
grep -q 'diverged' "$dir/out" || fail "gdb is not told that its run diverged"
tell n
hear '^gdb wrote registers or memory'
hear 'could run instead'
tell 'rc'
hear '^event 0 of '
tell 'c finding'
hear '^event [0-9]+ of '
[ "$line" = "$here" ] || fail "the stepper stands elsewhere: $line, not $here"
tell c
hear "event hash $hash"
tell q
wait "$stepper_pid" || fail "the stepper ended with $?"
