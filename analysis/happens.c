/* A step's predecessors are kept as a set of bits; those it depends on directly are found through
 * the objects that it touches: each has a list of who touched it, the latest first. */
#include "happens.h"

#include <string.h>
#include "table.h"

#define WORD_BITS 64u

struct use {
    touch touched;
    uint32_t step;
    uint32_t before; /* number of the use of the same object before this one, from 1; 0: none */
};

struct happens {
    const struct relation *relation;
    struct table last; /* object -> number of its latest use, from 1 */
    GArray *uses;      /* struct use */
    GPtrArray *sets;   /* of uint64_t[]: all predecessors of each step */
    GPtrArray *direct; /* of uint64_t[]: those it depends on */
    GArray *threads;   /* uint32_t: of each step */
    GPtrArray *footprints;
    GArray *first_use; /* uint32_t: of each step, in uses */
    GArray *hashes;    /* uint64_t: of each step and all before it, whatever their order was */
};

struct happens *happens_new(const struct relation *relation)
{
    struct happens *happens = g_new0(struct happens, 1);
    happens->relation = relation;
    table_init(&happens->last);
    happens->uses = g_array_new(FALSE, FALSE, sizeof(struct use));
    happens->sets = g_ptr_array_new_with_free_func(g_free);
    happens->direct = g_ptr_array_new_with_free_func(g_free);
    happens->threads = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    happens->footprints = g_ptr_array_new();
    happens->first_use = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    happens->hashes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    return happens;
}

void happens_free(struct happens *happens)
{
    if (happens == NULL)
        return;
    table_free(&happens->last);
    g_array_free(happens->uses, TRUE);
    g_ptr_array_free(happens->sets, TRUE);
    g_ptr_array_free(happens->direct, TRUE);
    g_array_free(happens->threads, TRUE);
    g_ptr_array_free(happens->footprints, TRUE);
    g_array_free(happens->first_use, TRUE);
    g_array_free(happens->hashes, TRUE);
    g_free(happens);
}

uint32_t happens_steps(const struct happens *happens)
{
    return happens->threads->len;
}

/* ---- sets of steps ---- */

static size_t words_for(uint32_t step)
{
    return step / WORD_BITS + 1;
}

static bool has(const uint64_t *set, uint32_t step)
{
    return set[step / WORD_BITS] >> step % WORD_BITS & 1;
}

static void put(uint64_t *set, uint32_t step)
{
    set[step / WORD_BITS] |= UINT64_C(1) << step % WORD_BITS;
}

/* `from` is of an earlier step, so it is no longer than `into`. */
static void join(uint64_t *into, const uint64_t *from, uint32_t step)
{
    for (size_t i = 0; i < words_for(step); i++)
        into[i] |= from[i];
}

bool happens_before(const struct happens *happens, uint32_t earlier, uint32_t later)
{
    return earlier < later && has(g_ptr_array_index(happens->sets, later), earlier);
}

/* ---- adding ---- */

static bool commute(const struct happens *happens, touch a, touch b)
{
    const enum object_kind kind = touch_kind(a);
    if (touch_writes(a) && touch_writes(b))
        return !happens->relation->depends[kind].write_write;
    return touch_writes(a) == touch_writes(b) || !happens->relation->depends[kind].read_write;
}

static bool orders_all(const struct happens *happens, touch touched)
{
    const enum object_kind kind = touch_kind(touched);
    return happens->relation->depends[kind].write_write &&
           happens->relation->depends[kind].read_write;
}

/* Once a write is met that orders what came before it, what came before needs no look. */
static void find_direct(const struct happens *happens, touch touched, uint64_t *direct)
{
    const uint32_t *number = table_find(&happens->last, touched >> 1);
    for (uint32_t at = number != NULL ? *number : 0; at != 0;) {
        const struct use *use = &g_array_index(happens->uses, struct use, at - 1);
        at = use->before;
        if (commute(happens, use->touched, touched))
            continue;
        put(direct, use->step);
        if (touch_writes(use->touched) && orders_all(happens, touched))
            return;
    }
}

