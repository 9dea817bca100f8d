#include "orders.h"

#include "happens.h"
#include "ready_queue.h"

struct orders {
    struct depend *depend;
    struct happens *happens;
    struct ready_queue *queue;
    GArray *events;        /* of struct fl_event: all of the run */
    GPtrArray *footprints; /* of its transitions */
    GArray *prefixes;      /* of uint64_t, as in the report */
    struct run_steps steps;
    bool named;
};

struct orders *orders_new(unsigned depth, const struct relation *relation, bool named)
{
    struct orders *orders = g_new0(struct orders, 1);
    orders->named = named;
    orders->depend = depend_new(depth);
    orders->happens = happens_new(relation);
    orders->queue = ready_queue_new();
    orders->events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    orders->footprints = g_ptr_array_new_with_free_func((GDestroyNotify)footprint_unref);
    orders->prefixes = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    return orders;
}

void orders_free(struct orders *orders)
{
    if (orders == NULL)
        return;
    depend_free(orders->depend);
    happens_free(orders->happens);
    ready_queue_free(orders->queue);
    g_array_free(orders->events, TRUE);
    g_ptr_array_free(orders->footprints, TRUE);
    g_array_free(orders->prefixes, TRUE);
    g_free(orders);
}

void orders_begin(struct orders *orders)
{
    g_array_set_size(orders->events, 0);
}

void orders_events(struct orders *orders, const struct fl_event *events, size_t n)
{
    g_array_append_vals(orders->events, events, (guint)n);
}

static struct footprint *footprint(void *depend, size_t i)
{
    return depend_footprint(depend, i);
}

static void fill_steps(struct orders *orders, const struct engine *engine, const struct access *log,
                       size_t n, struct run_report *report)
{
    depend_read(orders->depend, engine, (const struct fl_event *)(void *)orders->events->data,
                orders->events->len, log, n);
    orders->steps = (struct run_steps){.footprint = footprint, .context = orders->depend};
    orders->steps.transitions = depend_transitions(orders->depend, &orders->steps.n);
    report->steps = &orders->steps;
}

static void add_steps(struct orders *orders)
{
    happens_truncate(orders->happens, 0);
    g_ptr_array_set_size(orders->footprints, 0);
    for (size_t i = 0; i < orders->steps.n; i++) {
        g_ptr_array_add(orders->footprints, depend_footprint(orders->depend, i));
        happens_add(orders->happens, orders->steps.transitions[i].thread,
                    orders->footprints->pdata[i]);
    }
}

/* ---- beginnings ---- */

/* A walk along the run, from place to place. */
struct walk {
    uint32_t event; /* so many has the queue had */
    size_t step;    /* so many are before the place */
    uint64_t sum;   /* of what names them */
};

/* Goes on to the place, with which a transition ends. false: none does. */
static bool go_to(struct orders *orders, struct walk *walk, const struct place *place)
{
    const struct transition *transitions = orders->steps.transitions;
    while (walk->event <= place->event && walk->event < orders->events->len)
        ready_queue_event(orders->queue,
                          &g_array_index(orders->events, struct fl_event, walk->event++));
    while (walk->step < orders->steps.n &&
           (uint64_t)transitions[walk->step].first_event + transitions[walk->step].events <=
               place->event)
        walk->step++;
    const struct choice *end = &transitions[walk->step].end;
    return walk->step < orders->steps.n && end->thread == place->thread && end->n == place->n &&
           end->k == 0;
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* How many steps each thread made is part of what comes before, so (thread, n) follows from that;
 * what the default schedule goes by does not. */
static uint64_t name_place(const struct orders *orders, const struct walk *walk,
                           const struct place *place)
{
    const uint64_t steps = happens_fingerprint(orders->happens, (uint32_t)walk->step + 1);
    const uint64_t at = mixed(steps, (uint64_t)place->thread << 32 | place->n);
    const uint64_t name = mixed(at, ready_queue_hash(orders->queue));
    return name != 0 ? name : 1;
}

static void fill_prefixes(struct orders *orders, struct run_report *report)
{
    const uint64_t after = report->n_taken == 0 ? 0 : report->taken_at[report->n_taken - 1];
    struct walk walk = {.event = 0};
    ready_queue_begin(orders->queue);
    g_array_set_size(orders->prefixes, 0);
    g_array_set_size(orders->prefixes, (guint)report->n_places);
    for (size_t i = 0; i < report->n_places; i++)
        if (go_to(orders, &walk, &report->places[i]) && report->places[i].event >= after &&
            ready_queue_is_sure(orders->queue))
            g_array_index(orders->prefixes, uint64_t, i) =
                name_place(orders, &walk, &report->places[i]);
    report->prefixes = (const uint64_t *)(void *)orders->prefixes->data;
}

void orders_fill(struct orders *orders, const struct engine *engine, const struct access *log,
                 size_t n, struct run_report *report)
{
    fill_steps(orders, engine, log, n, report);
    if (!orders->named)
        return;
    add_steps(orders);
    report->order = happens_fingerprint(orders->happens, (uint32_t)orders->steps.n);
    fill_prefixes(orders, report);
}
