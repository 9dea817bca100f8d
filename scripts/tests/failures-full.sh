#!/bin/bash
#@ limit=3600 full
# The same as failures, with bound 1 of every variant.
FAILURES_BOUND=1 lane=failures-full exec "$(dirname "$0")/failures.sh"
