#!/bin/bash
#@ limit=180
# A search makes exactly the runs that can be counted by hand (guest/scenarios/rig_litmus.c), each
# plan once, with one guest and with two; and a deepening search those plans and no others beside the
# few that it must see again.
. "$(dirname "$0")/../lane.bash"

choose() # N K
{
    local result=1 i
    for ((i = 1; i <= $2; i++)); do
        result=$((result * ($1 - $2 + i) / i))
    done
    echo "$result"
}

explore()
{
    expect 0 "$faultline" explore rig_litmus/plain --focus function=litmus_window --depth ipc \
        --json --runs-dir "$dir/runs" "$@"
}

for entries in 2 3 5; do
    wanted=0
    for bound in 0 1 2 3; do
        wanted=$((wanted + $(choose $entries $(((bound + 1) / 2))) * $(choose $entries $((bound / 2)))))
        for jobs in 1 2; do
            explore --param entries=$entries --bound $bound --jobs $jobs
            holds ".runs == $wanted and .verdict == \"nothing-left\" and .places == $entries"
        done
        echo "$entries entries, bound $bound: $wanted runs"
    done
done

# ipc 0 (and its like at sync), ipc 1 (again the root), sync 1 (the same places: the root alone), ...
explore --param entries=5 --bound 2 --depth sync --strategy auto
holds '.runs == 1 + 1 + (1 + 5) + 1 + (1 + 5 + 25) + (1 + 5)'
