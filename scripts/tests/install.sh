#!/bin/bash
#@ limit=180 alone
# What `make install` puts under a prefix works from there, away from the tree, and the doctor finds nothing
# wrong with it.
. "$(dirname "$0")/../lane.bash"

expect 0 make -s install PREFIX="$dir/prefix"
cd "$dir" || fail "cd"
expect 0 "$dir/prefix/bin/faultline" run smoke/plain --json
holds '.verdict == "clean" and .outcome == "exited"'
expect 0 "$dir/prefix/bin/faultline" run smoke/plain --backend qemu-x86_64 --runs-dir "$dir/x86" --json
holds '.verdict == "clean" and .arch == "x86_64"'
[ -s "$dir/traces/runs/smoke-plain-0001/ctf/events" ] || fail "no trace in traces/runs"
expect 0 "$dir/prefix/bin/faultline" verify traces/runs/smoke-plain-0001
if command -v gdb-multiarch >/dev/null && command -v qemu-img >/dev/null; then
    expect 1 "$dir/prefix/bin/faultline" explore genode_stack_slot/racy
    expect 0 "$dir/prefix/bin/faultline" gdb traces/runs/genode_stack_slot-racy-0001 -- -nx -batch -ex 'fl slots'
    grep -q 'slot 1 .*table free' "$dir/out" || fail "gdb has no fl slots: $(cat "$dir/out" "$dir/err")"
fi
expect 0 "$dir/prefix/bin/faultline" doctor
cat "$dir/out"
