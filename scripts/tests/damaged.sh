#!/bin/bash
#@ limit=300
# A damaged trace is read as far as it goes and never further, and never crashes the reader:
# truncated = inconclusive (3), nothing readable = one clear line (2).
. "$(dirname "$0")/../lane.bash"

expect 0 "$faultline" run genode_stack_slot/fixed --json --runs-dir "$dir/runs"
good=$(echo "$dir"/runs/*/)
size=$(stat -c %s "$good/ctf/events")
[ "$size" -ge 8192 ] || fail "the run fits one packet: nothing to truncate"

copy()
{
    rm -rf "$dir/bad"
    cp -r "$good" "$dir/bad"
}

copy
truncate -s $((size - 100)) "$dir/bad/ctf/events"
expect 3 "$faultline" verify "$dir/bad" --json
holds '.verdict == "inconclusive" and .events == 126 * '$((size / 4096 - 1))

# Also one that violates a check before it is cut short: the check says so, the trace is inconclusive.
expect 3 "$faultline" verify traces/golden/damaged/violated-then-cut --json
holds '.verdict == "inconclusive" and ([.checks[] | select(.verdict == "violation")] | length) > 0'

copy
: >"$dir/bad/ctf/events"
expect 2 "$faultline" verify "$dir/bad"
one_line "$dir/err"

copy
rm "$dir/bad/ctf/metadata" # the events say enough without it, but nobody wrote such a trace
expect 3 "$faultline" verify "$dir/bad" --json
holds '.verdict == "inconclusive"'

# One bit, anywhere in header, context and events; then a manifest and a plan that end early.
flip()
{
    local file=$1 at=$2 byte
    byte=$(od -An -tu1 -j "$at" -N 1 "$file")
    printf '%b' "\\x$(printf %02x $((byte ^ 1 << at % 8)))" |
        dd of="$file" bs=1 seek="$at" conv=notrunc status=none
}
for at in 0 3 5 21 30 37 44 51 58 64 66 72 80 4096 4100 4140; do
    copy
    flip "$dir/bad/ctf/events" "$at"
    "$faultline" verify "$dir/bad" >"$dir/out" 2>"$dir/err"
    status=$?
    echo "bit in byte $at of events: exit status $status: $(cat "$dir/err")"
    [ "$status" = 2 ] || [ "$status" = 3 ] || fail "exit status $status"
    [ "$status" != 2 ] || one_line "$dir/err"
done
for file in manifest.json plan.json; do
    copy
    echo '{"scenario":' >"$dir/bad/$file"
    expect 2 "$faultline" replay "$dir/bad"
    one_line "$dir/err"
done
