#!/bin/bash
#@ limit=180 alone
# What `make install` puts under a prefix works from there, away from the tree, and the doctor finds nothing
# wrong with it.
. "$(dirname "$0")/../lane.bash"

expect 0 make -s install PREFIX="$dir/prefix"
cd "$dir" || fail "cd"
expect 0 "$dir/prefix/bin/faultline" run smoke/plain --json
holds '.verdict == "clean" and .outcome == "exited"'
expect 0 "$dir/prefix/bin/faultline" run smoke/plain --backend qemu-x86_64 --runs-dir "$dir/x86" --json
holds '.verdict == "clean" and .arch == "x86_64"'
[ -s "$dir/traces/runs/smoke-plain-0001/ctf/events" ] || fail "no trace in traces/runs"
expect 0 "$dir/prefix/bin/faultline" verify traces/runs/smoke-plain-0001
expect 0 "$dir/prefix/bin/faultline" doctor
cat "$dir/out"
