#include "gives_up.h"

#include <stdlib.h>
#include "ready_queue.h"

struct gives_up {
    struct ready_queue *queue;
    GHashTable *entries; /* path -> n of its last entry */
    GArray *found;       /* struct place: its `ready` counts in `others` */
    GArray *others;      /* uint32_t: paths */
    uint64_t events;     /* so many of the run by now */
    uint64_t named;      /* the event by which the plan names who comes next, from 1; 0: none */
    bool hidden;

    GArray *places, *ready, *states; /* as in the report */
};

struct gives_up *gives_up_new(void)
{
    struct gives_up *gives_up = g_new0(struct gives_up, 1);
    gives_up->queue = ready_queue_new();
    gives_up->entries = g_hash_table_new(NULL, NULL);
    gives_up->found = g_array_new(FALSE, FALSE, sizeof(struct place));
    gives_up->others = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    gives_up->places = g_array_new(FALSE, FALSE, sizeof(struct place));
    gives_up->ready = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    gives_up->states = g_array_new(FALSE, TRUE, sizeof(struct state_hash));
    return gives_up;
}

void gives_up_free(struct gives_up *gives_up)
{
    if (gives_up == NULL)
        return;
    ready_queue_free(gives_up->queue);
    g_hash_table_unref(gives_up->entries);
    g_array_free(gives_up->found, TRUE);
    g_array_free(gives_up->others, TRUE);
    g_array_free(gives_up->places, TRUE);
    g_array_free(gives_up->ready, TRUE);
    g_array_free(gives_up->states, TRUE);
    g_free(gives_up);
}

void gives_up_begin(struct gives_up *gives_up)
{
    ready_queue_begin(gives_up->queue);
    g_hash_table_remove_all(gives_up->entries);
    g_array_set_size(gives_up->found, 0);
    g_array_set_size(gives_up->others, 0);
    gives_up->events = gives_up->named = 0;
    gives_up->hidden = false;
}

/* ---- one after the other ---- */

static int compare_paths(const void *a, const void *b)
{
    const uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;
    return x < y ? -1 : x > y;
}

/* Who could run, but the queue's head; and `self`, unless that is the kernel. By ascending path. */
static void add_others(struct gives_up *gives_up, struct place *place, uint32_t self)
{
    size_t n;
    const uint32_t *queue = ready_queue_threads(gives_up->queue, &n);
    place->ready = gives_up->others->len;
    if (n > 1)
        g_array_append_vals(gives_up->others, queue + 1, (guint)n - 1);
    if (n > 0 && self != FL_PATH_KERNEL)
        g_array_append_val(gives_up->others, self);
    place->n_ready = (uint16_t)(gives_up->others->len - place->ready);
    place->goes_on = n > 0 ? queue[0] : FL_PATH_KERNEL;
    if (place->n_ready > 0)
        qsort(&g_array_index(gives_up->others, uint32_t, place->ready), place->n_ready,
              sizeof(uint32_t), compare_paths);
}

static bool is_found(const struct gives_up *gives_up, const struct place *place)
{
    for (guint i = 0; i < gives_up->found->len; i++) {
        const struct place *other = &g_array_index(gives_up->found, struct place, i);
        if (other->thread == place->thread && other->n == place->n)
            return true;
    }
    return false;
}

/* `event` comes before that by which the plan names somebody, if it does. */
static void find(struct gives_up *gives_up, uint32_t thread, uint32_t self, uint64_t event)
{
    gpointer n = g_hash_table_lookup(gives_up->entries, GUINT_TO_POINTER(thread));
    struct place place = {.thread = thread,
                          .n = GPOINTER_TO_UINT(n),
                          .k = FL_K_GIVES_UP,
                          .point = FL_POINT_NONE,
                          .event = event};
    add_others(gives_up, &place, self);
    if (place.n_ready == 0)
        return;
    gives_up->hidden |= is_found(gives_up, &place);
    g_array_append_val(gives_up->found, place);
}

static void take(struct gives_up *gives_up, const struct fl_event *event)
{
    const uint64_t i = gives_up->events++;
    switch (fl_event_id(event)) {
    case FL_EVENT_ENTRY:
        g_hash_table_insert(gives_up->entries, GUINT_TO_POINTER(event->thread),
                            GUINT_TO_POINTER(event->aux));
        break;
    case FL_EVENT_PREEMPT:
        gives_up->named = event->aux == FL_K_GIVES_UP ? i : 0;
        return;
    case FL_EVENT_YIELD:
        find(gives_up, event->thread, event->thread, i);
        break;
    case FL_EVENT_SWITCH:
        if (event->arg == FL_SWITCH_BLOCK || event->arg == FL_SWITCH_EXIT)
            find(gives_up, (uint32_t)event->addr, FL_PATH_KERNEL,
                 gives_up->named > 0 ? gives_up->named - 1 : i);
        break;
    default:
        break;
    }
    gives_up->named = 0;
}

void gives_up_events(struct gives_up *gives_up, const struct fl_event *events, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const struct fl_event event = events[i];
        take(gives_up, &event);
        ready_queue_event(gives_up->queue, &event);
    }
}

/* ---- all of them ---- */

static void put(struct gives_up *gives_up, struct place place, const uint32_t *ready,
                const struct state_hash *state)
{
    const struct state_hash untold = {0, 0};
    const guint first = gives_up->ready->len;
    g_array_append_vals(gives_up->ready, ready + place.ready, place.n_ready);
    place.ready = first;
    g_array_append_val(gives_up->places, place);
    g_array_append_vals(gives_up->states, state != NULL ? state : &untold, 1);
}

void gives_up_fill(struct gives_up *gives_up, struct run_report *report)
{
    const uint32_t *others = (const uint32_t *)(void *)gives_up->others->data;
    guint at = 0;
    g_array_set_size(gives_up->places, 0);
    g_array_set_size(gives_up->ready, 0);
    g_array_set_size(gives_up->states, 0);
    for (size_t i = 0; i <= report->n_places; i++) {
        const uint64_t until = i < report->n_places ? report->places[i].event : UINT64_MAX;
        for (; at < gives_up->found->len; at++) {
            const struct place *found = &g_array_index(gives_up->found, struct place, at);
            if (found->event >= until)
                break;
            put(gives_up, *found, others, NULL);
        }
        if (i < report->n_places)
            put(gives_up, report->places[i], report->ready,
                report->states != NULL ? &report->states[i] : NULL);
    }
    report->places = (const struct place *)(void *)gives_up->places->data;
    report->n_places = gives_up->places->len;
    report->ready = (const uint32_t *)(void *)gives_up->ready->data;
    if (report->states != NULL)
        report->states = (const struct state_hash *)(void *)gives_up->states->data;
    report->hidden = gives_up->hidden || !ready_queue_is_sure(gives_up->queue);
}
