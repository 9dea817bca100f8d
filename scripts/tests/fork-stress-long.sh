#!/bin/bash
#@ limit=7200 full
# The same as fork-stress, 100,000 runs.
FORK_STRESS_RUNS=100000 lane=fork-stress-long exec "$(dirname "$0")/fork-stress.sh"
