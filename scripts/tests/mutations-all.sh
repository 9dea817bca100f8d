#!/bin/bash
#@ limit=3600 full
# The mutation score: every mutation of guest/mutations is seen as it says there, and what is called
# equivalent is seen by nothing.
. "$(dirname "$0")/../lane.bash"

expect 0 scripts/mutation-score
cat "$dir/out"
