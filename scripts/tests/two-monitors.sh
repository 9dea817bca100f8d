#!/bin/bash
#@ limit=300
# Two monitors side by side, on one machine and with one folder of traces, find and search exactly what
# they do alone.
. "$(dirname "$0")/../lane.bash"

explore()
{
    local name=$1 row=$2
    "$faultline" explore "$row" --depth ipc --bound 2 --json --runs-dir "$dir/runs" \
        >"$dir/$name.json" 2>"$dir/$name.err"
    echo $? >"$dir/$name.status"
}
outcome()
{
    cat "$dir/$1.status"
    jq -c '[.verdict, .runs, .distinct, [.findings[] | [.check, .preemptions, .event_hash]]]' "$dir/$1.json" ||
        fail "no JSON from $1: $(cat "$dir/$1.err")"
}

explore racy-alone genode_stack_slot/racy
explore fixed-alone genode_stack_slot/fixed
for i in 1 2 3; do
    explore racy genode_stack_slot/racy &
    explore fixed genode_stack_slot/fixed &
    wait
    for row in racy fixed; do
        echo "$i: $row: $(outcome "$row" | tr '\n' ' ')"
        diff <(outcome "$row-alone") <(outcome "$row") || fail "$row differs beside another monitor"
    done
done
[ "$(find "$dir/runs" -mindepth 1 -maxdepth 1 -name 'genode_*' | wc -l)" = 4 ] || fail "4 traces should be in $dir/runs"
