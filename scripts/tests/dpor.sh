#!/bin/bash
#@ limit=300
# Strategy dpor makes the runs that can be counted by hand (guest/scenarios/rig_orders.c), the same
# with any number of guests, run twice, and resumed; on both images alike; and refuses what it cannot.
. "$(dirname "$0")/../lane.bash"

reduce() # VARIANT OPTION...
{
    expect 0 "$faultline" explore "rig_orders/$1" --strategy dpor --depth ipc --json \
        --runs-dir "$dir/runs" "${@:2}"
}

for rounds in 1 2 3; do
    case $rounds in 1) wanted=8 ;; 2) wanted=28 ;; 3) wanted=100 ;; esac
    for more in "--orders" "--jobs 2" "--paranoid" "--backend qemu-x86_64"; do
        # shellcheck disable=SC2086
        reduce stores --param rounds=$rounds $more
        holds ".runs == $wanted and .distinct == $wanted and .redundant == 0 and .complete"
        holds '.verdict == "nothing-left" and .bound == null'
    done
    reduce apart --param rounds=$rounds
    holds '.runs == 2'
done

# of all plans as many behaviours as dpor makes runs: where threads give up, dpor alone has a choice,
# but two threads leave none
for variant in stores:28 apart:2; do
    expect 0 "$faultline" explore "rig_orders/${variant%:*}" --depth ipc --bound 250 --orders --json \
        --runs-dir "$dir/runs"
    holds ".distinct == ${variant#*:} and .distinct_by == \"order\" and .runs > .distinct"
    echo "${variant%:*}: $(value .distinct) behaviours in $(value .runs) runs"
done

# the estimate swings by less than an order of magnitude
for variant in stores counter messages; do
    reduce $variant --param rounds=3
    holds '.estimate.quality | length == 3 and all(.estimated > 0.1 and .estimated < 10)'
done

expect 3 "$faultline" explore rig_orders/counter --strategy dpor --depth ipc --runs 50 \
    --runs-dir "$dir/runs"
grep -q 'about .* runs in all' "$dir/out" || fail "no estimate"
reduce counter --resume
holds '.runs == 148 and .resumed == 50 and .distinct == 148'

refuse() # WORDS OPTION...
{
    expect 2 "$faultline" explore rig_orders/stores --strategy dpor "${@:2}"
    grep -q "$1" "$dir/err" || fail "not refused for its reason: $*"
}
refuse "no bound" --bound 2
refuse "every place" --focus thread=main
refuse "memory accesses" --no-plugin
refuse "kernel entries" --depth access
expect 2 "$faultline" explore rig_orders/stores --unqueued
grep -q "needs strategy dpor" "$dir/err" || fail "--unqueued without dpor is not refused"
expect 2 "$faultline" explore codezero_suspend/fixed --strategy dpor --depth ipc --unqueued \
    --runs-dir "$dir/runs"
grep -q "taken out of the queues" "$dir/err" || fail "threads are suspended, and --unqueued goes on"

# what a check sees does not depend on which of the equivalent schedules is made
while read -r variant check; do
    for calls in "" --unqueued; do
        [ "$variant$calls" = codezero_suspend/not_before_sleep--unqueued ] && continue
        # shellcheck disable=SC2086
        expect 1 "$faultline" explore "$variant" --strategy dpor --depth ipc --json \
            --runs-dir "$dir/runs" $calls
        holds ".findings[0].check == \"$check\""
        trace=$(value '.findings[0].trace')
        expect 0 "$faultline" replay "$trace" --times 3
    done
done <<'END'
codezero_lost_wakeup/looked wakeup-not-lost
codezero_sleep_with_mutex/unlock_first wakeup-not-lost
codezero_suspend/not_before_sleep never-half-suspended
codezero_stale_fault/as_raised duplicate-fault-harmless
codezero_file_server_deadlock/pager_waits no-deadlock
END
expect 0 "$faultline" explore codezero_suspend/fixed --strategy dpor --depth ipc --json \
    --runs-dir "$dir/runs"
holds '.verdict == "nothing-left" and .runs == .distinct and .redundant == 0'
# who could run and is suspended would have run first in another order: no race shows it
runs=$(value .runs)
expect 0 "$faultline" explore codezero_suspend/fixed --depth ipc --bound 250 --orders --json \
    --runs-dir "$dir/runs"
holds ".distinct > 100 and .distinct <= $runs"
