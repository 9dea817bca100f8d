#!/bin/bash
#@ limit=180
# Ctrl-C ends a search with a summary of what was covered, exit status 3, and no guest left. A spent
# budget does the same.
. "$(dirname "$0")/../lane.bash"

interrupted()
{
    "$faultline" explore genode_stack_slot/fixed --bound 9 --json &
    local monitor=$!
    sleep 1.5
    kill -INT $monitor
    wait $monitor
}
expect 3 interrupted
holds '.verdict == "interrupted" and .runs > 0 and (.findings | length) == 0'
echo "interrupted after $(value .runs) runs"

expect 3 "$faultline" explore genode_stack_slot/fixed --bound 9 --runs 200 --json
holds '.verdict == "budget-spent" and .runs >= 200'
expect 3 "$faultline" explore genode_stack_slot/fixed --bound 9 --time 1 --json
holds '.verdict == "budget-spent" and .seconds < 60'
