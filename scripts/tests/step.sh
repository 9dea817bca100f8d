#!/bin/bash
#@ limit=240
# What the stepper shows on three findings is what scripts/tests/step/ has, but for numbers that any
# edit of the guest's source changes. After a change that is meant: UPDATE=1 scripts/tests/step.sh.
# A what-if branch is saved, run and replayed, and has the event hash that the stepper told. What
# cannot be done is one line and exit status 2; what is not the recorded run, too.
. "$(dirname "$0")/../lane.bash"

runs=(--runs-dir "$dir/runs")

# plain: without lines of source, numbers of events and scenarios, addresses of programs, frames, checks
# that found nothing: what may change with every new scenario or check. Blanks and arrows squeezed.
plain()
{
    sed -E -e 's/\.([ch]):[0-9]+/.\1:N/g' -e 's/event [0-9]+ of [0-9]+/event E of L/' \
        -e 's/since event [0-9]+/since event E/' -e 's/\(event [0-9]+\)/(event E)/' \
        -e 's/, [0-9]+ events/, L events/' -e 's/event hash [0-9a-f]{16}/event hash H/' \
        -e 's/pc 0x[0-9a-f]+/pc P/' -e 's/^( *)0x[0-9a-f]+$/\1A/' -e 's/frames? [0-9].*/frames/' \
        -e 's/^( *)0x4[0-9a-f]{2}, page/\1F, page/' \
        -e 's/([0-9]+)=[0-9]+/\1=F/g' -e 's/0x(0[0-9a-f]{5,7}|[1-9][0-9a-f]{6})\b/0xP/g' \
        -e 's/scenario [0-9]+ variant/scenario I variant/' -e '/^ +clean +[a-z-]+$/d' \
        -e 's/-+/-/g' -e 's/ +/ /g' -e 's/ +$//'
}

# transcript NAME SUBJECT COMMANDS: as it was before.
transcript()
{
    local golden=scripts/tests/step/$1.txt
    expect 0 "$faultline" step "$2" --batch "$3"
    awk 'length > 80 && !/event hash/ && !/violation/ { print; wide = 1 } END { exit wide }' "$dir/out" ||
        fail "$1: wider than 80 columns"
    plain <"$dir/out" >"$dir/$1.txt"
    [ -z "${UPDATE:-}" ] || cp "$dir/$1.txt" "$golden"
    diff -u "$golden" "$dir/$1.txt" || fail "$1: the transcript is another than $golden"
    expect 0 "$faultline" step "$2" --batch "$3"
    plain <"$dir/out" | cmp - "$dir/$1.txt" || fail "$1: the same commands, another transcript"
}

expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 --json "${runs[@]}"
racy=$(value '.findings[0].trace')
transcript racy "$racy" 'n; n; p; c mark_reserve; threads; slots; n; c thread t1; ni; ni; pi; where;
    c finding; slots; threads; ipc; faults; maps; chain; rc preempt; rc preempt; c; n; p; rc; p'

expect 1 "$faultline" explore genode_stack_slot/quickfix --depth insn --bound 1 --json "${runs[@]}"
quickfix=$(value '.findings[0].trace')
transcript quickfix "$quickfix" 'c interrupt; pi; where; pi; ni; ni; ni; threads; c fault; faults; ipc;
    c fault_reply; faults; c lock; c finding; slots; lanes; c'

expect 1 "$faultline" run codezero_shadow_fork/first_only --json "${runs[@]}"
codezero=$(value '.trace')
transcript codezero "$codezero" 'c area_show; chain; c ipc_send; ipc; c thread first; chain; maps;
    c fault; faults; where; c finding; chain; threads; c'

# ---- what if ----

expect 0 "$faultline" step genode_stack_slot/quickfix --json \
    --batch "c thread t1; rc mark_attach; c unlock; ni; ni; ni; t t1; save $dir/branch.json; c; q; n"
[ "$(jq -r .command "$dir/out" | tail -1)" = q ] || fail "q does not end a batch"
hash=$(jq -r 'select(.command == "c") | .event_hash' "$dir/out")
jq -e -s 'any(.command == "t t1" and .thread == "main" and .k == 3 and .point == "unlock")' \
    "$dir/out" >/dev/null || fail "the branch is elsewhere"
expect 1 "$faultline" run genode_stack_slot/quickfix --plan "$dir/branch.json" --json "${runs[@]}"
branch=$(value .trace)
[ "$(value .event_hash)" = "$hash" ] || fail "the saved branch ran otherwise"
expect 0 "$faultline" replay "$branch" --times 20 --json
[ "$(value .event_hash)" = "$hash" ] || fail "the saved branch was replayed otherwise"
expect 0 "$faultline" step "$branch" --batch 'c finding; c'
grep -q "event hash $hash" "$dir/out" || fail "the trace of the branch is stepped through otherwise"
expect 0 "$faultline" step genode_stack_slot/quickfix --plan "$dir/branch.json" --batch c
grep -q "event hash $hash" "$dir/out" || fail "the saved branch is stepped through otherwise"

# ---- input that is no terminal ----

printf 'c finding\nslots\n\nq\nn\n' >"$dir/in"
expect 0 "$faultline" step "$racy" <"$dir/in"
[ "$(grep -c 'and reserved' "$dir/out")" = 2 ] || fail "commands are not read from the input"
printf 'frobnicate\nn\n' >"$dir/in"
expect 2 "$faultline" step "$racy" <"$dir/in"
one_line "$dir/err"

# ---- what cannot be ----

for batch in 'n; frobnicate; n' 'g 100000' 'c nonsense' 't nobody' 'save'; do
    expect 2 "$faultline" step "$racy" --batch "$batch"
    one_line "$dir/err"
done
expect 2 "$faultline" step "$racy" --schedule 'main@1->t1'
one_line "$dir/err"
expect 2 "$faultline" step "$dir"
one_line "$dir/err"
expect 2 "$faultline" step genode_stack_slot/nothing
one_line "$dir/err"

# Another image, and a trace that is none of this plan's.
cp build/guest/armv7.elf "$dir/other.elf"
echo >>"$dir/other.elf"
expect 2 "$faultline" step "$racy" --guest "$dir/other.elf" --batch n
one_line "$dir/err"
grep -q 'not the image that was recorded' "$dir/err" || fail "another image goes through"
cp -r "$racy" "$dir/swapped"
cp "$branch/plan.json" "$dir/swapped/plan.json"
sed -i 's/"quickfix"/"racy"/' "$dir/swapped/plan.json"
expect 2 "$faultline" step "$dir/swapped" --batch n
one_line "$dir/err"
grep -q 'differs from the trace at event [0-9]*: ' "$dir/err" || fail "another run goes through"
cp -r "$racy" "$dir/cut"
truncate -s -100 "$dir/cut/ctf/events"
expect 2 "$faultline" step "$dir/cut" --batch n
one_line "$dir/err"
grep -q 'is not whole' "$dir/err" || fail "a damaged trace goes through"
exit 0
