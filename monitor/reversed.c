/* The same access of two runs is known by its thread, its program counter, its address, and how
 * many times that thread made it before. */
#include "reversed.h"

#include <string.h>

struct touch {
    uint32_t thread, pc, address, nth;
    uint32_t end; /* address of the first byte after it */
    bool store;
    uint64_t event; /* that ends its span */
    const struct access *access;
};

static bool same_place(const struct touch *a, const struct touch *b)
{
    return a->thread == b->thread && a->pc == b->pc && a->address == b->address;
}

static gboolean touch_equal(gconstpointer a, gconstpointer b)
{
    const struct touch *x = a, *y = b;
    return same_place(x, y) && x->nth == y->nth;
}

static guint touch_hash(gconstpointer touch)
{
    const struct touch *at = touch;
    return ((at->thread * 31u + at->pc) * 31u + at->address) * 31u + at->nth;
}

/* All accesses of a sample, each with its nth. */
static GArray *touches_of(struct engine *engine, const struct fl_scenario *scenario,
                          const struct sample *sample)
{
    GArray *touches =
        g_array_sized_new(FALSE, FALSE, sizeof(struct touch), (guint)sample->n_accesses);
    g_autoptr(GHashTable) counts = g_hash_table_new_full(touch_hash, touch_equal, g_free, NULL);
    size_t n_spans;
    engine_begin(engine, scenario, sample->plan->variant);
    engine_events(engine, sample->events, sample->n_events);
    engine_end(engine, FL_OUTCOME_NONE);
    const struct span *spans = engine_spans(engine, &n_spans);
    for (size_t i = 0; i < sample->n_accesses; i++) {
        const struct access *access = &sample->accesses[i];
        if (access->span >= n_spans)
            continue;
        struct touch touch = {
            .thread = spans[access->span].thread,
            .pc = access->pc,
            .address = access->address,
            .end = access->address + (1u << (access->place >> 24 & 0xfu)),
            .store = access->place >> 28 == ACCESS_STORE,
            .event = spans[access->span].event,
            .access = access,
        };
        const guint count = GPOINTER_TO_UINT(g_hash_table_lookup(counts, &touch));
        g_hash_table_insert(counts, g_memdup2(&touch, sizeof(touch)), GUINT_TO_POINTER(count + 1));
        touch.nth = count + 1;
        g_array_append_val(touches, touch);
    }
    return touches;
}

static const struct touch *touch_at(const GArray *touches, guint i)
{
    return &g_array_index(touches, struct touch, i);
}

/* touch -> its index, from 1 */
static GHashTable *index_of(const GArray *touches)
{
    GHashTable *index = g_hash_table_new(touch_hash, touch_equal);
    for (guint i = 0; i < touches->len; i++)
        g_hash_table_insert(index, (gpointer)touch_at(touches, i), GUINT_TO_POINTER(i + 1));
    return index;
}

static bool conflict(const struct touch *x, const struct touch *y)
{
    return x->thread != y->thread && (x->store || y->store) && x->address < y->end &&
           y->address < x->end;
}

/* The access nearest to the i-th one that is in conflict with it, and on its other side in the
 * other run; touches->len: none. */
static guint partner(const GArray *touches, GHashTable *other, guint i)
{
    const struct touch *own = touch_at(touches, i);
    const guint own_there = GPOINTER_TO_UINT(g_hash_table_lookup(other, own));
    guint nearest = touches->len;
    for (guint j = 0; own_there != 0 && j < touches->len; j++) {
        const struct touch *touch = touch_at(touches, j);
        if (!conflict(own, touch))
            continue;
        const guint there = GPOINTER_TO_UINT(g_hash_table_lookup(other, touch));
        if (there == 0 || (j < i) == (there < own_there))
            continue;
        if (nearest == touches->len || ABS((int)j - (int)i) < ABS((int)nearest - (int)i))
            nearest = j;
    }
    return nearest;
}

static struct reversed_access reversed_of(const struct touch *touch)
{
    return (struct reversed_access){.thread = touch->thread, .access = *touch->access};
}

bool reversed_find(struct engine *engine, const struct fl_scenario *scenario,
                   const struct sample *a, const struct sample *b, size_t before,
                   struct reversed_access *early, struct reversed_access *late)
{
    g_autoptr(GArray) ours = touches_of(engine, scenario, a);
    g_autoptr(GArray) theirs = touches_of(engine, scenario, b);
    g_autoptr(GHashTable) other = index_of(theirs);
    const uint32_t thread = a->events[before].thread;
    for (guint i = ours->len; i-- > 0;) {
        const struct touch *own = touch_at(ours, i);
        if (own->thread != thread || own->event > before)
            continue;
        const guint j = partner(ours, other, i);
        if (j == ours->len)
            continue;
        *early = reversed_of(touch_at(ours, MIN(i, j)));
        *late = reversed_of(touch_at(ours, MAX(i, j)));
        return true;
    }
    return false;
}
