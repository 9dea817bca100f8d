#!/bin/bash
#@ limit=7200 full
# The same as failures, with bound 1 of every variant.
FAILURES_MOST=1000000 lane=failures-full exec "$(dirname "$0")/failures.sh"
