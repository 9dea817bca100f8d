#!/bin/bash
#@ limit=400
# A real gdb on the minimised racy trace, on the KVM lane: parked on the IPC by which the first thread
# has its slot attached, on to where the second takes the same slot, back to the first; the run's end
# has the recorded hash. Steps back are the steps forth, states and memory.
. "$(dirname "$0")/../lane.bash"

command -v gdb-multiarch >/dev/null || skip "no gdb-multiarch: apt install gdb-multiarch"
expect 0 "$faultline" doctor --kvm-lane
lane_of_kvm=$(cat "$dir/out")
echo "lane: $lane_of_kvm"

scenario=guest/scenarios/genode_stack_slot.c
steps=40

expect 1 "$faultline" explore genode_stack_slot/racy --depth ipc --bound 1 --backend "$lane_of_kvm" \
    --runs-dir "$dir/runs"
trace=$dir/runs/genode_stack_slot-racy-0001
hash=$(jq -r .event_hash "$trace/manifest.json")
expect 1 "$faultline" run genode_stack_slot/racy --plan "$trace/plan.json" --events \
    --backend "$lane_of_kvm" --runs-dir "$dir/again"
reserve=$(awk '$4 == "mark_reserve" && /0x40100000/ { print $1, $3; exit }' "$dir/out")
first=${reserve#* }
attach=$(awk -v from="${reserve% *}" -v first="$first" \
    '$1 > from && $4 == "ipc_send" && $3 == first { print $1; exit }' "$dir/out")
line=$(grep -n 'stack_attach' "$scenario" | head -n 1 | cut -d: -f1)

cat >"$dir/session.gdb" <<EOF
set pagination off
set width 0
set confirm off
bt
fl slots
break $scenario:$line
continue
fl point
fl slots
reverse-continue
fl point
delete
watch -l run.current
continue
reverse-continue
delete
python
def state():
    return (gdb.execute("info registers", to_string=True),
            gdb.execute("monitor hash", to_string=True))
def go(verb):
    gdb.execute(verb, to_string=True)
    return state()
states = [state()] + [go("stepi") for i in range($steps)]
back = [go("reverse-stepi") for i in range($steps)]
print("steps: %u, distinct: %u, same: %s" %
      (len(back), len(set(states)), back == states[-2::-1]))
again = [go("stepi") for i in range($steps)]
print("again: %s" % (again == states[1:]))
end
continue
fl hash
reverse-stepi
stepi
EOF
expect 0 "$faultline" gdb --at "$attach" "$trace" --backend "$lane_of_kvm" -- -nx -batch \
    -x "$dir/session.gdb"
cp "$dir/out" "$dir/said"

# says PATTERN...: each is a line of the output, one after the other.
from=1
for pattern in ' in enter_saved| in enter |signal handler called' 'stack_attach' 'racy_alloc ' \
    'thread_create ' "slot 1 .*reserved +by $first for" 'hit Breakpoint' \
    "slot 1 .*reserved +by $first for" 'and reserved +by ' "\"$first\" hit Breakpoint" \
    "^ +$first: running" '^Old value = ' '^New value = ' '^Old value = ' '^New value = ' \
    "^steps: $steps, distinct: $((steps + 1)), same: True" '^again: True' \
    'No more reverse-execution history' "event hash $hash"; do
    found=$(tail -n "+$from" "$dir/said" | grep -nE -m 1 -e "$pattern" | cut -d: -f1)
    [ -n "$found" ] || { cat "$dir/said" "$dir/err"; fail "nothing more of '$pattern'"; }
    from=$((from + found))
done
values=$(awk '/^(Old|New) value/ { print $5 }' "$dir/said" | tr '\n' ' ')
read -r -a v <<<"$values"
[ "${v[0]} ${v[1]}" = "${v[3]} ${v[2]}" ] || fail "backwards is not the reverse of forwards: $values"
[ "$(grep -c 'and reserved' "$dir/said")" = 1 ] || fail "the slot is reserved twice at once only"
grep -q 'diverged' "$dir/err" && fail "breakpoints count as writes"
exit 0
