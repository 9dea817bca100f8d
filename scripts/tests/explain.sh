#!/bin/bash
#@ limit=180
# What explains a finding: lanes of 80 columns with the lines of both sides, and the two accesses
# whose order decides: for racy and quickfix one side stores a thread's context, the other looks at
# it; for quickfix also the gap, from the unlock to the assignment. Without the image, the lanes alone.
# Data races: one, harmful, with all calls of both threads, as binutils have them; none where it is
# fixed.
. "$(dirname "$0")/../lane.bash"

runs=(--runs-dir "$dir/runs")

# fits: what the last expect printed is at most 80 columns wide.
fits()
{
    awk 'length > 80 { print; wide = 1 } END { exit wide }' "$dir/out" || fail "wider than 80 columns"
}

# explained FILTER VALUE: of explanation.json.
explained()
{
    local got
    got=$(jq -r "$1" "$trace/explanation.json")
    [ "$got" = "$2" ] || fail "$variant: $1 is $got, not $2"
}

# inside ADDRESS FUNCTION: by the symbol table, in which each program has its own.
inside()
{
    local at size name
    while read -r at size _ name; do
        [ "$name" = "$2" ] && (($1 >= 16#$at && $1 < 16#$at + 16#$size)) && return
    done < <(arm-none-eabi-nm -S build/guest/armv7.elf)
    fail "$variant: $1 is not inside $2"
}

line_of()
{
    awk -v text="$2" 'index($0, text) { print FNR; exit }' "$1"
}

# stack RACE SIDE BEGINNING: that side's calls, from the access to where the thread began.
stack()
{
    local filter=".races[$1].$2" pcs pc
    holds "$filter.stack_whole and ([$filter.stack[].pc] | unique | length >= 2)"
    holds "$filter.stack[-1].function == \"$3\""
    holds "$filter.stack[0].pc == $filter.pc"
    pcs=$(jq -r "[$filter.stack[].pc] | reduce .[] as \$pc ([]; if .[-1] == \$pc then . else . + [\$pc] end) | .[]" "$dir/out")
    for pc in $pcs; do # those of calls stand behind them
        arm-none-eabi-addr2line -f -i -e build/guest/armv7.elf \
            "$(printf '0x%x' $((pc == $(value "$filter.pc") ? pc : pc - 1)))"
    done | sed 's|^\(\./\)*||; s| (discriminator.*||' >"$dir/binutils"
    jq -r "$filter.stack[] | .function, \"\(.file):\(.line)\"" "$dir/out" >"$dir/stack"
    diff "$dir/binutils" "$dir/stack" || fail "$variant: race $1, $2: binutils have other calls"
}

store=$(line_of guest/lib/thread.c 'thread->context = context;')
look=$(line_of guest/scenarios/genode_stack_slot.c 'entry->thread.context != context')

for variant in racy quickfix; do
    expect 1 "$faultline" explore "genode_stack_slot/$variant" --depth insn --bound 1 --json "${runs[@]}"
    trace=$(value '.findings[0].trace')
    expect 1 "$faultline" explain "$trace"
    fits
    grep -q "thread.c:$store in" "$dir/out" || fail "$variant: nothing about thread.c:$store"
    grep -q "genode_stack_slot.c:$look" "$dir/out" || fail "$variant: nothing about line $look"
    grep -q 'genode_stack_slot.c:[0-9]*$' "$dir/out" || fail "$variant: no source line in the lanes"
    grep -q '^!! stack-slot-exclusive' "$dir/out" || fail "$variant: no violation marked"
    grep -q 'preempted' "$dir/out" || fail "$variant: no preemption marked"
    explained .by accesses
    explained .late.line "$store"
    explained .late.function thread_create
    explained .early.line "$look"
    explained .early.function is_in_use
    inside "$(jq .late.pc "$trace/explanation.json")" thread_create
    cp "$dir/out" "$dir/explained"
    cat "$dir/out"
    # The schedules that it names do what it says.
    expect 1 "$faultline" run "genode_stack_slot/$variant" "${runs[@]}" \
        --schedule "$(jq -r .failing "$trace/explanation.json")"
    expect 0 "$faultline" run "genode_stack_slot/$variant" "${runs[@]}" \
        --schedule "$(jq -r .passing "$trace/explanation.json")"

    expect 1 "$faultline" races "genode_stack_slot/$variant" --json
    holds '.harmful >= 1'
    holds "[.races[] | select(.effect == \"harmful\") | .first, .second | .frames[0].line]
        | contains([$store, $look])"
    stack 0 first program_start
    stack 0 second thread_begin
    expect 1 "$faultline" races "genode_stack_slot/$variant"
    fits
    grep -q "create_subthreads (guest/scenarios/genode_stack_slot.c" "$dir/out" ||
        fail "$variant: not told who creates threads"
done

# The quick fix's gap: from the unlock to the assignment, by source lines and by the symbol table.
unlock=$(line_of guest/scenarios/genode_stack_slot.c 'sys_unlock(&alloc_lock);')
explained .opens.what 'unlock alloc_lock'
explained .opens.line "$unlock"
explained .closes.line "$store"
inside "$(jq .opens.pc "$trace/explanation.json")" quickfix_alloc
inside "$(jq .closes.pc "$trace/explanation.json")" thread_create
grep -q "unlock alloc_lock .*genode_stack_slot.c:$unlock" "$dir/explained" ||
    fail "the unlock is not in the lanes"

# Another image than the recorded one.
cp build/guest/armv7.elf "$dir/other.elf"
echo >>"$dir/other.elf"
expect 1 "$faultline" explain "$trace" --guest "$dir/other.elf"
fits
grep -q 'No source lines' "$dir/out" || fail "another image's source lines were believed"
grep -q 'preempted' "$dir/out" || fail "no lanes without an image"

expect 0 "$faultline" races genode_stack_slot/fixed --json
holds '.races == []'
