#!/bin/bash
#@ limit=3600 full
# The fix of the stack slots with two creating threads, at depth access and with any number of
# preemptions: the search of all states comes to its end.
. "$(dirname "$0")/../lane.bash"

explore() # EXIT OPTION...
{
    local status=$1
    shift
    expect "$status" "$faultline" explore --stateful --depth access --json --runs-dir "$dir/runs" "$@"
}

explore 1 genode_stack_slot/quickfix
holds '.findings[0].check == "stack-slot-exclusive" and .findings[0].preemptions == 1'
explore 0 genode_stack_slot/fixed --bound 1
holds '.verdict == "nothing-left" and .certificate == null'
explore 0 genode_stack_slot/fixed
holds '.verdict == "nothing-left" and .complete and .states > 10000'
echo "$(value .states) states, $(value .runs) runs, $(value .seconds) s"
