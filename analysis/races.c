#include "races.h"

#include <string.h>
#include "order.h"
#include "table.h"

#define GRANULE_SHIFT 2u
#define NONE          UINT32_MAX

/* An instruction's last access to a granule, by one thread. */
struct trail {
    uint32_t thread; /* index in the order */
    uint32_t pc;
    uint32_t clock; /* of the thread, then */
    uint32_t n, k;
    uint32_t next; /* of the same granule, or NONE */
    bool store;
};

struct races {
    GArray *list;      /* struct race */
    GHashTable *known; /* (pc, pc) -> index in list, from 1 */
    struct order *order;

    /* of the run being learned from */
    struct table granule_of; /* (life, granule) -> index of its first trail, from 1 */
    GArray *trails;
};

struct races *races_new(void)
{
    struct races *races = g_new0(struct races, 1);
    races->list = g_array_new(FALSE, FALSE, sizeof(struct race));
    races->known = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    races->order = order_new();
    races->trails = g_array_new(FALSE, FALSE, sizeof(struct trail));
    table_init(&races->granule_of);
    return races;
}

void races_free(struct races *races)
{
    if (races == NULL)
        return;
    g_array_free(races->list, TRUE);
    g_hash_table_destroy(races->known);
    order_free(races->order);
    g_array_free(races->trails, TRUE);
    table_free(&races->granule_of);
    g_free(races);
}

const GArray *races_list(const struct races *races)
{
    return races->list;
}

static struct race_side side_of(const struct races *races, const struct trail *trail)
{
    return (struct race_side){.thread = order_path(races->order, trail->thread),
                              .pc = trail->pc,
                              .n = trail->n,
                              .k = trail->k,
                              .store = trail->store};
}

static void report(struct races *races, const struct trail *first, const struct trail *second,
                   uint32_t address)
{
    const gint64 key = (gint64)MIN(first->pc, second->pc) << 32 | MAX(first->pc, second->pc);
    const guint index = GPOINTER_TO_UINT(g_hash_table_lookup(races->known, &key));
    if (index > 0) {
        g_array_index(races->list, struct race, index - 1).times++;
        return;
    }
    const struct race race = {.first = side_of(races, first),
                              .second = side_of(races, second),
                              .address = address,
                              .times = 1};
    g_array_append_val(races->list, race);
    g_hash_table_insert(races->known, g_memdup2(&key, sizeof(key)),
                        GUINT_TO_POINTER(races->list->len));
}

/* Holds the access against all others of its granule, and leaves its own trail there. */
static void touch(struct races *races, uint64_t granule, const struct trail *access,
                  uint32_t address)
{
    uint32_t *head = table_put(&races->granule_of, granule);
    struct trail *own = NULL;
    for (uint32_t at = *head == 0 ? NONE : *head - 1; at != NONE;) {
        struct trail *trail = &g_array_index(races->trails, struct trail, at);
        if (trail->thread == access->thread && trail->pc == access->pc &&
            trail->store == access->store)
            own = trail;
        if (trail->thread != access->thread && (trail->store || access->store) &&
            !order_before(races->order, trail->thread, trail->clock, access->thread))
            report(races, trail, access, address);
        at = trail->next;
    }
    struct trail trail = *access;
    trail.next = own != NULL ? own->next : *head == 0 ? NONE : *head - 1;
    if (own != NULL) {
        *own = trail;
        return;
    }
    g_array_append_val(races->trails, trail);
    *head = races->trails->len;
}

static void take_access(struct races *races, const struct span *span, const struct access *access,
                        uint64_t life)
{
    const uint32_t thread = order_thread(races->order, span->thread);
    const struct trail trail = {
        .thread = thread,
        .pc = access->pc,
        .clock = order_clock(races->order, thread),
        .n = span->n,
        .k = span->k + (access->place & 0xffffffu) - 1,
        .store = access->place >> 28 == ACCESS_STORE,
    };
    const uint32_t size = 1u << (access->place >> 24 & 0xfu);
    const uint32_t last = (access->address + size - 1) >> GRANULE_SHIFT;
    for (uint32_t granule = access->address >> GRANULE_SHIFT; granule <= last; granule++)
        touch(races, life << 32 | granule, &trail, access->address);
}

/* Which life of its frame an access of a span belongs to: accesses before it was mapped anew are to
 * other memory. */
static uint64_t life_at(const struct frame_life *lives, size_t n_lives, const struct access *access)
{
    uint64_t life = 0;
    for (size_t i = 0; i < n_lives && lives[i].span <= access->span; i++)
        if (lives[i].frame == access->address >> FL_PAGE_SHIFT)
            life = i + 1;
    return life;
}

static bool ends_span(const struct fl_event *event)
{
    const uint16_t id = fl_event_id(event);
    return id == FL_EVENT_ENTRY || id == FL_EVENT_INTERRUPT;
}

/* What a thread did in a span comes before the entry or interruption that ended it. */
void races_learn(struct races *races, const struct engine *engine, const struct fl_event *events,
                 size_t n_events, const struct access *log, size_t n)
{
    size_t n_spans, n_lives, at = 0;
    const struct span *spans = engine_spans(engine, &n_spans);
    const struct frame_life *lives = engine_frame_lives(engine, &n_lives);
    uint32_t span = 0;
    order_begin(races->order);
    table_clear(&races->granule_of);
    g_array_set_size(races->trails, 0);
    for (size_t i = 0; i < n_events; i++) {
        for (; ends_span(&events[i]) && at < n && log[at].span == span; at++)
            if (span < n_spans)
                take_access(races, &spans[span], &log[at], life_at(lives, n_lives, &log[at]));
        span += ends_span(&events[i]);
        order_event(races->order, &events[i]);
    }
}
