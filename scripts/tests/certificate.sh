#!/bin/bash
#@ limit=900
# Certificates of exhausted searches are accepted by a second program; and refused when a branch is
# removed, an end or a ready set is changed, a place is left out, a state is said to be known that is
# not, or the image is another: each with the sum made anew.
. "$(dirname "$0")/../lane.bash"
. scripts/certified.bash

runs=$dir/runs
subject=genode_stack_slot/fixed

search() # OPTION...
{
    expect 0 "$faultline" explore "$subject" --runs-dir "$runs" "$@"
    grep -q '^NOTHING LEFT' "$dir/out" || fail "explore $* did not come to its end"
    certificate=$(awk '$1 == "certificate" { print $2 }' "$dir/out")
    [ -s "$certificate" ] || fail "explore $* left no certificate"
}

search --bound 2
plans=$certificate
accepted "$plans"
search --stateful --bound 2
states=$certificate
accepted "$states"
search --stateful --bound 2 --param subthreads=2
accepted "$certificate"

# The fix, with any number of preemptions: every state that it can be brought to.
search --stateful
grep 'any number of preemptions' "$dir/out" || fail "there is a bound"
accepted "$certificate"

# The same where threads give up, too: choices that are else the queue's head's.
search --bound 1 --gives-up
accepted "$certificate"
refused "where one gives up left out, with its run" "$certificate" '
    $1 == "place" { here = places++ }
    $1 == "place" && $2 ~ /gives-up/ && !cut { cut = 1; at = here; next }
    $1 == "run" { gone = cut && $3 == at; if (NF == 4 && cut && $3 > at) $3-- }
    !gone'
refused "places where threads give up, disowned" "$certificate" '$1 == "search" { NF = 4 } { print }'

# the last run, which has nothing below it
last=$(awk '$1 == "run" { n = $2 } END { print n }' "$plans")
refused "a branch removed" "$plans" "\$1 == \"run\" { gone = \$2 == $last } \$1 == \"sum\" { gone = 0 } !gone"
refused "a run cut short" "$states" '$1 == "end" && $3 == "known" && !done { done = 1; next } { print }'
refused "a verdict changed" "$plans" '$1 == "end" && ++n == 9 { $2 = "violation" } { print }'
refused "an end's hash changed" "$plans" '$1 == "end" && ++n == 9 { $4 = "0123456789abcdef" } { print }'
refused "a ready thread added" "$plans" '$1 == "place" && ++n == 5 { $3 = $3 ",main.1" } { print }'
refused "a ready thread left out, with its run" "$plans" '
    $1 == "place" && $3 ~ /,/ && !cut { cut = 1; at = places; name = $3; sub(/.*,/, "", name); sub(/,[^,]*$/, "", $3) }
    $1 == "place" { places++ }
    $1 == "run" { gone = cut && $3 == at && $4 == name || NF == 4 && below[$3] }
    gone && $1 == "place" { below[places - 1] = 1 }
    !gone'
refused "a place left out, with its runs" "$plans" '
    $1 == "place" { here = places++ }
    $1 == "place" && here == 33 { next }
    $1 == "run" { gone = $3 == 33; if (NF == 4 && $3 > 33) $3-- }
    !gone'
refused "a state said to be known" "$states" '
    $1 == "known" && !done { done = 1; $2 = $2 + 1 } { print }'
refused "a known state made up" "$states" '
    $1 == "place" { last = $0; kept[n++] = $4 }
    $1 == "known" && !done { done = 1; $5 = kept[0] } { print }'
refused "another image" "$plans" '$1 == "image" { $2 = "0000" substr($2, 5) } { print }'

sed '$d' "$plans" >"$dir/cut"
expect 1 "$certcheck" "$dir/cut"
expect 2 "$certcheck" "$dir/none"
expect 2 "$certcheck" README.md
expect 1 "$certcheck" --image build/guest/x86_64.elf "$plans"
