#!/bin/bash
#@ limit=180
# The race of the seed as issue and mail have it: found within 300 runs at depth ipc, bound 1, and
# shrunk to one preemption, whoever starts first and however many create; 1,000 equal replays, and one
# decided place by place.
. "$(dirname "$0")/../lane.bash"

for params in 'order=0' 'order=1' 'creators=3' 'creators=3 order=1' 'subthreads=2'; do
    options=()
    for param in $params; do
        options+=(--param "$param")
    done
    expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 --json \
        --runs-dir "$dir/runs" "${options[@]}"
    echo "$params: found in run $(value '.findings[0].runs_to_find')"
    holds '.findings[0].check == "stack-slot-exclusive"'
    holds '.findings[0].runs_to_find <= 300'
    holds '.findings[0].preemptions == 1'
    traces+=("$(value '.findings[0].trace')")
done

expect 0 "$faultline" replay "${traces[0]}" --times 1000 --json
holds '.times == 1000 and .equal == 1000'
expect 0 "$faultline" replay "${traces[0]}" --online --json
holds '.equal == 1'

# The fixes hold for more threads too, and a stack that fits no slot is refused and harms nobody.
for row in 'fixed creators=3' 'quickfix creators=3' 'fixed order=1' 'fixed stack_size=2097152' \
    'racy stack_size=2097152'; do
    expect 0 "$faultline" explore "genode_stack_slot/${row% *}" --depth ipc --bound 2 --json \
        --param "${row#* }"
    holds '.verdict == "nothing-left"'
    echo "$row: nothing left after $(value .runs) runs"
done
