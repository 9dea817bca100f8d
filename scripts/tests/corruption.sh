#!/bin/bash
#@ limit=7200 full
# Ten thousand corruptions of guest memory on each architecture under TCG, 500 on KVM: the monitor, built with
# sanitizers, lives, nothing takes longer than the watchdog, and the runs on the next guest are as ever.
. "$(dirname "$0")/../lane.bash"

for backend in qemu qemu-x86_64; do
    FAULTLINE_BACKEND=$backend build/tests/monitor/tests/test_vm_corruption 10000 || fail "$backend"
done
expect 0 "$faultline" doctor --kvm-lane
lane_of_kvm=$(cat "$dir/out")
FAULTLINE_BACKEND=$lane_of_kvm build/tests/monitor/tests/test_vm_corruption 500 || fail "$lane_of_kvm"
