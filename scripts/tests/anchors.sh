#!/bin/bash
#@ limit=300
# A saved plan still means something when the source was edited: with one more lock in the path and
# some lines above, both findings come again, at other places, and it is said that they were anchored
# anew. When what the plan is about is gone: one line, exit status 2.
. "$(dirname "$0")/../lane.bash"

# tree NAME: a copy of the tree, to be edited and built in $dir/NAME; what is not edited is built.
tree()
{
    mkdir -p "$dir/$1/build"
    git ls-files -z --cached --others --exclude-standard guest Makefile |
        xargs -0 cp --parents -t "$dir/$1" 2>/dev/null
    cp -r build/guest "$dir/$1/build/guest"
    rm "$dir/$1/build/guest/armv7.elf"
}

build()
{
    make -s -C "$dir/$1" build/guest/armv7.elf >"$dir/$1.log" 2>&1 || fail "cannot build $1: $dir/$1.log"
}

scenario=guest/scenarios/genode_stack_slot.c
tree edited
sed -i -e 's|^    sys_unlock(&alloc_lock);|    static struct lock other_lock;\n\n    sys_lock(\&other_lock);\n    sys_unlock(\&other_lock);\n&|' \
    -e 's|^static bool is_in_use|\n\n&|' "$dir/edited/$scenario"
cmp -s "$scenario" "$dir/edited/$scenario" && fail "nothing was edited"
build edited

tree gone # the lock of the quick fix is not there any more
sed -i -e '/sys_lock(&alloc_lock);/d' -e '/sys_unlock(&alloc_lock);/d' -e '/static struct lock alloc_lock;/d' \
    "$dir/gone/$scenario"
build gone

# The last instruction of the gap at which the check fails, and the first, right after the unlock.
expect 1 "$faultline" explore genode_stack_slot/quickfix --depth insn --bound 1 --json --runs-dir "$dir/runs"
last=$(jq -r .failing "$(value '.findings[0].trace')/explanation.json")
for schedule in "$last" "${last%+*}+1->t1"; do
    expect 1 "$faultline" run genode_stack_slot/quickfix --schedule "$schedule" --json --runs-dir "$dir/runs"
    saved=$(value .trace)
    cp "$saved/plan.json" "$dir/saved.json"

    expect 1 "$faultline" run genode_stack_slot/quickfix --plan "$dir/saved.json" --runs-dir "$dir/runs"
    [ ! -s "$dir/err" ] || fail "anchored anew on the very image: $(cat "$dir/err")"

    expect 1 "$faultline" run genode_stack_slot/quickfix --plan "$dir/saved.json" --runs-dir "$dir/runs" \
        --guest "$dir/edited/build/guest/armv7.elf" --json
    one_line "$dir/err"
    grep -q "^anchored anew: main@.* -> main@" "$dir/err" || fail "$(cat "$dir/err")"
    holds '.checks[] | select(.verdict == "violation").id == "stack-slot-exclusive"'
    cat "$dir/err"

    expect 0 "$faultline" replay "$saved" --any-image --guest "$dir/edited/build/guest/armv7.elf" --times 10 --json
    holds '.equal == 10'

    expect 2 "$faultline" run genode_stack_slot/quickfix --plan "$dir/saved.json" --runs-dir "$dir/runs" \
        --guest "$dir/gone/build/guest/armv7.elf"
    one_line "$dir/err"
    grep -q 'no longer applies' "$dir/err" || fail "$(cat "$dir/err")"
    cat "$dir/err"
done

# An entry of the racy variant, which the edit does not touch: the same place, nothing to say.
expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 --json --runs-dir "$dir/runs"
expect 1 "$faultline" run genode_stack_slot/racy --plan "$(value '.findings[0].trace')/plan.json" \
    --guest "$dir/edited/build/guest/armv7.elf" --runs-dir "$dir/runs"
[ ! -s "$dir/err" ] || fail "$(cat "$dir/err")"
