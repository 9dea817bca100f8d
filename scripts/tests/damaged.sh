#!/bin/bash
#@ limit=120
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
holds '[.. | .verdict? | select(. == "inconclusive")] | length > 0'

copy
: >"$dir/bad/ctf/events"
expect 2 "$faultline" verify "$dir/bad"
one_line "$dir/err"

copy
rm "$dir/bad/ctf/metadata"
expect 2 "$faultline" verify "$dir/bad"
one_line "$dir/err"

# One bit, anywhere in header, context or first events; then in the metadata and the manifest.
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
    [ "$status" -le 3 ] || fail "exit status $status"
    [ "$status" != 2 ] || one_line "$dir/err"
    [ "$at" -ge 24 ] && [ "$at" -lt 4096 ] || [ "$status" -ge 2 ] || fail "damage was not seen"
done
for file in manifest.json plan.json; do
    copy
    echo '{"scenario":' >"$dir/bad/$file"
    expect 2 "$faultline" replay "$dir/bad"
    one_line "$dir/err"
done
