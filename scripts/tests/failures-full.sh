#!/bin/bash
#@ limit=7200 full
# The same as failures, with bound 1 of every variant, and audits of every default schedule.
FAILURES_MOST=1000000 FAILURES_AUDIT=--audit lane=failures-full exec "$(dirname "$0")/failures.sh"
