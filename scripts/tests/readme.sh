#!/bin/bash
#@ limit=600
# The commands of README.md, in its order and as they stand there, in a place where nothing was run before:
# each prints what the page says that it prints, whatever the numbers, and none fails otherwise than told.
#
# A block of the page is a transcript when it begins with "$ ": what follows "> " or "(gdb) " is typed, "..."
# stands for anything. One that begins with "/* NAME.c" is that file. Others are not for a shell.
. "$(dirname "$0")/../lane.bash"

mkdir "$dir/blocks" "$dir/home" "$dir/tree" "$dir/tree/traces"
awk -v to="$dir/blocks" '
    function name(n) { return sprintf("%s/%03d", to, n) }
    function begin() { n++; kind = "" }
    /^    / {
        line = substr($0, 5)
        if (!inside && line ~ /^\/\* [a-z_]+\.c[: ]/) { begin(); kind = "file"; file = line
            sub(/^\/\* /, "", file); sub(/\.c.*/, ".c", file); print file > (name(n) ".name") }
        else if (!inside) kind = line ~ /^(\$|>|\(gdb\)) / ? "transcript" : ""
        inside = 1
        if (kind == "file") print line > (name(n) ".file")
        else if (kind == "" ) next
        else if (line ~ /^\$ /) { begin(); kind = "transcript"; print substr(line, 3) > (name(n) ".run") }
        else if (sub(/^(>|\(gdb\)) /, "", line)) print line > (name(n) ".typed")
        else if (line != "...") print line > (name(n) ".said")
        next
    }
    /^$/ && kind == "file" { print "" > (name(n) ".file"); next }
    { inside = 0 }' README.md

# The tree, but for traces of earlier runs.
for entry in *; do
    [ "$entry" = traces ] || ln -s "$PWD/$entry" "$dir/tree/"
done
for entry in traces/*; do
    [ "$entry" = traces/runs ] || ln -s "$PWD/$entry" "$dir/tree/traces/"
done
cd "$dir/tree" || fail "cd"
export HOME=$dir/home

# Numbers, addresses and hashes are not compared, nor how lines are broken.
plain()
{
    sed -E -e 's/0x[0-9a-f]+|\b[0-9a-f]{16}\b/N/g' -e 's/[0-9][0-9,.]*(st|nd|rd|th)?/N/g' "$@" | tr -s '[:space:]' ' '
}

# said NAME: each line that the page shows is in what the command printed.
said()
{
    local said printed line piece
    printed=$(plain "$dir/out" "$dir/err")
    while read -r line; do
        said=$(plain <<<"$line")
        while [ -n "$said" ]; do
            piece=${said%%...*}
            piece=${piece# }
            piece=${piece% }
            [[ $printed == *"$piece"* ]] || {
                cat "$dir/out" "$dir/err"
                fail "not printed: $line"
            }
            [[ $said == *...* ]] || break
            said=${said#*...}
        done
    done <"$1.said"
}

ran=0
find "$dir/blocks" -name '*.run' -o -name '*.file' | sort >"$dir/order"
while read -r block; do
    number=${block%.*}
    if [ "$block" = "$number.file" ]; then
        cp "$block" "$(cat "$number.name")"
        continue
    fi
    command=$(cat "$block")
    case $command in
    make\ install* | build/faultline\ * | faultline\ * | PATH=* | mkdir\ *) ;;
    *)
        echo "not run: $command"
        continue
        ;;
    esac
    [ -f "$number.typed" ] || : >"$number.typed"
    eval "$command" <"$number.typed" >"$dir/out" 2>"$dir/err"
    status=$?
    echo "$status  $command"
    [ "$status" != 2 ] || grep -q '^faultline ' "$number.said" || {
        cat "$dir/err"
        fail "exit status 2: $command"
    }
    [ ! -f "$number.said" ] || said "$number"
    ran=$((ran + 1))
done <"$dir/order"
echo "$ran commands of README.md run"
[ "$ran" -ge 20 ] || fail "README.md has more commands than that"
