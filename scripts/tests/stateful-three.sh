#!/bin/bash
#@ limit=3600 alone full
# The fix of the stack slots with three creating threads and any number of preemptions: the search of
# all states comes to its end, and its certificate holds. With four it is told how far it came.
. "$(dirname "$0")/../lane.bash"

certificate=$dir/runs/certificates/genode_stack_slot-fixed-ipc-all-states.cert

search() # EXIT OPTION...
{
    local status=$1
    shift
    expect "$status" "$faultline" explore genode_stack_slot/fixed --stateful --json \
        --runs-dir "$dir/runs" "$@"
}

search 0 --param creators=3
holds '.verdict == "nothing-left" and .complete'
echo "three: $(value .states) states, $(value .runs) runs, $(value .seconds) s"
expect 0 build/certcheck "$certificate"
cat "$dir/out"

search 3 --param creators=4 --time 120
holds '.verdict == "budget-spent"'
echo "lane: four, in $(value .seconds) s: $(value .states) states, $(value .runs) runs"
