#!/bin/bash
#@ limit=3600 alone full
# The container: scripts/test-docker.sh, with what it prints.
. "$(dirname "$0")/../lane.bash"

scripts/test-docker.sh "$PWD/build/docker"
status=$?
[ "$status" = 0 ] && [ -e build/docker ] && fail "build/docker is still there"
exit "$status"
