#!/bin/bash
#@ limit=600 alone
# Guests of libvirt's: the same events as a child's; what virsh sees of them, with an embedded driver, a
# daemon of the system and one of the session; guests that outlive their monitor; what a killed monitor
# leaves; each thing that can be missing, in one line. The daemon is one of the lane's own, in a mount
# namespace of its own.
. "$(dirname "$0")/../lane.bash"

[ -x build/faultline-libvirt ] || skip "built without libvirt"
command -v virsh >/dev/null || skip "there is no virsh"

racy=genode_stack_slot/racy
schedule='core@12->t1'
kills=${KILLS:-20}

if [ -z "${LANE_DAEMON-}" ]; then
    export XDG_RUNTIME_DIR LANE_DAEMON=no
    XDG_RUNTIME_DIR=$(mktemp -d /dev/shm/virt.XXXXXX)
    trap 'rm -rf "$XDG_RUNTIME_DIR"' EXIT
    if [ "$(id -u)" = 0 ] && command -v libvirtd >/dev/null && unshare -m true 2>/dev/null; then
        LANE_DAEMON=yes unshare -m "$0"
    else
        echo "without a daemon: that takes root, libvirtd, and a mount namespace"
        "$0"
    fi
    exit
fi

# ---- a daemon of our own ----

