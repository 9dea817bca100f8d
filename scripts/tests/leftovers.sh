#!/bin/bash
#@ limit=180 alone
# Kills the monitor at 20 random moments. No QEMU outlives it, and the next monitor leaves no RAM file, socket
# or lock behind.
. "$(dirname "$0")/../lane.bash"

export XDG_RUNTIME_DIR
XDG_RUNTIME_DIR=$(mktemp -d /dev/shm/leftovers.XXXXXX)
trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT

guests()
{
    pgrep -fc "qemu-system.*$XDG_RUNTIME_DIR"
}
files()
{
    find "$XDG_RUNTIME_DIR" ! -type d
}
sockets()
{
    grep -c "$XDG_RUNTIME_DIR" /proc/net/unix
}

seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "SEED=$seed"
seen=0
for i in {1..20}; do
    "$faultline" explore genode_stack_slot/fixed --depth ipc --bound 9 --json \
        --runs-dir "$dir/runs" >"$dir/out" 2>"$dir/err" &
    monitor=$!
    sleep "0.$(printf %03d $((RANDOM % 600)))"
    now=$(guests)
    seen=$((seen + now))
    kill -KILL $monitor || fail "the search was over before the kill: $(cat "$dir/err")"
    wait $monitor 2>/dev/null
    for try in {1..1500}; do
        [ "$(guests)" = 0 ] && break
        [ "$try" -lt 1500 ] || fail "kill $i: a QEMU still runs 30 s later: $(pgrep -fa "qemu-system.*$XDG_RUNTIME_DIR")"
        sleep 0.02
    done
    echo "kill $i: $now QEMU before, 0 after, $(files | wc -l) files to sweep"
done
[ "$seen" -gt 0 ] || fail "no kill hit a running guest"

expect 0 "$faultline" run smoke/plain --json --runs-dir "$dir/runs"
files >"$dir/left"
cat "$dir/left"
[ ! -s "$dir/left" ] || fail "files are left behind after the next start"
[ "$(sockets)" = 0 ] || fail "sockets are left behind"
[ "$(guests)" = 0 ] || fail "a QEMU is left behind"
