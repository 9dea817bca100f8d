#!/bin/bash
#@ limit=180
# babeltrace2 lists a recorded run as it is on disk, every event, with names instead of numbers.
. "$(dirname "$0")/../lane.bash"
command -v babeltrace2 >/dev/null || skip "babeltrace2 is not installed"

expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 --json --runs-dir "$dir/runs"
trace=$(value '.findings[0].trace')
expect 1 "$faultline" verify "$trace" --json
events=$(value .events)

expect 0 babeltrace2 "$trace"
[ ! -s "$dir/err" ] || fail "babeltrace2 complains: $(head -n 1 "$dir/err")"
listed=$(wc -l <"$dir/out")
echo "$listed events listed"
[ "$listed" = "$events" ] || fail "$listed events listed, $events in the trace"
for word in run_begin ipc_send ATTACH_AT mark_reserve preempt main t1 core fault_raise run_end; do
    grep -q "$word" "$dir/out" || fail "no '$word' in the listing"
done
