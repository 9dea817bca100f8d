#!/bin/bash
# docker/README.md, tried: Debian's docker engine, started here with directories of its own, a base image
# from debootstrap, the image built from what is committed; the demo, replays in and out, gdb from outside.
# Nothing of it stays: no engine, no mount, no image.
#
#   scripts/test-docker.sh [DIR]     DIR: where all of it lies meanwhile (default: build/docker)
#
# Needs root, the packages of group docker, and apt's own mirror. Exit status 77: something of that is missing.
set -u -o pipefail
cd "$(dirname "$0")/.." || exit 2
top=$PWD
work=${1:-$PWD/build/docker}
engine=

missing()
{
    echo "$1"
    exit 77
}

fail()
{
    echo "FAILED: $*"
    exit 1
}

[ "$(id -u)" = 0 ] || missing "docker's engine needs root"
for program in dockerd containerd runc docker debootstrap gdb-multiarch jq; do
    command -v "$program" >/dev/null || missing "no $program: scripts/setup check docker gdb installs it"
done
# shellcheck disable=SC2016 # apt fills it in
mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
[ -n "$mirror" ] || missing "apt has no bookworm mirror here"

# ---- the engine ----

clean_up()
{
    local pid mount
    if [ -n "$engine" ]; then
        pid=$(cat "$work/pid" 2>/dev/null)
        kill "${pid:-$engine}" 2>/dev/null # and it ends its containerd
        wait "$engine" 2>/dev/null
    fi
    awk -v below="$work/" 'index($2, below) == 1 { print $2 }' /proc/mounts | sort -r | while read -r mount; do
        umount "$mount"
    done
    rm -rf --one-file-system "$work"
}
rm -rf --one-file-system "$work"
mkdir -p "$work/home" || exit 2
trap clean_up EXIT
trap 'exit 1' INT TERM

export DOCKER_HOST=unix://$work/socket DOCKER_BUILDKIT=0 DOCKER_CONFIG=$work/home
dockerd --iptables=false --ip6tables=false --ip-forward=false --ip-masq=false --bridge=none \
    --storage-driver=overlay2 --data-root="$work/data" --exec-root="$work/exec" --host="$DOCKER_HOST" \
    --pidfile="$work/pid" >"$work/engine.log" 2>&1 &
engine=$!
for ((i = 0; i < 300; i++)); do
    docker info >/dev/null 2>&1 && break
    kill -0 "$engine" 2>/dev/null || fail "the engine does not start: $(tail -n 1 "$work/engine.log")"
    sleep 0.1 # it says nowhere that it is ready but by answering
done
docker info >/dev/null 2>&1 || fail "the engine does not answer"
echo "engine      $(docker version --format '{{.Server.Version}}')"

# ---- the images ----

debootstrap --variant=minbase --include=ca-certificates bookworm "$work/base" "$mirror" >"$work/debootstrap.log" ||
    fail "debootstrap: $(tail -n 1 "$work/debootstrap.log")"
