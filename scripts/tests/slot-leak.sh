#!/bin/bash
#@ limit=180
# A slot that is kept when memory runs out takes a failure to be seen, one that is given back for
# another's takes a failure and a preemption: neither alone shows it. The fix stands all pairs.
. "$(dirname "$0")/../lane.bash"

# Memory is not short by itself here: whatever is refused the plan has refused.
explore()
{
    "$faultline" explore "genode_slot_leak/$1" --param refused=0 --depth ipc --json --runs-dir "$dir/runs" "${@:2}"
}

# found VARIANT CHECK PREEMPTIONS OPTION...: with one failure, and it replays.
found()
{
    expect 1 explore "$1" "${@:4}"
    holds ".findings[0] | .check == \"$2\" and .preemptions == $3 and (.plan.failures | length) == 1"
    echo "$1: found after $(value .runs) runs: $(value '.findings[0].message')"
    expect 0 "$faultline" replay "$(value '.findings[0].trace')" --times 20 --json
    holds '.equal == 20'
}

# nothing_left VARIANT OPTION...
nothing_left()
{
    expect 0 explore "$@"
    holds '.verdict == "nothing-left" and .complete'
    echo "$*: nothing left after $(value .runs) runs"
}

nothing_left kept --bound 1
for kind in slab ipc; do
    found kept stack-slot-given-back 0 --fail $kind --bound 0
done

nothing_left last_chosen --bound 2
nothing_left last_chosen --fail slab --bound 0
found last_chosen stack-alloc-order 1 --fail slab --bound 1

nothing_left fixed --fail alloc,ipc --bound 1
holds '.failures | .frame > 0 and .slab > 0 and .ipc > 0 and .hit == .done'
