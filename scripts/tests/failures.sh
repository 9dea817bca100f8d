#!/bin/bash
#@ limit=600
# What if memory runs out: each frame and each table entry that a clean variant asks for is refused, once, in
# all plans of the bound. Nothing is left behind, counts are right, nobody is in a deadlock; who was refused
# may say so and end. The default schedule of every variant; and bound 1, of which failures times places
# says about how many runs that is: of those with few here, of all in the lane failures-full, which has the
# default schedules audited, too (FAILURES_AUDIT).
. "$(dirname "$0")/../lane.bash"

# What must come of a clean variant that is not clean then:
#   quickfix, which is none, leaves who was refused its stack in the list, and never gives its slot back
#   rig_misbehave/wild asks for nothing
declare -A other=(
    [genode_stack_slot/quickfix]=stack-slot-exclusive
    [rig_misbehave/wild]=nothing
)
# search VARIANT OPTION...: the fields of the table
search()
{
    "$faultline" explore "$@" --fail alloc --json --runs-dir "$dir/runs" >"$dir/out" 2>"$dir/err"
    status=$?
    verdict=$(jq -r .verdict "$dir/out")
    check=$(jq -r '.findings[0].check // empty' "$dir/out")
    injected=$(jq '.failures.frame + .failures.slab' "$dir/out")
    hit=$(jq .failures.hit "$dir/out")
}

row()
{
    printf '%-45s bound %s %5s injected %5s hit %6s runs  %s %s\n' "$1" "$2" "$injected" "$hit" \
        "$(jq .runs "$dir/out")" "$verdict" "$check"
}

judge() # VARIANT
{
    case ${other[$1]-clean} in
    clean)
        if [ "$status" != 0 ] || [ "$hit" != "$injected" ]; then
            fail "$1: $verdict ($(head -n 1 "$dir/err")), $hit of $injected failures hit"
        fi
        ;;
    nothing) [ "$status $injected" = '3 0' ] || fail "$1 asks for something now" ;;
    *) [ "$check" = "${other[$1]}" ] || fail "$1: $verdict $check, not ${other[$1]}" ;;
    esac
}

variants=$("$faultline" list --json | jq -r '.[] | .id as $id | .variants[] | select(.expect == "clean") |
    "\($id)/\(.id)"') || fail "list"
count=0 deeper=0
for variant in $variants; do
    [ "$variant" = core_mutations/task_kept ] && continue # below
    # shellcheck disable=SC2086 # none, or one word
    search "$variant" --depth ipc --bound 0 --no-minimise --time 0 ${FAILURES_AUDIT-}
    judge "$variant"
    row "$variant" 0
    count=$((count + 1))
    runs=$((injected * $(jq .places "$dir/out")))
    if [ "$verdict" != nothing-left ] || [ "$runs" -gt "${FAILURES_MOST:-250}" ]; then
        continue
    fi
    search "$variant" --depth ipc --bound 1 --no-minimise --time 0
    judge "$variant"
    row "$variant" 1
    deeper=$((deeper + 1))
done

# The leak audit sees what nothing else does: a fork that fails and leaves its task, as core once did.
expect 0 "$faultline" explore core_mutations/task_kept --bound 0 --runs-dir "$dir/runs"
search core_mutations/task_kept --bound 0
row core_mutations/task_kept 0
[ "$status $check" = '1 nothing-leaked' ] || fail "a task that is kept is not seen"
trace=$(jq -r '.findings[0].trace' "$dir/out")
holds '.findings[0].plan.failures | length == 1'
expect 1 "$faultline" verify "$trace"
expect 0 "$faultline" replay "$trace" --times 3
echo "$count variants, of $deeper of them bound 1"
