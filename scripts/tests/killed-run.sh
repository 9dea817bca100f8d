#!/bin/bash
#@ limit=180
# What a run has recorded so far is readable whenever the monitor goes: killed, or by Ctrl-C. The
# run is one that hangs for long, after events that fill two packets.
. "$(dirname "$0")/../lane.bash"

expect 1 "$faultline" run rig_misbehave/spin --json --runs-dir "$dir/runs"
value .plan >"$dir/short.json"
jq '.budget = 50000000000 | .preemptions =
    [range(1; 251) | {thread: "main", n: 0, k: (. * 1000), target: "core"}]' \
    "$dir/short.json" >"$dir/plan.json"

# ended_by SIGNAL: starts the run, waits for its second packet, ends it; leaves the status and $trace.
ended_by()
{
    rm -rf "$dir/runs"
    "$faultline" run rig_misbehave/spin --plan "$dir/plan.json" --runs-dir "$dir/runs" &
    local monitor=$!
    for _ in {1..1200}; do
        trace=$(echo "$dir"/runs/*)
        [ "$(stat -c %s "$trace/ctf/events" 2>/dev/null)" = 8192 ] && break
        sleep 0.05
    done
    kill "-$1" $monitor
    wait $monitor
}

for end in KILL:137 INT:3; do
    expect "${end#*:}" ended_by "${end%:*}"
    cat "$dir/err"
    expect 3 "$faultline" verify "$trace" --json
    holds '.verdict == "inconclusive" and .events == 252'
    expect 2 "$faultline" replay "$trace"
    one_line "$dir/err"
    cat "$dir/err"
done