static void note_use(struct happens *happens, touch touched, uint32_t step)
{
    uint32_t *number = table_put(&happens->last, touched >> 1);
    const struct use use = {.touched = touched, .step = step, .before = *number};
    g_array_append_val(happens->uses, use);
    *number = happens->uses->len;
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

/* Names the step by its thread and by all that comes before it, as a sum since that has no order.
 */
static uint64_t hash_step(const struct happens *happens, uint32_t thread, const uint64_t *set,
                          uint32_t step)
{
    uint64_t before = 0;
    for (uint32_t i = 0; i < step; i++)
        if (has(set, i))
            before += g_array_index(happens->hashes, uint64_t, i);
    return mixed(mixed(0x51ed270b7a3f9d1bu, thread), before);
}

void happens_add(struct happens *happens, uint32_t thread, const struct footprint *footprint)
{
    const uint32_t step = happens_steps(happens);
    uint64_t *direct = g_new0(uint64_t, words_for(step));
    uint64_t *set = g_new0(uint64_t, words_for(step));
    for (uint32_t i = 0; i < footprint->n; i++)
        find_direct(happens, footprint->touches[i], direct);
    for (uint32_t i = 0; i < step; i++) {
        if (!has(direct, i))
            continue;
        put(set, i);
        join(set, g_ptr_array_index(happens->sets, i), i);
    }
    const uint64_t hash = hash_step(happens, thread, set, step);
    g_array_append_val(happens->first_use, happens->uses->len);
    for (uint32_t i = 0; i < footprint->n; i++)
        note_use(happens, footprint->touches[i], step);
    g_ptr_array_add(happens->direct, direct);
    g_ptr_array_add(happens->sets, set);
    g_ptr_array_add(happens->footprints, (gpointer)footprint);
    g_array_append_val(happens->threads, thread);
    g_array_append_val(happens->hashes, hash);
}

void happens_truncate(struct happens *happens, uint32_t steps)
{
    if (steps >= happens_steps(happens))
        return;
    const uint32_t kept = g_array_index(happens->first_use, uint32_t, steps);
    for (uint32_t i = happens->uses->len; i-- > kept;) {
        const struct use *use = &g_array_index(happens->uses, struct use, i);
        *table_find(&happens->last, use->touched >> 1) = use->before;
    }
    g_array_set_size(happens->uses, kept);
    g_array_set_size(happens->threads, steps);
    g_array_set_size(happens->first_use, steps);
    g_array_set_size(happens->hashes, steps);
    g_ptr_array_set_size(happens->direct, (gint)steps);
    g_ptr_array_set_size(happens->sets, (gint)steps);
    g_ptr_array_set_size(happens->footprints, (gint)steps);
}

/* ---- races ---- */

/* Whether another step lies between the two in every equivalent run. */
static bool is_passed_on(const struct happens *happens, uint32_t earlier, uint32_t step)
{
    const uint64_t *direct = g_ptr_array_index(happens->direct, step);
    for (uint32_t i = earlier + 1; i < step; i++)
        if (has(direct, i) && happens_before(happens, earlier, i))
            return true;
    return false;
}

void happens_races(const struct happens *happens, uint32_t step, GArray *races)
{
    const uint64_t *direct = g_ptr_array_index(happens->direct, step);
    const uint32_t thread = g_array_index(happens->threads, uint32_t, step);
    for (uint32_t i = 0; i < step; i++) {
        if (!has(direct, i) || is_passed_on(happens, i, step))
            continue;
        if (!footprint_touches(g_ptr_array_index(happens->footprints, i), OBJECT_THREAD, thread))
            g_array_append_val(races, i);
    }
}

uint64_t happens_fingerprint(const struct happens *happens, uint32_t steps)
{
    uint64_t sum = 0;
    for (uint32_t i = 0; i < steps; i++)
        sum += g_array_index(happens->hashes, uint64_t, i);
    return sum;
}
