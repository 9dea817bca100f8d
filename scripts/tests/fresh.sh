#!/bin/bash
#@ limit=1800 alone full
# A clean clone on a bare base system, in a chroot: `make demo` installs what it needs by itself and
# ends well, in under 3 minutes beyond that. Then the commands of README.md, as they stand there.
[ "$(id -u)" = 0 ] || { echo "a chroot needs root" && exit 77; }
[ -n "${FRESH_MOUNTS-}" ] || FRESH_MOUNTS=own exec unshare --mount "$0" # end with this script
. "$(dirname "$0")/../lane.bash"
command -v debootstrap >/dev/null || skip "debootstrap is not installed"

# shellcheck disable=SC2016 # apt fills it in
mirror=$(apt-get indextargets --format '$(SITE)' 'Codename: bookworm' 'Created-By: Packages' | head -n 1)
[ -n "$mirror" ] || skip "apt has no bookworm mirror here"

root=$PWD/build/fresh
rm -rf --one-file-system "$root"
debootstrap --variant=minbase --include=make,git,ca-certificates bookworm "$root" "$mirror" ||
    fail "debootstrap"
cp /etc/resolv.conf "$root/etc/"
find /etc/apt/apt.conf.d -name '*proxy*' -exec cp {} "$root/etc/apt/apt.conf.d/" \;
mount -t proc proc "$root/proc"
mount --bind /dev "$root/dev"
mount -t tmpfs tmpfs "$root/dev/shm"
git clone -q . "$root/faultline" || fail "git clone"

inside()
{
    chroot "$root" env -i HOME=/tmp PATH=/usr/sbin:/usr/bin:/sbin:/bin \
        http_proxy="${http_proxy-}" https_proxy="${https_proxy-}" "$@"
}

from=$SECONDS
inside make -C /faultline demo | tee "$dir/transcript" || fail "make demo"
packages=$(sed -n 's/^setup: installed in \([0-9]*\) s$/\1/p' "$dir/transcript")
took=$((SECONDS - from - ${packages:-0}))
echo "packages: ${packages:-0} s, make demo beyond them: $took s"
[ "$took" -lt 180 ] || fail "longer than 3 minutes"

inside /faultline/scripts/setup build demo gdb || fail "the packages of gdb"
inside /faultline/scripts/tests/readme.sh || fail "the commands of README.md"