rm -f "$work"/base/var/cache/apt/archives/*.deb
find /etc/apt/apt.conf.d -name '*proxy*' -exec cp {} "$work/base/etc/apt/apt.conf.d/" \;
tar -C "$work/base" -c . | docker import - debian:bookworm-slim >/dev/null || fail "docker import"
rm -rf "$work/base"

from=$SECONDS
git archive HEAD | docker build --network=host --build-arg http_proxy="${http_proxy-}" \
    --build-arg https_proxy="${https_proxy-}" -t faultline -f docker/Dockerfile - >"$work/build.log" 2>&1 ||
    {
        tail -n 20 "$work/build.log"
        fail "docker build"
    }
echo "built in    $((SECONDS - from)) s"
echo "image       $(docker image inspect --format '{{.Size}}' faultline | awk '{ printf "%.0f MB", $1 / 1e6 }')"
user=$(docker run --rm --network none --entrypoint id faultline)
echo "user inside $user"
[[ $user != uid=0* ]] || fail "root inside"

# ---- what it does ----

mkdir "$work/there"
cd "$work/there" || exit 2

from=$SECONDS
docker run --rm --network none faultline demo >"$work/demo" 2>&1 || {
    tail -n 30 "$work/demo"
    fail "demo"
}
sed -n '/^== Summary/,$p' "$work/demo"
echo "demo took   $((SECONDS - from)) s"
[ "$(grep -c '^ok ' "$work/demo")" = 5 ] || fail "the demo should have five steps that end well"

faultline=$top/build/faultline
equal() # HOW COMMAND...
{
    "${@:2}" >"$work/out" 2>&1 || {
        cat "$work/out"
        fail "$1"
    }
    echo "$1: $(cat "$work/out")"
}
"$top/docker/run.sh" explore genode_stack_slot/racy --bound 1 >"$work/out" 2>&1
[ $? = 1 ] || fail "nothing found inside: $(cat "$work/out")"
equal "recorded inside, replayed inside " "$top/docker/run.sh" replay traces/runs/genode_stack_slot-racy-0001 --times 100
equal "recorded inside, replayed outside" "$faultline" replay traces/runs/genode_stack_slot-racy-0001 --times 100
"$faultline" explore genode_stack_slot/quickfix --depth insn --bound 1 >"$work/out" 2>&1
[ $? = 1 ] || fail "nothing found outside: $(cat "$work/out")"
equal "recorded outside, replayed inside" "$top/docker/run.sh" replay traces/runs/genode_stack_slot-quickfix-0001 --times 100

# As somebody whom the image does not know, too.
plain=$("$top/docker/run.sh" run smoke/plain --json | jq -r .event_hash)
for who in 1000 4711; do
    began=$(date +%s%N)
    DOCKER_OPTIONS="--user $who" "$top/docker/run.sh" run smoke/plain --spawn libvirt --json >"$work/out" 2>"$work/err" ||
        fail "libvirt inside, as user $who: $(cat "$work/err")"
    [ "$(jq -r .event_hash "$work/out")" = "$plain" ] || fail "libvirt inside: another event hash"
    echo "libvirt inside, as user $who: $(jq -r .verdict "$work/out"), event hash $plain, $((($(date +%s%N) - began) / 1000000)) ms, container and all"
done

# kvm is there exactly when this machine has it; what it is good for is the doctor's to say.
"$top/docker/run.sh" --version 2>"$work/err" >"$work/out" || fail "--version"
[ -c /dev/kvm ] || grep -q 'no /dev/kvm' "$work/err" || fail "run.sh does not say that there is no /dev/kvm"
"$top/docker/run.sh" doctor >"$work/out" 2>&1
sed 's/^/doctor inside: /' "$work/out"

# ---- gdb from outside ----

# attach WHERE FIFO: what is outside asks of the guest inside, once the address was told.
attach()
{
    local line
    while IFS= read -r -t 120 line; do
        [[ $line == *"target remote $1"* ]] && break
    done <&"$2" || fail "gdb's address was not told"
    gdb-multiarch -nx -q -batch "$top/build/guest/armv7.elf" -x "$top/scripts/gdb/faultline.py" \
        -ex "target remote $1" -ex 'bt 1' -ex 'info threads' -ex 'fl slots' -ex reverse-stepi -ex stepi \
        -ex detach >"$work/gdb" 2>&1
    sed 's/^/gdb outside: /' "$work/gdb"
    grep -q 'Thread 2 "main" (running' "$work/gdb" || fail "no guest threads in gdb"
    grep -q 'slot 1 .*reserved' "$work/gdb" || fail "no slots in gdb"
}

trace=traces/runs/genode_stack_slot-racy-0001
coproc "$top/docker/run.sh" gdb "$trace" --serve --listen traces/runs/gdb.socket 2>&1
server=$COPROC_PID
attach traces/runs/gdb.socket "${COPROC[0]}"
docker kill --signal TERM "$(docker ps -q)" >/dev/null
wait "$server"
[ ! -e traces/runs/gdb.socket ] || fail "the socket is still there"

coproc "$top/docker/run.sh" step "$trace" 2>&1
server=$COPROC_PID
printf 'c finding\ngdb traces/runs/gdb.socket\n' >&"${COPROC[1]}"
attach traces/runs/gdb.socket "${COPROC[0]}"
printf 'q\n' >&"${COPROC[1]}"
wait "$server" || fail "step ends with $?"

echo "container processes left: $(docker ps -q | wc -l)"
[ -z "$(docker ps -aq)" ] || fail "containers are left"

# ---- without an engine, without an image: a line each ----

docker rmi -f faultline >/dev/null
"$top/docker/run.sh" demo 2>&1 | tee "$work/err"
grep -q 'git archive HEAD' "$work/err" || fail "run.sh does not say how the image is built"
DOCKER_HOST=unix://$work/nowhere "$top/docker/run.sh" demo 2>&1 | tee "$work/err"
grep -q 'no docker engine' "$work/err" || fail "run.sh does not say that no engine answers"
echo "docker: all as docker/README.md says"
