#!/bin/bash
#@ limit=240
# --lttng: host and guest in one listing, in which each decision of the host lies where the guest asked
# for it; the same results as without; what a killed monitor leaves can be read; what is missing is
# said in one line.
. "$(dirname "$0")/../lane.bash"
[ -e build/plugin/lttng.so ] || skip "built without LTTng: liblttng-ust-dev, liblttng-ctl-dev"
command -v lttng-sessiond babeltrace2 >/dev/null || skip "no lttng-tools or babeltrace2"

# Root's session daemon is the system's: other trees wait for their turn.
exec 9>"${TMPDIR:-/tmp}/faultline-lane-lttng.$(id -u)"
flock 9

timeline()
{
    expect 0 scripts/check-timeline "$1"
    cat "$dir/out"
}

timeless='del(.. | .trace?, .seconds?, .seconds_to_find?, .runs_per_second?)'

# ---- posted and online, and no result is another ----
expect 1 "$faultline" explore genode_stack_slot/racy --bound 2 --jobs 2 --json --runs-dir "$dir/runs" \
    --lttng "$dir/search"
with=$(jq -c "$timeless" "$dir/out")
trace=$(value '.findings[0].trace')
expect 1 "$faultline" explore genode_stack_slot/racy --bound 2 --jobs 2 --json --runs-dir "$dir/runs"
without=$(jq -c "$timeless" "$dir/out")
[ "$with" = "$without" ] || fail "another result with --lttng: $with, $without"
timeline "$dir/search"

expect 0 "$faultline" replay "$trace" --online --times 50 --lttng "$dir/online"
timeline "$dir/online"
decisions=$(awk '{ print $1 }' "$dir/out")
[ "$decisions" -gt 500 ] || fail "only $decisions decisions"
expect 1 "$faultline" run genode_stack_slot/racy --schedule 'core@12->t1' --online --runs-dir "$dir/runs" \
    --lttng "$dir/run"
timeline "$dir/run"
babeltrace2 --clock-seconds "$dir/run" >"$dir/listing"
for event in command session_open guest_start plan batch injection decision_asked decision_answered \
    result verdict reset guest_stop session_close; do
    grep -q "faultline:$event:" "$dir/listing" || fail "no event $event in the listing"
done
grep -q 'guest-1 preempt:' "$dir/listing" || fail "no event of the guest in the listing"

# ---- the script that says so can say otherwise ----
line=$(grep -n 'decision_asked' "$dir/listing" | sed -n '7s/:.*//p')
sed "${line}{h;d};$((line + 3))G" "$dir/listing" >"$dir/later" # asked after what follows the answer
expect 1 scripts/check-timeline - <"$dir/later"
sed "${line}{h;d};$((line + 3))G" "$dir/listing" | awk '{ $1 = "[0]" } 1' >"$dir/later"
expect 1 scripts/check-timeline - <"$dir/later"
sed '/guest-1 preempt:/d' "$dir/listing" >"$dir/later"
expect 1 scripts/check-timeline - <"$dir/later"
sed '/decision_answered/s/target = 0x[1-9a-f][0-9a-f]*/target = 0x0/' "$dir/listing" >"$dir/later"
expect 1 scripts/check-timeline - <"$dir/later"

# ---- a guest that dies ----
expect 1 "$faultline" run rig_misbehave/power_off --runs-dir "$dir/runs" --lttng "$dir/dies"
timeline "$dir/dies"
babeltrace2 "$dir/dies" >"$dir/out"
grep -q 'faultline:guest_exit:.*reason = "the guest powered off"' "$dir/out" || fail "no event guest_exit"

# ---- killed, and interrupted ----
daemons()
{
    pgrep -c -u "$(id -u)" -x -r DRST lttng-sessiond
}
before=$(daemons)
"$faultline" explore genode_stack_slot/fixed --bound 9 --runs-dir "$dir/runs" --lttng "$dir/killed" \
    >/dev/null 2>&1 9>&- &
monitor=$!
until [ "$(stat -c %s "$dir/killed/guest-1/events" 2>/dev/null || echo 0)" -gt 2000000 ]; do
    kill -0 $monitor || fail "the search ended"
done
kill -KILL $monitor
wait $monitor 2>/dev/null
until [ "$(daemons)" = "$before" ]; do
    read -rt 0.1 <> <(:)
done
timeline "$dir/killed"
read -r _ _ results _ <"$dir/out"
[ "$results" -gt 100 ] || fail "only $results results in what a killed monitor left"

interrupted()
{
    "$faultline" explore genode_stack_slot/fixed --bound 9 --json --runs-dir "$dir/runs" \
        --lttng "$dir/interrupted" 9>&- &
    local monitor=$!
    until [ -s "$dir/interrupted/guest-1/events" ]; do
        kill -0 $monitor || fail "the search ended"
    done
    "$faultline" run smoke/plain --runs-dir "$dir/runs" --lttng "$dir/second" >"$dir/second.out" 2>&1
    echo $? >"$dir/second.status"
    kill -INT $monitor
    wait $monitor
}
expect 3 interrupted
timeline "$dir/interrupted"
[ "$(daemons)" = "$before" ] || fail "a session daemon is left"
# Another monitor meanwhile: root's shares the daemon and would lose it, others have one each.
case $(id -u):$before:$(cat "$dir/second.status") in
0:0:2) grep -q 'ends with another monitor' "$dir/second.out" || fail "$(cat "$dir/second.out")" ;;
*:0) ;;
*) fail "another monitor meanwhile: $(cat "$dir/second.out")" ;;
esac

# ---- errors, one line each ----
refused()
{
    local want=$1
    shift
    expect 2 "$@"
    one_line "$dir/err"
    grep -q "$want" "$dir/err" || fail "not '$want': $(cat "$dir/err")"
}
run=(run smoke/plain --runs-dir "$dir/runs")
refused 'is not empty' "$faultline" "${run[@]}" --lttng "$dir/search"
refused 'goes with --lttng' "$faultline" "${run[@]}" --lttng-kernel sched_switch
[ -e /proc/lttng ] ||
    refused 'of the kernel' "$faultline" "${run[@]}" --lttng "$dir/kernel" --lttng-kernel sched_switch
bare=$(mktemp -d) # away from the plugins
trap 'rm -rf "$bare"' EXIT
cp build/faultline "$bare/"
refused 'install liblttng-ust-dev' "$bare/faultline" "${run[@]}" --guest build/guest/armv7.elf \
    --lttng "$dir/none"
[ -e "$dir/none" ] && fail "a refused option made a folder"
if [ "$(id -u)" = 0 ] && unshare -m true 2>/dev/null; then
    refused 'dev/shm has no room' unshare -m sh -c 'mount -t tmpfs -o size=100k none /dev/shm && "$@"' \
        sh "$faultline" "${run[@]}" --lttng "$dir/small"
    expect 0 unshare -m sh -c 'mount -t tmpfs -o size=64m none /dev/shm && "$@"' \
        sh "$faultline" "${run[@]}" --lttng "$dir/docker"
    timeline "$dir/docker"
fi

# ---- built where LTTng is not ----
expect 0 env PKG_CONFIG_LIBDIR="$dir" make -s lttng BUILD="$dir/without"
one_line "$dir/out"
grep -q 'built without option --lttng' "$dir/out" || fail "$(cat "$dir/out")"
