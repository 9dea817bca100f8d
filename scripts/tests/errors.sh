#!/bin/bash
#@ limit=300
# Wrong use and broken surroundings: each exactly one line on stderr that helps, exit status 2, nothing
# on stdout. What was found is never lost for want of a place to put it.
. "$(dirname "$0")/../lane.bash"

image=build/guest/armv7.elf
racy=genode_stack_slot/racy

# refused PATTERN COMMAND...: the line matches PATTERN.
refused()
{
    local pattern=$1
    shift
    expect 2 "$@"
    one_line "$dir/err"
    [ ! -s "$dir/out" ] || fail "something on stdout: $*"
    grep -qE -e "$pattern" "$dir/err" || fail "no '$pattern' in: $(cat "$dir/err")"
    echo "$(cat "$dir/err")   <- ${*#"$PWD/"}"
}

refused 'genode_stack_slot' "$faultline" explore genode_stack_slto/racy
refused 'racy' "$faultline" explore genode_stack_slot/racey
refused 'genode_stack_slot' "$faultline" run genode_stack_slot
refused 'explore' "$faultline" exlpore "$racy"
refused 'bound' "$faultline" explore "$racy" --bound -1
refused 'bound' "$faultline" explore "$racy" --bound 100000
refused 'bound' "$faultline" explore "$racy" --bound two
refused 'depth.*ipc' "$faultline" explore "$racy" --depth ipcs
refused 'strategy' "$faultline" explore "$racy" --strategy magic
refused 'auto|dfs' "$faultline" explore "$racy" --strategy dsf
refused 'jobs' "$faultline" explore "$racy" --jobs 0
refused 'time' "$faultline" explore "$racy" --time -1
refused 'insn or stop' "$faultline" explore "$racy" --or else
refused '--or insn' "$faultline" explore "$racy" --depth access --no-plugin
refused 'ipc and sync' "$faultline" explore "$racy" --depth insn --strategy pct
refused 'thread=' "$faultline" explore "$racy" --focus everywhere
refused 'LO-HI' "$faultline" explore "$racy" --focus addr=12
expect 2 "$faultline" explore "$racy" --focus addr=1-2
grep -q 'nothing is in focus' "$dir/err" || fail "a search of nothing is not refused"
refused 'none of that name' "$faultline" explore "$racy" --focus thread=nobody
refused 'creators' "$faultline" explore "$racy" --param creatrs=2
refused 'creators' "$faultline" explore "$racy" --param creators=99
refused 'creators' "$faultline" explore "$racy" --param creators=many
refused 'schedule|preemption|main' "$faultline" run "$racy" --schedule 'main@->t1'
refused 'nosuch' "$faultline" run "$racy" --schedule 'nosuch@1->t1'
refused 'times' "$faultline" replay "$dir" --times 0
refused 'nowhere' "$faultline" verify "$dir/nowhere"
refused 'nowhere' "$faultline" replay "$dir/nowhere"

refused 'nowhere' "$faultline" run "$racy" --guest "$dir/nowhere"
refused 'ELF' "$faultline" run "$racy" --guest README.md
head -c 5000 "$image" >"$dir/short.elf"
refused 'short.elf' "$faultline" run "$racy" --guest "$dir/short.elf"
refused 'guest' "$faultline" run "$racy" --guest "$faultline"

cp "$image" "$dir/other-abi.elf"
at=$(readelf -SW "$image" | sed -n 's/.* \.faultline\.image *[A-Z]* *[0-9a-f]* \([0-9a-f]*\) .*/\1/p')
printf '\x63' | dd of="$dir/other-abi.elf" bs=1 seek=$((16#$at + 4)) conv=notrunc status=none
refused 'version.*99|99.*version' "$faultline" run "$racy" --guest "$dir/other-abi.elf"

mkdir "$dir/empty"
refused 'qemu-system-arm' env PATH="$dir/empty" "$faultline" run smoke/plain --runs-dir "$dir/runs"

# Nowhere to write: the schedule is printed instead, ready to paste.
echo occupied >"$dir/file"
expect 1 "$faultline" explore "$racy" --bound 1 --runs-dir "$dir/file"
grep -q -- '--schedule' "$dir/out" "$dir/err" || fail "no schedule printed when the trace cannot be written"
schedule=$(grep -ohE -- "--schedule '[^']*'" "$dir/out" "$dir/err" | head -n 1 | cut -d"'" -f2)
expect 1 "$faultline" run "$racy" --schedule "$schedule" --runs-dir "$dir/runs" --json
echo "no directory: schedule $schedule finds it again"

# A kernel for nested KVM that is none.
head -c 1000 /dev/zero >"$dir/kernel.deb"
refused 'cannot be unpacked' scripts/nested "$dir/nested" "$dir/kernel.deb"
refused 'KERNEL_DEB=' env PATH="$dir" /bin/sh scripts/nested "$dir/nested"

# No room on the device; needs a mount of one's own.
if unshare -rm true 2>/dev/null; then
    mkdir "$dir/full"
    expect 1 unshare -rm bash -c "mount -t tmpfs -o size=8k none '$dir/full' &&
        '$faultline' explore $racy --bound 1 --runs-dir '$dir/full'"
    grep -q -- '--schedule' "$dir/out" "$dir/err" || fail "no schedule printed when the device is full"
    echo "no room: $(grep -h -i 'space\|room' "$dir/out" "$dir/err" | head -n 1)"
else
    echo "no room: not tried, no namespaces here"
fi

# A second monitor on one trace directory, which is locked itself (traces/rundir.c).
trace=$(echo "$dir"/runs/genode_stack_slot-racy-*/)
refused 'another|use|busy' flock "$trace" "$faultline" replay "$trace"