daemon_begin()
{
    local part place
    mkdir -p "$dir"/d/{etc,run,lib,cache,log}
    cp -a /etc/libvirt/. "$dir/d/etc/" 2>/dev/null
    rm -f "$dir"/d/etc/qemu/networks/autostart/*
    printf '%s\n' 'security_driver = "none"' 'namespaces = []' 'cgroup_controllers = []' \
        'stdio_handler = "file"' >"$dir/d/etc/qemu.conf"
    printf '%s\n' 'unix_sock_rw_perms = "0700"' 'auth_unix_rw = "none"' >"$dir/d/etc/libvirtd.conf"
    mount --make-rprivate / || fail "no private mounts"
    for part in etc:/etc/libvirt run:/run/libvirt lib:/var/lib/libvirt cache:/var/cache/libvirt log:/var/log/libvirt; do
        place=${part#*:}
        mkdir -p "$place"
        mount --bind "$dir/d/${part%%:*}" "$place" || fail "cannot put $dir/d over $place"
    done
    libvirtd -d -p "$dir/d/pid" || fail "libvirtd does not start"
    trap daemon_end EXIT
}

daemon_end()
{
    local pid
    pid=$(cat "$dir/d/pid" 2>/dev/null) || return
    kill "$pid"
    for _ in {1..100}; do
        [ -d "/proc/$pid" ] && grep -q '^State:.*Z' "/proc/$pid/status" 2>/dev/null && break
        [ -d "/proc/$pid" ] || break
        sleep 0.1
    done
    rm -f "$dir/d/pid"
}

if [ "$LANE_DAEMON" = yes ]; then
    daemon_begin
fi

refused()
{
    local pattern=$1
    shift
    expect 2 "$@"
    one_line "$dir/err"
    grep -qE -e "$pattern" "$dir/err" ||
        fail "no '$pattern' in: $(cat "$dir/err")$(find "$XDG_RUNTIME_DIR" -maxdepth 3 -ls)"
    cat "$dir/err"
}

# virsh_of URI WORDS...: what it prints, without what the embedded driver logs.
virsh_of()
{
    timeout 60 virsh -q -c "$@" 2>>"$dir/virsh.err"
}

# ---- the same run, however QEMU is started ----

same_run()
{
    local how=$1 backend
    shift
    for backend in qemu qemu-x86_64; do
        expect 1 "$faultline" run "$racy" --schedule "$schedule" --backend "$backend" --json \
            --runs-dir "$dir/runs" "$@"
        echo "$backend, $how: $(value .event_hash)"
        if [ "$how" = exec ]; then
            value .event_hash >"$dir/hash.$backend"
        else
            [ "$(value .event_hash)" = "$(cat "$dir/hash.$backend")" ] || fail "other events: $backend, $how"
        fi
    done
}

same_run exec
same_run "an embedded driver" --spawn libvirt
[ "$LANE_DAEMON" = no ] || same_run qemu:///system --connect qemu:///system
[ "$LANE_DAEMON" = no ] || same_run qemu:///session --connect qemu:///session

# A search comes to the same end; it has accesses logged by the plugin, too.
for how in exec libvirt; do
    expect 0 "$faultline" explore genode_stack_slot/fixed --depth access --bound 1 --spawn $how --json \
        --runs-dir "$dir/runs"
    value '[.verdict, .runs, .distinct] | @tsv' >"$dir/search.$how"
    echo "explore, $how: $(cat "$dir/search.$how")"
done
cmp -s "$dir/search.exec" "$dir/search.libvirt" || fail "another search"

# What ends a guest is told in the same words.
for end in power_off kill; do
    "$faultline" list --json | jq -e --arg v $end '.[] | select(.id == "rig_misbehave").variants[] | select(.id == $v)' >/dev/null || continue
    for how in exec libvirt; do
        "$faultline" run rig_misbehave/$end --spawn $how --json --runs-dir "$dir/runs" >"$dir/out" 2>"$dir/err"
        value '[.verdict, .outcome, .reason, .event_hash] | @tsv' >"$dir/end.$how"
    done
    cat "$dir/end.libvirt"
    cmp -s "$dir/end.exec" "$dir/end.libvirt" || fail "ends differ: $(cat "$dir/end.exec")"
done

# ---- a guest that lasts ----

# lasts URI...: up, what virsh sees of it, ps, down.
lasts()
{
    local uri tty
    expect 0 "$faultline" up "$racy" --schedule "$schedule" --name lane-guest --json "$@"
    uri=$(value .uri)
    [ "$(value .event_hash)" = "$(cat "$dir/hash.qemu")" ] || fail "up: other events"
    virsh_of "$uri" list >"$dir/list"
    cat "$dir/list"
    grep -Eq 'lane-guest +paused' "$dir/list" || fail "virsh list does not show it: $uri"
    virsh_of "$uri" domstats --state --vcpu lane-guest | tee "$dir/stats"
    grep -q 'state.state=3' "$dir/stats" || fail "domstats"
    virsh_of "$uri" qemu-monitor-command lane-guest --hmp 'info registers' | head -n 3 | tee "$dir/registers"
    grep -q 'R00=' "$dir/registers" || fail "qemu-monitor-command"
    tty=$(virsh_of "$uri" ttyconsole lane-guest)
    [ -c "$tty" ] || fail "no console: $tty"
    timeout 10 script -qec "virsh -c '$uri' console lane-guest" /dev/null < <(sleep 2; printf '\035') >"$dir/console" 2>&1
    grep -q "Connected to domain 'lane-guest'" "$dir/console" || fail "console: $(cat "$dir/console")"
    refused 'there is a guest lane-guest already' "$faultline" up "$racy" --name lane-guest "$@"
    expect 0 "$faultline" ps --json
    holds '.[] | select(.name == "lane-guest") | .state == "paused" and .uri == "'"$uri"'" and .console == "'"$tty"'"'
    expect 0 "$faultline" run smoke/plain --runs-dir "$dir/runs" # sweeps what has no owner, and not this
    expect 0 "$faultline" ps
    cat "$dir/out"
    refused 'lane-guest' "$faultline" down lane-gust
    expect 0 "$faultline" down lane-guest
    expect 0 "$faultline" ps
    grep -q 'no guest is up' "$dir/out" || fail "still up: $(cat "$dir/out")"
    if [[ $uri == *embed* ]]; then # virsh would make the root anew
        [ -z "$(ls -A "$XDG_RUNTIME_DIR")" ] || fail "a directory is left"
    else
        virsh_of "$uri" list --all >"$dir/list"
        [ ! -s "$dir/list" ] || fail "a domain is left"
    fi
}

lasts
if [ "$LANE_DAEMON" = yes ]; then
    lasts --connect qemu:///system
fi

# From a trace, and by no other schedule than its own; --all ends all.
expect 1 "$faultline" explore "$racy" --depth ipc --bound 1 --json --runs-dir "$dir/runs"
trace=$(value '.findings[0].trace')
hash=$(value '.findings[0].event_hash')
expect 0 "$faultline" up "$trace" --json
[ "$(value .event_hash)" = "$hash" ] || fail "up TRACE: other events"
expect 0 "$faultline" up "$trace"
expect 0 "$faultline" ps --json
holds 'map(.name) == ["genode_stack_slot-racy", "genode_stack_slot-racy-2"] or
       map(.name) == ["genode_stack_slot-racy-2", "genode_stack_slot-racy"]'
expect 0 "$faultline" down --all
refused 'plan of its own' "$faultline" up "$trace" --schedule "$schedule"
refused 'end with it' "$faultline" up "$racy" --spawn exec

# ---- a stepped guest ----

# stepped HOW SEES WORDS...: while it stands at the finding, SEES is run.
stepped()
{
    local sees=$1 line='' in out pid
    shift
    coproc stepper { exec "$faultline" step "$trace" "$@" 2>&1; }
    in=${stepper[1]} out=${stepper[0]} pid=$!
    echo 'c finding' >&"$in"
    while IFS= read -r -t 60 -u "$out" line; do
        [[ $line == *violates* ]] && break
    done
    [[ $line == *violates* ]] || fail "the stepper does not come to the finding"
    $sees
    echo q >&"$in"
    wait "$pid" || fail "the stepper ended with $?"
}

seen_by_virsh()
{
    for _ in {1..100}; do
        virsh_of qemu:///system list >"$dir/list"
        grep -Eq 'faultline-[0-9]+-1 +paused' "$dir/list" && break
        sleep 0.1
    done
    virsh -c qemu:///system list | tee "$dir/list"
    grep -Eq 'faultline-[0-9]+-1 +paused' "$dir/list" || fail "virsh does not see the stepped guest"
}

held()
{
    expect 0 "$faultline" ps
    cat "$dir/out"
    grep -Eq 'faultline-[0-9]+-1 +held' "$dir/out" || fail "ps does not see the stepped guest"
    uri=$("$faultline" ps --json | jq -r '.[0].uri')
    virsh_of "$uri" list && fail "a second process has the root"
    refused 'another process holds the root' "$faultline" run "$racy" --connect "$uri" --runs-dir "$dir/runs"
}

stepped held
[ "$LANE_DAEMON" = no ] || stepped seen_by_virsh --connect qemu:///system

# ---- what is missing ----

refused 'exec or libvirt' "$faultline" run "$racy" --spawn fork
refused 'leave out one' "$faultline" run "$racy" --spawn exec --connect qemu:///system
refused 'back end kvm are not spawned' "$faultline" run "$racy" --spawn libvirt --backend kvm
refused 'only as children' "$faultline" gdb "$trace" --spawn libvirt
refused 'absolute' "$faultline" run "$racy" --connect 'qemu:///embed?root=here'
mkdir -p "$dir/empty"
refused 'qemu-system-arm is not installed' env PATH="$dir/empty" "$faultline" run "$racy" --spawn libvirt
refused 'libvirt-daemon-driver-qemu' env LIBVIRT_DRIVER_DIR="$dir/empty" "$faultline" run "$racy" --spawn libvirt
# Who would only rather have libvirt goes on without.
LIBVIRT_DRIVER_DIR="$dir/empty" expect 0 "$faultline" step "$racy" --batch 'c finding'
grep -q 'without libvirt' "$dir/err" || fail "nothing is said of it"
# Somebody who may not, if he can get at the program at all.
nobody=(setpriv --reuid 65534 --regid 65534 --clear-groups env -u XDG_RUNTIME_DIR HOME="$dir/empty")
if [ "$LANE_DAEMON" = yes ] && "${nobody[@]}" "$faultline" --version >/dev/null 2>&1; then
    refused 'no permission' "${nobody[@]}" "$faultline" run "$racy" --connect qemu:///system
fi
# With room for what the driver keeps, and not for a guest.
if [ "$LANE_DAEMON" = yes ]; then
    mkdir -p "$dir/small"
    mount -t tmpfs -o size=8m none "$dir/small"
    refused 'make room' env XDG_RUNTIME_DIR="$dir/small" "$faultline" run "$racy" --spawn libvirt
    umount "$dir/small"
fi

# ---- a killed monitor ----

domains()
{
    [ "$LANE_DAEMON" = no ] || virsh_of qemu:///system list --all --name | grep -c .
}
count()
{
    local files guests sockets
    files=$(find "$XDG_RUNTIME_DIR" | wc -l)
    guests=$(pgrep -fc "(qemu-system|faultline-libvirt).*$XDG_RUNTIME_DIR")
    sockets=$(grep -c "$XDG_RUNTIME_DIR" /proc/net/unix)
    echo "files $files, processes $guests, sockets $sockets, domains $(domains)"
}

seed=${SEED:-$RANDOM}
RANDOM=$seed
echo "SEED=$seed"
before=$(count)
seen=0
for ((i = 1; i <= kills; i++)); do
    words=(--spawn libvirt)
    [ "$LANE_DAEMON" = yes ] && [ $((i % 2)) = 0 ] && words=(--connect qemu:///system)
    "$faultline" explore genode_stack_slot/fixed --depth ipc --bound 9 --json \
        --runs-dir "$dir/runs" "${words[@]}" >"$dir/out" 2>"$dir/err" &
    monitor=$!
    ms=$((RANDOM % 1500))
    sleep "$((ms / 1000)).$(printf %03d $((ms % 1000)))"
    seen=$((seen + $(pgrep -fc "qemu-system.*$XDG_RUNTIME_DIR")))
    kill -KILL $monitor || fail "the search was over before the kill: $(cat "$dir/err")"
    wait $monitor 2>/dev/null
done
echo "$kills kills, $seen QEMUs seen; then: $(count)"
[ "$seen" -gt 0 ] || fail "no kill hit a running guest"
expect 0 "$faultline" run smoke/plain --json --runs-dir "$dir/runs"
after=$(count)
echo "before: $before; after the next start: $after"
[ "$before" = "$after" ] || { find "$XDG_RUNTIME_DIR"; pgrep -fa "$XDG_RUNTIME_DIR"; fail "something is left behind"; }

if [ "$LANE_DAEMON" = yes ]; then
    daemon_end
    refused 'libvirtd does not run' "$faultline" run "$racy" --connect qemu:///system
fi
