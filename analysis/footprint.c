#include "depend.h"

#define ALWAYS                                                                                     \
    {                                                                                              \
        true, true                                                                                 \
    }

const struct relation relation_true = {{
    [OBJECT_THREAD] = ALWAYS,
    [OBJECT_RECEIVER] = ALWAYS,
    [OBJECT_LIFE] = ALWAYS,
    [OBJECT_MEMORY] = ALWAYS,
    [OBJECT_FRAME] = ALWAYS,
    [OBJECT_PAGE] = ALWAYS,
    [OBJECT_LOCK] = ALWAYS,
    [OBJECT_SLOT] = ALWAYS,
    [OBJECT_OPERATIONS] = ALWAYS,
}};

static int compare(const void *a, const void *b)
{
    const touch x = *(const touch *)a, y = *(const touch *)b;
    return x < y ? -1 : x > y;
}

/* A read sorts right before the write of the same object, which says more. */
struct footprint *footprint_new(GArray *touches)
{
    uint32_t n = 0;
    touch *all = (touch *)(void *)touches->data;
    g_array_sort(touches, compare);
    for (guint i = 0; i < touches->len; i++) {
        const bool same = n > 0 && all[n - 1] >> 1 == all[i] >> 1;
        n -= same;
        all[n++] = all[i];
    }
    struct footprint *footprint =
        g_rc_box_alloc(sizeof(struct footprint) + n * sizeof(*footprint->touches));
    footprint->n = n;
    for (uint32_t i = 0; i < n; i++)
        footprint->touches[i] = all[i];
    return footprint;
}

struct footprint *footprint_ref(struct footprint *footprint)
{
    return g_rc_box_acquire(footprint);
}

void footprint_unref(struct footprint *footprint)
{
    g_rc_box_release(footprint);
}

/* NULL: it does not touch it. */
static const touch *find(const struct footprint *footprint, enum object_kind kind, uint64_t id)
{
    uint32_t low = 0, high = footprint->n;
    const touch wanted = touch_of(kind, id, false) >> 1;
    while (low < high) {
        const uint32_t middle = (low + high) / 2;
        if (footprint->touches[middle] >> 1 < wanted)
            low = middle + 1;
        else
            high = middle;
    }
    return low < footprint->n && footprint->touches[low] >> 1 == wanted ? &footprint->touches[low]
                                                                        : NULL;
}

bool footprint_touches(const struct footprint *footprint, enum object_kind kind, uint64_t id)
{
    return find(footprint, kind, id) != NULL;
}

bool footprint_writes(const struct footprint *footprint, enum object_kind kind, uint64_t id)
{
    const touch *touched = find(footprint, kind, id);
    return touched != NULL && touch_writes(*touched);
}

static bool conflict(const struct relation *relation, touch a, touch b)
{
    const enum object_kind kind = touch_kind(a);
    if (touch_writes(a) && touch_writes(b))
        return relation->depends[kind].write_write;
    return touch_writes(a) != touch_writes(b) && relation->depends[kind].read_write;
}

bool footprints_depend(const struct relation *relation, const struct footprint *a,
                       const struct footprint *b)
{
    for (uint32_t i = 0, j = 0; i < a->n && j < b->n;) {
        const uint64_t x = a->touches[i] >> 1, y = b->touches[j] >> 1;
        if (x == y && conflict(relation, a->touches[i], b->touches[j]))
            return true;
        i += x <= y;
        j += y <= x;
    }
    return false;
}
