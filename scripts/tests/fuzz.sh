#!/bin/bash
#@ limit=600 full
# No bytes crash a parser: 20 s of libFuzzer for each.
. "$(dirname "$0")/../lane.bash"
ls build/fuzz/*/tests/fuzz_* >/dev/null 2>&1 || skip "no fuzzers built: make fuzzers"
scripts/fuzz 20
