#!/bin/bash
#@ limit=400
# A real gdb on the KVM lane.
lane_of_kvm=$(build/faultline doctor --kvm-lane) || exit 1
echo "lane: $lane_of_kvm"
exec "$(dirname "$0")/../gdb-tests" "$lane_of_kvm" 40
