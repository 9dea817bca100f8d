#!/bin/bash
#@ limit=300 alone
# Scenarios of one's own, with what `make install` put under a prefix and without the tree: made, built for
# each architecture, searched, replayed, explained, stepped; and what is wrong with one is said in so many
# words.
. "$(dirname "$0")/../lane.bash"

export HOME=$dir
prefix=$(mktemp -d)
trap 'rm -rf "$prefix"' EXIT
expect 0 make -s install PREFIX="$prefix"
if unshare -rm true 2>/dev/null; then
    hide="mount -t tmpfs none '$PWD' && "
fi
mkdir "$prefix/own"
faultline=$prefix/bin/faultline

# away COMMAND...: in a folder of its own, with the tree out of sight where namespaces can be had
away()
{
    if [ -n "${hide-}" ]; then
        unshare -rm bash -c "$hide"'cd "$0" && exec "$@"' "$prefix/own" "$@"
    else
        (cd "$prefix/own" && exec "$@")
    fi
}
away_expect()
{
    local want=$1
    shift
    expect "$want" away "$@"
}

# ---- as it should be ----

away_expect 0 "$faultline" new-scenario mine
away_expect 0 "$faultline" build-guest mine.c --json
holds '.scenario == "mine" and ([.images[].arch] | sort) == ["armv7", "x86_64"]'
sha256sum "$prefix"/own/mine.*.elf >"$dir/sums"
away_expect 0 "$faultline" build-guest mine.c
sha256sum -c --quiet "$dir/sums" || fail "the same source, another image"
away_expect 0 "$faultline" list --guest mine.x86_64.elf --json
holds '.[0].id == "mine" and (.[0].variants | length) == 2'

for arch in armv7 x86_64; do
    guest=(--guest "mine.$arch.elf")
    away_expect 1 "$faultline" explore mine/racy "${guest[@]}" --json
    holds '.findings[0].check == "outcome-as-declared" and .findings[0].preemptions == 1'
    trace=$(value '.findings[0].trace')
    away_expect 0 "$faultline" replay "$trace" --times 20 --json
    holds '.equal == 20'
    away_expect 1 "$faultline" verify "$trace"
    away_expect 1 "$faultline" explain "$trace"
    grep -q 'mine.c:' "$dir/out" || fail "no line of the scenario's source told"
    away_expect 0 "$faultline" step "$trace" --batch 'c finding; threads'
    away_expect 0 "$faultline" explore mine/fixed "${guest[@]}" --depth access --bound 2 --json
    holds '.verdict == "nothing-left"'
done
away_expect 0 "$faultline" run mine/fixed --guest mine.armv7.elf --json
hash=$(value .event_hash)
away_expect 0 "$faultline" run mine/fixed --guest mine.x86_64.elf --json
[ "$(value .event_hash)" = "$hash" ] || fail "other events on another architecture"

# ---- several files, and a specification ----

cat >"$prefix/own/other.c" <<'EOF'
#include "faultline.h"
extern volatile uint32_t counter;
void count(void);
void count(void)
{
    operation_begin(&counter, FL_OPERATION_COUNTER_ADD, 1);
    uint32_t sum = counter + 1;
    counter = sum;
    operation_end(&counter, FL_OPERATION_COUNTER_ADD, sum);
}
EOF
sed -e 's/counter = counter + 1/count()/' -e 's/^static volatile uint32_t counter/volatile uint32_t counter/' \
    -e 's/^static struct lock lock;/&\nvoid count(void);/' "$prefix/own/mine.c" >"$prefix/own/spec.c"
away_expect 0 "$faultline" build-guest spec.c other.c
away_expect 1 "$faultline" explore mine/racy --guest spec.armv7.elf --json
holds '.findings[0].check == "linearizable"'
away_expect 1 "$faultline" explain "$(value '.findings[0].trace')"
grep -q 'add of counter (1)' "$dir/out" || fail "the operation is not told"
grep -q 'add of counter: 1' "$dir/out" || fail "what it came to is not told"
away_expect 0 "$faultline" explore mine/fixed --guest spec.armv7.elf --depth access --bound 2

# ---- as it should not ----

# wrong NAME SED PATTERN: mine.c, edited so, is not built, for that reason, and leaves no image
wrong()
{
    sed "$2" "$prefix/own/mine.c" >"$prefix/own/$1.c"
    away_expect 2 "$faultline" build-guest "$1.c"
    grep -qE -e "$3" "$dir/err" || fail "no '$3' in: $(cat "$dir/err")"
    grep -E '^faultline' "$dir/err"
    [ ! -s "$dir/out" ] && [ -z "$(find "$prefix/own" -name "$1.*.elf")" ] || fail "$1: images of what is wrong"
}
wrong syntax 's/counter == 2/counter == == 2/' 'syntax.c:[0-9]+:[0-9]+: error:'
wrong syntax 's/counter == 2/counter == == 2/' '^faultline build-guest: syntax.c does not compile'
wrong threadless 's/\.n_domains = 1/.n_domains = 0/' 'it has no domain, so no thread'
wrong programless 's/^const struct program program/const struct program another/' 'says .const struct program'
wrong nameless 's/ SCENARIO_TABLE/ __attribute__((unused))/' 'describes the scenario'
wrong unresolved 's/counter = counter + 1/count()/; s/^static struct lock/void count(void);\n&/' 'linked'
away_expect 2 "$faultline" build-guest nowhere.c
one_line "$dir/err"
away_expect 2 "$faultline" new-scenario mine
one_line "$dir/err"
away_expect 2 "$faultline" new-scenario ../mine
one_line "$dir/err"

sed 's/^    add(NULL);/    for (;;) continue;/' "$prefix/own/mine.c" >"$prefix/own/endless.c"
away_expect 0 "$faultline" build-guest endless.c
for arch in armv7 x86_64; do
    away_expect 1 "$faultline" run mine/racy --guest endless.$arch.elf --json
    holds '.outcome == "hung"'
done
sed 's/{main_main}/{NULL}/; s/^static void main_main/__attribute__((unused)) &/' "$prefix/own/mine.c" >"$prefix/own/headless.c"
away_expect 0 "$faultline" build-guest headless.c
away_expect 1 "$faultline" run mine/racy --guest headless.armv7.elf
grep -q 'main is put on halt' "$dir/out" || fail "a main function that is not there"

# ---- compilers that are missing ----

mkdir "$prefix/tools"
for tool in sh bash mktemp rm cat dirname basename ln cp sed awk sort grep wc printf mkdir gcc as ld nm size objcopy readelf; do
    ln -s "$(PATH=/usr/local/bin:/usr/bin:/bin command -v "$tool")" "$prefix/tools/" # no wrapper of a compiler
done
if [ "$(uname -m)" = x86_64 ]; then
    away_expect 0 env PATH="$prefix/tools" "$faultline" build-guest mine.c --json
    holds '[.images[].arch] == ["x86_64"]'
    one_line "$dir/err"
    grep gcc-arm-none-eabi "$dir/err" || fail "the package is not named"
    rm "$prefix/tools/gcc"
    away_expect 2 env PATH="$prefix/tools" "$faultline" build-guest mine.c
    grep "Debian's package gcc$" "$dir/err" || fail "the package is not named"
fi
