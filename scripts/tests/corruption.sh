#!/bin/bash
#@ limit=7200 full
# Ten thousand corruptions of guest memory on each architecture under TCG, 500 on KVM: the monitor, built with
# sanitizers, lives, nothing takes longer than the watchdog, and the runs on the next guest are as ever.
. "$(dirname "$0")/../lane.bash"

# Ten times NUMBER, with a seed each, as many at a time as there are processors.
ten_times()
{
    seq 1 10 | FAULTLINE_BACKEND=$1 xargs -P "$(nproc)" -I SEED \
        build/tests/monitor/tests/test_vm_corruption "$2" SEED || fail "$1"
}

ten_times qemu 1000
ten_times qemu-x86_64 1000
expect 0 "$faultline" doctor --kvm-lane
lane_of_kvm=$(cat "$dir/out")
ten_times "$lane_of_kvm" 50
