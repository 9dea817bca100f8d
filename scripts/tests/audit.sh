#!/bin/bash
#@ limit=600
# Audits: none is off in any good variant of a scenario of core's; a run is the same with and without;
# what is off is found, recorded, replayed and verified like anything else.
. "$(dirname "$0")/../lane.bash"

expect 0 "$faultline" list --json
rows=$(jq -r '.[] | select(.id | test("^(codezero|core)_|region_maps|genode")) | .id as $id
    | .variants[] | select(.expect == "clean" and .depth == "ipc") | "\($id)/\(.id)"' "$dir/out")
[ "$(wc -w <<<"$rows")" -ge 10 ] || fail "only these good variants: $rows"
for row in $rows; do
    bound=1
    [[ $row == core_memory/* ]] && bound=0 # one run of it has hundreds of audits
    expect 0 "$faultline" explore "$row" --audit --depth ipc --bound $bound --json --runs-dir "$dir/runs"
    holds '.verdict == "nothing-left" and .audits >= .runs and .audits_off == 0'
    echo "$row: $(value .runs) runs, $(value .audits) audits of $(value .objects_walked) objects"
done

row=codezero_shadow_fork/fixed
expect 0 "$faultline" run $row --json --runs-dir "$dir/runs"
hash=$(value .event_hash)
for how in '' --online; do
    # shellcheck disable=SC2086 # none, or one word
    expect 0 "$faultline" run $row --audit $how --json --runs-dir "$dir/runs"
    holds ".event_hash == \"$hash\" and .audits > 10 and .audits_off == 0"
done

expect 1 "$faultline" run core_mutations/not_counted --audit --json --runs-dir "$dir/runs"
holds '.audits_off > 0'
trace=$(value .trace)
hash=$(value .event_hash)
expect 0 "$faultline" replay "$trace" --times 10 --json
holds ".equal == 10 and .event_hash == \"$hash\""
expect 1 "$faultline" verify "$trace" --json
holds '.checks | any(.id == "vm-counts" and .verdict == "violation")'
