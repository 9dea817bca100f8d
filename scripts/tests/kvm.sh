#!/bin/bash
#@ limit=600
# The guest on KVM: this machine's own where that can run it, else that of a Linux under QEMU's TCG. It
# finds what QEMU finds, and nothing where there is nothing. A machine that can do neither fails.
. "$(dirname "$0")/../lane.bash"

expect 0 "$faultline" doctor --kvm-lane
lane_of_kvm=$(cat "$dir/out")
echo "lane: $lane_of_kvm"
cat "$dir/err"
backend=(--backend "$lane_of_kvm" --runs-dir "$dir/runs" --json)

expect 0 "$faultline" run smoke/plain "${backend[@]}"
holds '.verdict == "clean" and .outcome == "exited"'

expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 "${backend[@]}"
holds '.findings[0].check == "stack-slot-exclusive" and .findings[0].preemptions == 1'
holds '.findings[0].runs_to_find <= 300'
trace=$(value '.findings[0].trace')
echo "racy: found in run $(value '.findings[0].runs_to_find')"

# A schedule without counted instructions means the same on every back end and architecture.
for other in qemu-armv7 qemu-x86_64; do
    expect 0 "$faultline" replay "$trace" --backend "$other" --json
    holds '.equal == 1'
done

expect 1 "$faultline" explore genode_stack_slot/quickfix "${backend[@]}"
holds '.findings[0].check == "stack-slot-exclusive" and .findings[0].preemptions == 1'
echo "quickfix: found in run $(value '.findings[0].runs_to_find')"
expect 0 "$faultline" replay "$(value '.findings[0].trace')" --times 50 --json
holds '.times == 50 and .equal == 50'

expect 0 "$faultline" explore genode_stack_slot/fixed --depth ipc --bound 1 --jobs 2 "${backend[@]}"
holds '.verdict == "nothing-left"'
echo "fixed: nothing left after $(value .runs) runs"

# Guests that misbehave, that are killed, that are idle, and whose monitor is killed.
FAULTLINE_BACKEND=$lane_of_kvm build/tests/monitor/tests/test_vm_session || fail "sessions"
build/tests/monitor/tests/test_vm_backends "qemu-x86_64,$lane_of_kvm" || fail "event hashes"

# Each executed boundary of the window once; memory that changes under everybody's feet.
for test in window corruption; do
    FAULTLINE_BACKEND=$lane_of_kvm "build/tests/monitor/tests/test_vm_$test" || fail "$test"
done
