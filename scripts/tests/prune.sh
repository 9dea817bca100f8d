#!/bin/bash
#@ limit=300
# A pruned search comes to the same orders of dependent steps as that of all plans, and to findings
# of the same causes, in fewer runs; with any number of guests, and resumed; and refuses what it
# cannot.
. "$(dirname "$0")/../lane.bash"

explore() # EXIT OPTION...
{
    local status=$1
    shift
    expect "$status" "$faultline" explore --depth ipc --json --runs-dir "$dir/runs" "$@"
}

# The plans of a pruned search are some of those of the other, so as many orders are the same ones.
while read -r variant bound; do
    explore 0 "$variant" --bound "$bound" --orders
    all=$(value .runs) orders=$(value .distinct)
    explore 0 "$variant" --bound "$bound" --orders --prune
    holds ".distinct == $orders and .distinct_by == \"order\" and .complete and .certificate == null"
    holds ".runs <= $all and (.pruned > 0 or .runs == $all)"
    echo "$variant, bound $bound: $orders orders in $all runs, pruned in $(value .runs)"
done <<'END'
genode_stack_slot/fixed 1
genode_stack_slot/fixed 2
genode_stack_slot/fixed 3
rig_litmus/plain 3
rig_orders/stores 3
rig_orders/counter 3
rig_orders/messages 3
END

# what is found has the same causes
for variant in racy:2 racy:1; do
    explore 1 "genode_stack_slot/${variant%:*}" --bound "${variant#*:}" --all
    wanted=$(value '[.findings[].cause] | sort | tostring')
    explore 1 "genode_stack_slot/${variant%:*}" --bound "${variant#*:}" --all --prune
    holds "([.findings[].cause] | sort | tostring) == $(jq -n --arg w "$wanted" '$w')"
done

# a function of its options
explore 0 genode_stack_slot/fixed --bound 2 --prune
runs=$(value .runs)
for more in "--jobs 2" "--paranoid"; do
    # shellcheck disable=SC2086
    explore 0 genode_stack_slot/fixed --bound 2 --prune $more
    holds ".runs == $runs"
done
explore 3 genode_stack_slot/fixed --bound 2 --prune --runs 200
explore 0 genode_stack_slot/fixed --bound 2 --prune --resume
holds ".runs == $runs and .resumed == 200"

expect 0 "$faultline" explore genode_stack_slot/fixed --depth ipc --bound 1 --prune \
    --runs-dir "$dir/runs"
grep -q 'no certificate: ' "$dir/err" || fail "not said why there is no certificate"

refuse() # WORDS OPTION...
{
    expect 2 "$faultline" explore rig_orders/stores "${@:2}"
    grep -q "$1" "$dir/err" || fail "not refused for its reason: $*"
}
refuse "memory accesses\|--no-plugin" --bound 1 --prune --no-plugin
refuse "strategy dfs" --strategy dpor --prune
refuse "strategy dfs" --stateful --prune
refuse "depth ipc or sync" --depth access --prune
