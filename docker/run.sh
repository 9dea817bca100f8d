#!/bin/sh
# Runs faultline in a container: docker/run.sh COMMAND LINE, or docker/run.sh demo.
#
# Traces go to traces/runs of the current directory, as they do without a container, and belong to who
# called. IMAGE: another name than faultline. NETWORK: none unless it says otherwise (host: for gdb at a port of
# loopback). DOCKER_OPTIONS: more of docker run's, as words.
set -eu
image=${IMAGE:-faultline}

die()
{
    echo "run.sh: $1" >&2
    exit 2
}

command -v docker >/dev/null || die "no docker here; on Debian: apt install docker.io"
docker info >/dev/null 2>&1 ||
    die "no docker engine answers (is it running, and may you use its socket?): $(docker info 2>&1 | tail -n 1)"
docker image inspect "$image" >/dev/null 2>&1 ||
    die "no image '$image'; build it in the tree with: git archive HEAD | docker build -t $image -f docker/Dockerfile -"

mkdir -p traces/runs || die "traces/runs cannot be made here"
# Root stays outside. What the image's own user is to write to must be open to it.
if [ "$(id -u)" = 0 ]; then
    user=
    [ "$(stat -c %u traces/runs)" = 1000 ] || [ -k traces/runs ] || chmod 1777 traces/runs
else
    user="--user $(id -u):$(id -g)"
fi

kvm=
if [ -c /dev/kvm ]; then
    kvm="--device /dev/kvm --group-add $(stat -c %g /dev/kvm)"
else
    echo "run.sh: no /dev/kvm here: the back end kvm cannot be used, the others can" >&2
fi
terminal=
[ ! -t 0 ] || [ ! -t 1 ] || terminal=--tty

# shellcheck disable=SC2086 # options are words
exec docker run --rm --interactive $terminal --shm-size 1g --network "${NETWORK:-none}" $user $kvm \
    --volume "$PWD/traces/runs:/faultline/traces/runs" ${DOCKER_OPTIONS-} "$image" "$@"
