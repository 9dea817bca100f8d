#!/bin/bash
#@ limit=300
# Forks and exits under random plans, every count of core's looked at from outside at each quiescent
# point: none off. FORK_STRESS_RUNS=100000 is the long one (fork-stress-long).
. "$(dirname "$0")/../lane.bash"
runs=${FORK_STRESS_RUNS:-1000}

expect 3 "$faultline" explore core_fork_stress/fixed --audit --depth ipc --strategy random --seed 1 \
    --param children=2 --runs "$runs" --json --runs-dir "$dir/runs"
holds ".verdict == \"budget-spent\" and .runs == $runs and (.findings | length) == 0"
holds '.inconclusive == 0 and .audits_off == 0'
holds ".audits > 10 * $runs and .objects_walked > 10 * .audits"
echo "$(value .runs) runs, $(value .distinct) distinct: $(value .audits) audits," \
    "$(value .objects_walked) objects walked, none off"

# An audit that sees nothing is none: the same under a mutation.
expect 1 "$faultline" run core_mutations/not_counted --audit --json --runs-dir "$dir/runs"
holds '.audits > 0 and .audits_off > 0'
