#!/bin/bash
#@ limit=300
# Forks and exits under random plans, with every count of core's looked at from outside at each
# quiescent point: none off. fork-stress-long does 100,000 of each.
. "$(dirname "$0")/../lane.bash"
runs=${FORK_STRESS_RUNS:-800}

stress() # ROW PARAMETER
{
    expect 3 "$faultline" explore "$1" --audit --depth ipc --strategy random --seed 1 --param "$2" \
        --runs "$runs" --no-minimise --json --runs-dir "$dir/runs"
    holds ".verdict == \"budget-spent\" and .runs == $runs and (.findings | length) == 0"
    holds '.inconclusive == 0 and .audits_off == 0'
    holds ".audits > 10 * $runs and .objects_walked > 10 * .audits"
    echo "$1 $2: $(value .runs) runs, $(value .distinct) distinct: $(value .audits) audits," \
        "$(value .objects_walked) objects walked, none off"
}

stress core_fork_stress/fixed children=2
stress codezero_stress/plain tasks=1

# An audit that sees nothing is none: the same under a mutation.
expect 1 "$faultline" run core_mutations/not_counted --audit --json --runs-dir "$dir/runs"
holds '.audits > 0 and .audits_off > 0'
