#!/bin/bash
#@ limit=900
# Mutations (guest/mutations): some of each list are seen as it says; each check of vm is the only one
# that sees some variant of core_mutations; a list that is wrong is found to be.
. "$(dirname "$0")/../lane.bash"

expect 0 scripts/mutation-score --quick
cat "$dir/out"
[ "$(grep -c '^ok' "$dir/out")" -ge 20 ] || fail "too few were looked at"

# ---- Each check of vm is needed ----

expect 0 "$faultline" list --json
rows=$(jq -r '.[] | select(.id == "core_mutations") | .variants[] | "\(.id) \(.expect)"' "$dir/out")
needed=
while read -r variant check; do
    [ "$check" = clean ] && continue
    expect 1 "$faultline" run --json --runs-dir "$dir/runs" "core_mutations/$variant"
    violated=$(value '[.checks[] | select(.verdict == "violation") | .id] | join(" ")')
    [ "$violated" = "$check" ] && needed+=" $check"
done <<<"$rows"
for file in analysis/checks/vm_*.c; do
    check=$(basename "$file" .c)
    [[ " $needed " == *" ${check//_/-} "* ]] || fail "no variant of core_mutations is seen by ${check//_/-} alone"
done

# ---- Lists that are wrong ----

export MUTATIONS=$dir/lists
mkdir "$MUTATIONS"
echo '## The table' >"$MUTATIONS/README.md"

# list_of LINE BECOMES WORDS...
list_of()
{
    printf '%s\n' 'mutation one: of a list that is wrong' 'in guest/core/region.c' "-$1" "+$2" "${@:3}" \
        >"$MUTATIONS/list"
}

list_of '    no such line;' '' 'try smoke/plain'
expect 2 scripts/mutation-score
grep -q 'one  *what it changes is not in guest/core/region.c any more' "$dir/out" || fail "a line that is gone"
list_of '{' '{' 'try smoke/plain'
expect 2 scripts/mutation-score
grep -q 'one  *what it changes is in guest/core/region.c more than once' "$dir/out" || fail "a line twice"
list_of '    map->end = 0;' '    no_such_thing();' 'try smoke/plain'
expect 2 scripts/mutation-score
grep -q 'one  *cannot be built' "$dir/out" || fail "what does not build"
list_of '    map->end = 0;' '    map->end = 0;' 'try smoke/plain' 'seen vm-counts in smoke/plain, 0 preemptions, run 1'
expect 1 scripts/mutation-score --quick
grep -q 'one  *survived' "$dir/out" || fail "one that nothing sees"
