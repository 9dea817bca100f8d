#!/bin/bash
#@ limit=300
# Certificates of dpor's searches: of all runs that differ in the order of independent steps alone one,
# and a second program sees that there are no others. It refuses them with a branch removed, an end or
# a ready set changed, a place left out, an independence invented, or of another image: each with the
# sum made anew.
. "$(dirname "$0")/../lane.bash"
. scripts/certified.bash

search() # SUBJECT OPTION...
{
    expect 0 "$faultline" explore "$1" --strategy dpor --depth ipc --runs-dir "$dir/runs" "${@:2}"
    grep -q '^NOTHING LEFT' "$dir/out" || fail "explore $* did not come to its end"
    certificate=$(awk '$1 == "certificate" { print $2 }' "$dir/out")
    [ -s "$certificate" ] || fail "explore $* left no certificate"
}

for subject in rig_litmus/plain rig_orders/apart rig_orders/messages core_costs/fixed \
    codezero_anon_offset_clash/fixed codezero_stale_fault/fixed codezero_suspend/fixed; do
    search $subject
    accepted "$certificate"
done
search rig_orders/stores --backend qemu-x86_64
accepted "$certificate"
search rig_orders/counter --param rounds=3
expect 0 "$certcheck" --faultline "$faultline" --all-up-to 10 "$certificate"
grep '; 200 runs made again$' "$dir/out" || fail "not 200 of the runs were made again"

# calls to core one at a time: fewer runs
search codezero_stale_fault/fixed
queued=$certificate
for subject in rig_orders/messages codezero_stale_fault/fixed codezero_is_err/fixed; do
    search $subject --unqueued
    unqueued=$certificate
    accepted "$unqueued"
done
refused "a branch removed where calls do not queue up" "$unqueued" '
    $1 == "run" { gone = ++n == 252 } $1 == "sum" { gone = 0 } !gone'
refused "a call said to be queued" "$unqueued" '
    $1 == "touched" && / receiver.core!/ && ++n == 9 { sub(/ thread.core!/, "") } { print }'
# what has orders with queues has those without, too
sed '4s/orders/unqueued/;$d' "$queued" >"$dir/renamed"
sum=$(sha256sum <"$dir/renamed")
echo "sum ${sum%% *}" >>"$dir/renamed"
accepted "$dir/renamed"

search rig_orders/stores
stores=$certificate
accepted "$stores"

refused "a branch removed" "$stores" '
    $1 == "run" && n == "" { n = 0 } $1 == "run" { gone = ++n == 28 } $1 == "sum" { gone = 0 } !gone'
refused "a verdict changed" "$stores" '$1 == "end" && ++n == 9 { $2 = "violation" } { print }'
refused "an end's hash changed" "$stores" '
    $1 == "end" && ++n == 9 { $4 = "0123456789abcdef" } { print }'
refused "a ready thread added" "$stores" '
    $1 == "step" && $4 == "-" && $3 !~ /gives-up|end/ && ++n == 12 { $4 = "main.1" } { print }'
refused "a ready thread left out" "$stores" '
    $1 == "step" && $4 == "main.1" && ++n == 3 { $4 = "-" } { print }'
refused "a place left out" "$stores" '
    $1 == "step" && ++n == 20 { next } $1 == "run" && $3 >= 20 { $3-- } { print }'
refused "another image" "$stores" '$1 == "image" { $2 = "0000" substr($2, 5) } { print }'

# The word that both threads store to, in steps without core.
word=$(awk '
    $1 == "touched" { touched[n++] = $0 }
    $1 == "step" {
        sub(/->/, "", $2)
        m = split(touched[$5 + 0], words, " ")
        for (i = 2; i <= m; i++)
            if (words[i] ~ /^memory.*!$/ && index($3, $2 "@") == 1)
                by[words[i], $2] = 1
    }
    END {
        for (pair in by) {
            split(pair, part, SUBSEP)
            if (part[2] == "main" && ((part[1], "main.1") in by))
                print substr(part[1], 1, length(part[1]) - 1)
        }
    }' "$stores")
[[ $word =~ ^memory.[0-9a-f]+$ ]] || fail "not one word is written by both threads: $word"
echo "both threads write $word"
independent="{ gsub(/ ${word/./\\.}!?/, \"\") }"
refused "an independence invented" "$stores" "\$1 == \"touched\" $independent { print }"
# and with it the runs that would then stand for the same; left are the two orders of core's first wait
refused "an independence invented, without the runs that it makes needless" "$stores" "
    \$1 == \"touched\" $independent
    \$1 == \"run\" { gone = seen++ > 0 && \$3 > 6 || early; early = early || seen > 1 && \$3 <= 6 }
    \$1 == \"sum\" { gone = 0 }
    !gone || \$1 == \"touched\""

# a step that is said to have touched less in one of the runs that make it
refused "what one step touched changed" "$stores" '
    $1 == "step" && ++n == 30 { $5 = $5 == 0 ? 1 : $5 - 1 } { print }'
sed '$d' "$stores" >"$dir/cut"
expect 1 "$certcheck" "$dir/cut"
