#!/bin/bash
#@ limit=3600 full
# What the lane kvm shows in short, at length: every minimised finding of the table of scenarios replays on KVM,
# 200 plans of each scenario mean what they mean on ARM, 500 corruptions of guest memory end
# nothing but their runs, and a debugger goes 200 steps back and forth.
. "$(dirname "$0")/../lane.bash"

expect 0 "$faultline" doctor --kvm-lane
lane_of_kvm=$(cat "$dir/out")
echo "lane: $lane_of_kvm"

scripts/gdb-tests "$lane_of_kvm" 200 || fail "200 steps back and forth"
scripts/backend-tests "$lane_of_kvm" places access verbs || fail "what must hold on each back end"
build/tests/monitor/tests/test_vm_backends "qemu,$lane_of_kvm" 200 || fail "event hashes"
FAULTLINE_BACKEND=$lane_of_kvm build/tests/monitor/tests/test_vm_corruption 500 || fail "corruption"
