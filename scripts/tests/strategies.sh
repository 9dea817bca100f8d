#!/bin/bash
#@ limit=300
# Whatever strategy finds the race or the quick fix's gap, over 20 seeds: what is left is exactly one
# preemption. And pct keeps its word: over the seeds it meets the race at least as often as the
# bound that it prints says.
. "$(dirname "$0")/../lane.bash"

one_preemption() # ROW OPTION...
{
    local row=$1
    shift
    expect 1 "$faultline" explore "genode_stack_slot/$row" --json --runs-dir "$dir/runs" "$@"
    holds '.findings[0].preemptions == 1 and .findings[0].check == "stack-slot-exclusive"'
    schedules[$row]+=$(value '.findings[0].schedule')$'\n'
}

declare -A schedules
strategies=(random sparse pct descent)
for seed in {1..20}; do
    one_preemption racy --strategy "${strategies[$((seed % 4))]}" --depth ipc --seed "$seed"
    depths=(access insn)
    one_preemption quickfix --strategy descent --depth "${depths[$((seed % 2))]}" --seed "$seed"
done
for row in racy quickfix; do
    echo "$row: $(echo -n "${schedules[$row]}" | sort | uniq -c | tr '\n' ';')"
done

# What is met on the way may take several; the bound is for bugs of depth 2.
runs=40 hits=0 seeds=20 least=1
for ((seed = 1; seed <= seeds; seed++)); do
    "$faultline" explore genode_stack_slot/racy --strategy pct --seed $((seed + 100)) --runs $runs \
        --no-minimise --json --runs-dir "$dir/pct" >"$dir/out" 2>/dev/null
    holds '.verdict == "found" or .verdict == "budget-spent"'
    hits=$((hits + $(value '.findings | length')))
    bound=$(value "(.pct.threads * .pct.places) as \$n | 1 - pow(1 - 1 / \$n; $((runs - 1)))")
    least=$(jq -n "[$least, $bound] | min")
done
echo "pct: $hits of $seeds seeds met the race within $runs runs; the bound says $least"
jq -ne "$hits / $seeds >= $least" >/dev/null || fail "pct met the race less often than it says"
