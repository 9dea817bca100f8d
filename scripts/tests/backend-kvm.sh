#!/bin/bash
#@ limit=3600 full
# KVM means what the first back end does, on whichever lane this machine has.
lane_of_kvm=$(build/faultline doctor --kvm-lane) || exit 1
exec "$(dirname "$0")/../backend-tests" "$lane_of_kvm" places window determinism
