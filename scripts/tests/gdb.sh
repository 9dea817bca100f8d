#!/bin/bash
#@ limit=240
# A real gdb on the minimised racy trace: parked on the IPC by which the first thread has its slot
# attached, from the kernel through the system call into the allocator; the slot is its own alone. On
# to where the second thread takes the same slot, and back; the run's end has the recorded hash. Watchpoints backwards, writes, a second gdb, wrong use.
. "$(dirname "$0")/../lane.bash"

for program in gdb-multiarch qemu-img; do
    command -v "$program" >/dev/null || skip "no $program: apt install gdb-multiarch qemu-utils"
done

scenario=guest/scenarios/genode_stack_slot.c

# in_gdb NAME COMMAND...: runs gdb on the trace with these commands, which leave $dir/NAME.out.
in_gdb()
{
    local name=$1
    shift
    printf '%s\n' 'set pagination off' 'set width 0' 'set confirm off' "$@" >"$dir/$name.gdb"
    expect 0 "$faultline" gdb "${at[@]}" "$trace" -- -nx -batch -x "$dir/$name.gdb"
    mv "$dir/out" "$dir/$name.out"
    mv "$dir/err" "$dir/$name.err"
}

# says NAME PATTERN...: each is a line of the output, one after the other.
says()
{
    local name=$1 from=1 found
    shift
    for pattern in "$@"; do
        found=$(tail -n "+$from" "$dir/$name.out" | grep -nE -m 1 -e "$pattern" | cut -d: -f1)
        [ -n "$found" ] && from=$((from + found)) && continue
        cat "$dir/$name.out"
        fail "$name: nothing more of '$pattern'"
    done
}

expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 --runs-dir "$dir/runs"
trace=$dir/runs/genode_stack_slot-racy-0001
hash=$(jq -r .event_hash "$trace/manifest.json")
expect 1 "$faultline" run genode_stack_slot/racy --plan "$trace/plan.json" --events --runs-dir "$dir/again"
reserve=$(awk '$4 == "mark_reserve" && /0x40100000/ { print $1, $3; exit }' "$dir/out")
first=${reserve#* }
cp "$dir/out" "$dir/again.events"
attach=$(awk -v from="${reserve% *}" -v first="$first" '$1 > from && $4 == "ipc_send" && $3 == first { print $1; exit }' "$dir/out")
at=(--at "$attach")
line=$(grep -n 'stack_attach' "$scenario" | head -n 1 | cut -d: -f1)

in_gdb attach 'bt' 'fl slots' "break $scenario:$line" 'continue' 'fl point' 'fl slots' \
    'reverse-continue' 'fl point' 'delete' 'fl hash' 'continue' 'fl hash'
says attach '(trace_space|do_ipc_call|ipc_send) ' ' in enter \(\) at guest/arch/armv7/vectors.S' \
    ' in stack_attach |^#.* stack_attach ' 'racy_alloc .*genode_stack_slot.c' 'thread_create ' \
    "slot 1 .*table free +held reserved +by $first for" 'hit Breakpoint' "slot 1 .*table free +held reserved +by $first for" \
    'and reserved +by ' "^Thread .* \"$first\" hit Breakpoint" "^ +$first: running" \
    'No more reverse-execution history' "event hash $hash"
[ "$(grep -c 'and reserved' "$dir/attach.out")" = 1 ] || fail "the slot is reserved twice at once only"

# The pager's switch away: backwards, the old value is the thread before.
in_gdb watch 'watch -l run.current' 'continue' 'continue' 'reverse-continue' 'reverse-continue'
says watch '^Old value = ' '^New value = ' '^Old value = ' '^New value = ' '^Old value = ' \
    '^New value = '
values=$(awk '/^(Old|New) value/ { print $5 }' "$dir/watch.out" | tr '\n' ' ')
read -r -a v <<<"$values"
[ "${#v[@]}" = 8 ] || fail "4 changes wanted, there are: $values"
[ "${v[1]} ${v[0]} ${v[3]} ${v[2]}" = "${v[6]} ${v[7]} ${v[4]} ${v[5]}" ] ||
    fail "backwards is not the reverse of forwards: $values"

# What the allocator's table in guest memory says, before the slot is published and after.
publish=$(awk -v first="$first" '$3 == first && $4 == "mark_publish" { print $1 }' "$dir/again.events" | tail -n 1)
in_gdb table 'fl slots' "fl goto $((publish - 1))" 'fl slots' "fl goto $publish" 'fl slots' 'python print(gdb.selected_thread().name)'
says table 'slot 0 .*table taken +held' 'slot 1 .*table free' 'slot 1 .*table free|slot 1 .*table taken' "slot 1 .*table taken +held published by $first" "^$first\$"

# Threads, and what the plan did
in_gdb threads 'info threads' 'thread apply all bt 1' 'fl why' 'fl goto 3' 'fl next-fault' 'fl back' \
    'p threads[0]' 'p threads[0].frame' 'monitor threads'
says threads "\"core\" \(.*, n [0-9]+" "\"$first\" \(" '^ahead|^behind|switch' 'fault_raise' 'core: '

# Writes: said on the console, in fl point, at the end; and undone.
in_gdb written 'fl hash' 'set var threads[1].wait_address = 77' 'p threads[1].wait_address' 'stepi' \
    'fl point' 'continue' 'reverse-stepi' "fl goto $attach" 'fl point' 'p threads[1].wait_address' 'fl hash'
says written 'has diverged' ' = 77' '^diverged' 'No more reverse-execution' 'will be undone' ' = 0'
grep -q '^faultline: this run has diverged: registers or memory' "$dir/written.err" ||
    fail "the server says nothing of the divergence"
grep -q 'how far a run that was changed can be followed' "$dir/written.err" || fail "nor of its end"
[ "$(grep 'event hash' "$dir/written.out" | sort -u | wc -l)" = 1 ] || fail "a write was not undone"
tail -n 1 "$dir/written.err" | grep -q '^faultline gdb: .* diverged' || fail "the end says nothing of the divergence"
grep -q 'diverged' "$dir/attach.err" && fail "breakpoints count as writes"

# A second gdb is refused, and the first does not notice.
mkfifo "$dir/serve"
"$faultline" gdb "$trace" --serve >"$dir/serve" 2>"$dir/serve.err" &
server=$!
trap 'kill "$server" 2>/dev/null' EXIT
address=
while read -r key value; do
    [ "$key" = address ] && address=$value && break
done <"$dir/serve"
[ -n "$address" ] || fail "--serve says nothing: $(cat "$dir/serve.err")"
expect 0 gdb-multiarch -nx -batch build/guest/armv7.elf -ex "target remote $address" \
    -ex "shell gdb-multiarch -nx -batch build/guest/armv7.elf -ex 'target remote $address'" -ex stepi \
    -ex 'monitor point'
cat "$dir/out" "$dir/err" >"$dir/second"
grep -q 'another debugger is attached' "$dir/second" || fail "not refused: $(cat "$dir/second")"
grep -q 'running, n ' "$dir/second" || fail "the first gdb is gone: $(cat "$dir/second")"
kill -TERM "$server"
wait "$server" || fail "--serve ends with status $?"
[ -e "$address" ] && fail "$address is left behind"

# Wrong use: one line.
expect 2 "$faultline" gdb "$trace" --serve --listen 0.0.0.0:0
one_line "$dir/err"
grep -q loopback "$dir/err" || fail "$(cat "$dir/err")"
expect 2 "$faultline" gdb "$trace" --at 100000
one_line "$dir/err"
expect 2 "$faultline" gdb "$dir"
one_line "$dir/err"
