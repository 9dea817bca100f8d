#!/bin/bash
#@ limit=5400 full
# Ten thousand corruptions of guest memory on each architecture under TCG: the monitor, built with sanitizers,
# lives, nothing takes longer than the watchdog, and the runs on the next guest are as ever.
. "$(dirname "$0")/../lane.bash"

for backend in qemu qemu-x86_64; do
    FAULTLINE_BACKEND=$backend build/tests/monitor/tests/test_vm_corruption 10000 || fail "$backend"
done
