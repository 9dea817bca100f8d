#!/bin/bash
#@ limit=300
# Duplicate faults of every kind, by two threads and by three: found where they are not detected or too
# late, with one preemption at most; nothing left where they are, and the search did see some. A search
# that saw none is no clean one.
. "$(dirname "$0")/../lane.bash"

scenario=codezero_duplicate_fault
explore=("$faultline" explore --depth ipc --json --runs-dir "$dir/runs")

for threads in 2 3; do
    for kind in 0 1 2 3; do
        params=(--param "kind=$kind" --param "threads=$threads")
        for variant in undetected checked_late; do
            expect 1 "${explore[@]}" $scenario/$variant --bound 1 "${params[@]}"
            holds '.verdict == "found" and .findings[0].check == "duplicate-fault-harmless"'
            holds '.findings[0].preemptions <= 1'
            holds '.findings[0].message | test("fault \\d+ of \\S+ repeats fault \\d+ of \\S+, after .* \\(event \\d+\\): page \\d+ of object \\d+, frame 0x[0-9a-f]+, is frame 0x[0-9a-f]+ too")'
        done
        expect 0 "${explore[@]}" $scenario/generic --bound $((4 - threads)) "${params[@]}"
        holds '.verdict == "nothing-left" and .sees == "fault_duplicate" and .seen > 0'
        echo "kind $kind, $threads threads: nothing left after $(value .runs) runs, $(value .seen) duplicates"
    done
done

expect 3 "${explore[@]}" $scenario/generic --bound 0
holds '.verdict == "inconclusive" and .seen == 0 and .complete'
expect 3 "$faultline" explore $scenario/generic --depth ipc --bound 0
grep -q '^  shows nothing: no run had a fault_duplicate$' "$dir/out" || fail "does not say that it shows nothing"
