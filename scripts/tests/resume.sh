#!/bin/bash
#@ limit=300
# A search that is interrupted, killed, or out of budget, and then resumed, makes the same runs in
# all and comes to the same result as one that is left alone; so does a search with two guests.
. "$(dirname "$0")/../lane.bash"

fixed=(explore genode_stack_slot/fixed --depth sync --bound 2 --json --runs-dir "$dir/runs")
expect 0 "$faultline" "${fixed[@]}"
holds '.verdict == "nothing-left" and .resumed == 0'
alone=$(value '[.runs, .distinct, .searched]')

expect 3 "$faultline" "${fixed[@]}" --runs 300
expect 3 "$faultline" "${fixed[@]}" --runs 200 --resume
grep -q 'goes on after 300 runs' "$dir/err" || fail "does not say what it resumes"
holds '.runs == 500 and .resumed == 300'
expect 0 "$faultline" "${fixed[@]}" --resume --jobs 2
holds '.resumed == 500'
[ "$(value '[.runs, .distinct, .searched]')" = "$alone" ] || fail "$(value .runs) runs, alone $alone"
expect 0 "$faultline" "${fixed[@]}" --resume
grep -q 'nothing to resume' "$dir/err" || fail "a search that is complete left something to resume"

# Other options are another search.
expect 3 "$faultline" "${fixed[@]}" --runs 10
expect 3 "$faultline" "${fixed[@]}" --runs 10 --param subthreads=2 --resume
holds '.resumed == 0'

# A finding late in the search: by SIGINT, by SIGKILL, with two guests.
quickfix=(explore genode_stack_slot/quickfix --depth access --bound 2 --strategy descent --seed 7
    --json --runs-dir "$dir/runs")
finding='[.runs, .findings[0].schedule, .findings[0].event_hash, .findings[0].runs_to_find]'
expect 1 "$faultline" "${quickfix[@]}"
alone=$(value "$finding")
expect 1 "$faultline" "${quickfix[@]}" --jobs 2
[ "$(value "$finding")" = "$alone" ] || fail "two guests: $(value "$finding"), one: $alone"
expect 3 "$faultline" "${quickfix[@]}" --runs 100
expect 1 "$faultline" "${quickfix[@]}" --resume
holds '.resumed == 100'
[ "$(value "$finding")" = "$alone" ] || fail "resumed: $(value "$finding"), alone: $alone"

deep=(explore genode_stack_slot/fixed --depth sync --bound 3 --json --runs-dir "$dir/killed")
journal_size()
{
    cat "$dir"/killed/.search/* 2>/dev/null | wc -c
}
killed() # SIGNAL: once the search has written down what it did so far
{
    local before
    before=$(journal_size)
    "$faultline" "${deep[@]}" --resume &
    local monitor=$!
    while [ "$(journal_size)" = "$before" ]; do
        kill -0 $monitor || return
        sleep 0.05
    done
    kill "-$1" $monitor
    wait $monitor
}
expect 137 killed KILL
expect 3 killed INT
holds '.verdict == "interrupted" and .resumed > 0 and .runs >= .resumed'
resumed=$(value .runs)
expect 3 "$faultline" "${deep[@]}" --resume --runs 1
holds ".resumed == $resumed and .runs == $resumed + 1"
