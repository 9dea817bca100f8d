#!/bin/sh
# Makes guest images of a scenario that lies anywhere: build-guest.sh OUT SOURCE...
#
# Called by `faultline build-guest`, in the kit that `make` puts together and `make install` installs
# (guest.mk): kernel, core and library as objects, headers, flags. Writes OUT.ARCH.elf for each
# architecture whose compiler is here. Exit status 2: none, or something is wrong with the sources.
set -eu
kit=$(cd "$(dirname "$0")" && pwd)
out=$1
shift

say()
{
    echo "faultline build-guest: $1" >&2
}

die()
{
    say "$1"
    exit 2
}

for source; do
    [ -f "$source" ] || die "no file $source; \`faultline new-scenario NAME\` writes one to begin with"
done
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
trap 'exit 2' INT TERM

# compile ARCH SOURCE...: the program as one object without global symbols
compile()
{
    dir=$work/$1/program
    mkdir -p "$dir"
    arch=$1
    shift
    objects=
    for source; do
        object=$dir/$(printf '%s' "$objects" | wc -w).o
        # shellcheck disable=SC2086 # flags are words
        "$cc" $flags $user_flags -I"$kit/include" -I"$kit/$arch/include" \
            -fdebug-prefix-map="$PWD"=. -fdebug-prefix-map="$kit"=faultline -c -o "$object" "$source" ||
            die "$source does not compile for $arch"
        objects="$objects $object"
    done
    # shellcheck disable=SC2086
    "$cc" $flags $user_flags -Wl,-z,noexecstack -r -nostdlib -o "$dir/scenario.o" $objects \
        "$kit/$arch/lib.o" "$kit/$arch/crt0.o" "$kit/$arch/memory.o" "$kit/$arch/extra.a" $libgcc ||
        die "$* cannot be linked for $arch"
    "${prefix}nm" "$dir/scenario.o" | grep -q ' [RDB] program$' ||
        die "nothing in $* says \`const struct program program = {.main = {...}};\`"
    "${prefix}size" -A "$dir/scenario.o" | grep -q '^\.faultline\.scenarios  *[1-9]' ||
        die "nothing in $* describes the scenario: a \`static const struct fl_scenario\` in SCENARIO_TABLE"
    # shellcheck disable=SC2086
    "${prefix}objcopy" $objcopy_flags --wildcard --localize-symbol='*' "$dir/scenario.o"
    ln -s "$kit/$arch/kernel.o" "$kit/$arch/core.o" "$dir/"
}

# image ARCH SIZES FILE
image()
{
    sh "$kit/image.ld.sh" "$1" "$work/$1" "$2" scenario >"$work/$1/image.ld"
    dir=$work/$1/program
    # shellcheck disable=SC2086
    "$cc" $flags $kernel_flags $link_flags -T "$work/$1/image.ld" -o "$3" "$dir/kernel.o" "$dir/core.o" \
        "$dir/scenario.o" || die "the image for $1 cannot be linked"
}

# As many pages of each part on every architecture: see guest.mk.
archs=
for folder in "$kit"/*/flags.sh; do
    arch=$(basename "$(dirname "$folder")")
    rm -f "$out.$arch.elf"
    # shellcheck source=/dev/null
    . "$folder"
    if ! command -v "$cc" >/dev/null; then
        say "no image for $arch: $cc is not here; it is in Debian's package $package"
        continue
    fi
    compile "$arch" "$@"
    image "$arch" /dev/null "$work/$arch/sizes.elf"
    "${prefix}readelf" -SW "$work/$arch/sizes.elf" >>"$work/sections"
    archs="$archs $arch"
done
[ -n "$archs" ] || die "no compiler for any architecture; see the lines above"

sh "$kit/pages.sh" <"$work/sections" >"$work/pages"
for arch in $archs; do
    # shellcheck source=/dev/null
    . "$kit/$arch/flags.sh"
    image "$arch" "$work/pages" "$work/$arch.elf"
done
for arch in $archs; do
    cp "$work/$arch.elf" "$out.$arch.elf" || die "cannot write $out.$arch.elf"
done
