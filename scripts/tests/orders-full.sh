#!/bin/bash
#@ limit=1200 full
# The Genode fix with two creating threads, with any number of preemptions: one of each order of
# dependent steps in which nobody calls core while it is at work, and its certificate is accepted.
. "$(dirname "$0")/../lane.bash"
. scripts/certified.bash

expect 0 "$faultline" explore genode_stack_slot/fixed --strategy dpor --depth ipc --unqueued --json \
    --runs-dir "$dir/runs"
holds '.verdict == "nothing-left" and .bound == null and .redundant == 0 and .runs > 10000'
echo "$(value .runs) runs in $(value .seconds) s"
accepted "$dir"/runs/certificates/*.cert
grep -q '; 200 runs made again$' "$dir/out" || fail "not 200 of the runs were made again"
