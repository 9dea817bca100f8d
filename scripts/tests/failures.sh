#!/bin/bash
#@ limit=600
# What if memory runs out: each frame and each table entry that a clean variant asks for is refused, once, in
# all plans of the bound. Nothing is left behind, counts are right, nobody is in a deadlock; who was refused
# may say so and end. Here the default schedule of every variant, and bound 1 where that takes no time; the
# lane failures-full has bound 1 of all. FAILURES_BOUND says the bound of the large ones.
. "$(dirname "$0")/../lane.bash"

# What must come of a clean variant that is not clean then:
#   quickfix, which is none, leaves who was refused its stack in the list, and never gives its slot back
#   rig_misbehave/wild asks for nothing
declare -A other=(
    [genode_stack_slot/quickfix]=stack-slot-exclusive
    [rig_misbehave/wild]=nothing
)
# More than some hundred runs at bound 1.
large=' codezero_stress/plain core_fork_stress/fixed genode_slot_leak/fixed codezero_utcb/asked stack_overflow/halted
 codezero_assert_side_effect/fixed codezero_shadow_fork/fixed codezero_env_pager/fixed codezero_clone/plain
 codezero_files/fixed codezero_read_into_unmapped/fixed codezero_multi_pager/fixed codezero_multi_pager/dies
 codezero_file_server_deadlock/prefaulted codezero_file_server_deadlock/parked codezero_vma_split/fixed
 codezero_file_server_deadlock/own_prefaulted codezero_find_vma_fails/halted codezero_shm_double_cow/fixed '

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

variants=$("$faultline" list --json | jq -r '.[] | .id as $id | .variants[] | select(.expect == "clean") |
    "\($id)/\(.id)"') || fail "list"
count=0
for variant in $variants; do
    [ "$variant" = core_mutations/task_kept ] && continue # below
    bound=1
    [[ "${large//$'\n'/ }" == *" $variant "* ]] && bound=${FAILURES_BOUND:-0}
    search "$variant" --depth ipc --bound "$bound" --no-minimise --time 0
    row "$variant" "$bound"
    case ${other[$variant]-clean} in
    clean)
        if [ "$status" != 0 ] || [ "$hit" != "$injected" ]; then
            fail "$variant: $verdict ($(head -n 1 "$dir/err")), $hit of $injected failures hit"
        fi
        ;;
    nothing) [ "$status $injected" = '3 0' ] || fail "$variant asks for something now" ;;
    *) [ "$check" = "${other[$variant]}" ] || fail "$variant: $verdict $check, not ${other[$variant]}" ;;
    esac
    count=$((count + 1))
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
echo "$count variants"
