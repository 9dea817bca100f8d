#!/bin/bash
#@ limit=300
# The scenario printed in README.md, put where it says, does what it says.
. "$(dirname "$0")/../lane.bash"

mkdir "$dir/tree"
git ls-files -z --cached --others --exclude-standard | xargs -0 cp --parents -t "$dir/tree" 2>/dev/null
cp -r build/host "$dir/built" 2>/dev/null # objects of the same sources: only the guest is built anew
cd "$dir/tree" || fail "cd"
mkdir build && mv "$dir/built" build/host
sed -n '/^    #include "core.h"/,/^    const struct program/s/^    //p' README.md >guest/scenarios/lost_update.c
# Blank lines of the block are empty in the text.
grep -q 'thread_join' guest/scenarios/lost_update.c || fail "no scenario in README.md"
expect 0 make -s -j2
expect 1 build/faultline explore lost_update/racy --json
holds '.findings[0].check == "outcome-as-declared" and .findings[0].preemptions == 1'
