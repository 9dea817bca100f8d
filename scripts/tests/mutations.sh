#!/bin/bash
#@ limit=180
# Core broken on purpose, line by line (scripts/mutations): each mutation is seen by the check that the
# table names, before any other; and each check of vm is needed: there is a mutation that it alone sees.
. "$(dirname "$0")/../lane.bash"

scenario=core_mutations
run=("$faultline" run --json --runs-dir "$dir/runs")

expect 0 "${run[@]}" $scenario/fixed
needed=
seen=0
while read -r variant rest; do
    check=${rest##* }
    expect 1 "${run[@]}" "$scenario/$variant"
    violated=$(value '[.checks[] | select(.verdict == "violation")] | sort_by(.event) | map(.id) | join(" ")')
    echo "$variant: $violated"
    [ "${violated%% *}" = "$check" ] || fail "$variant is seen first by ${violated%% *}, not by $check"
    [ "$violated" = "$check" ] && needed+=" $check"
    seen=$((seen + 1))
done < <(grep -v '^#' scripts/mutations)
[ "$seen" -ge 8 ] || fail "only $seen mutations"

for file in analysis/checks/vm_*.c; do
    check=$(basename "$file" .c)
    [[ " $needed " == *" ${check//_/-} "* ]] || fail "no mutation is seen by ${check//_/-} alone"
done
echo "$seen mutations, each seen; each check of vm needed by one"
