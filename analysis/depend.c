/* A run is cut into transitions by its events alone. Footprints are made of those that somebody
 * asks for: most of a search's runs begin as another did.
 *
 * A span of user mode is told by the event that ends it, so it belongs to the transition that this
 * event ends or lies in. The accesses of the kernel itself (message pages, lock words) have no
 * record; the objects that events name stand for them. */
#include "depend_parts.h"

#include <string.h>
#include "trace.h"

struct depend *depend_new(unsigned depth)
{
    struct depend *depend = g_new0(struct depend, 1);
    depend->depth = depth;
    depend->transitions = g_array_new(FALSE, FALSE, sizeof(struct transition));
    depend->touches = g_array_new(FALSE, FALSE, sizeof(touch));
    depend->threads = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    depend->takers = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    return depend;
}

void depend_free(struct depend *depend)
{
    if (depend == NULL)
        return;
    g_array_free(depend->transitions, TRUE);
    g_array_free(depend->touches, TRUE);
    g_array_free(depend->threads, TRUE);
    g_array_free(depend->takers, TRUE);
    g_free(depend);
}

/* ---- transitions ---- */

/* The run is cut before the event `next`, with which `thread` goes on. */
struct cut {
    struct choice at;
    uint32_t next;
    uint32_t thread;
};

static bool gives_up(const struct fl_event *event)
{
    return fl_event_id(event) == FL_EVENT_SWITCH &&
           (event->arg == FL_SWITCH_BLOCK || event->arg == FL_SWITCH_EXIT);
}

/* Number of the last entry of the thread before the event. */
static uint32_t entry_before(const struct fl_event *events, size_t i, uint32_t thread)
{
    while (i-- > 0)
        if (fl_event_id(&events[i]) == FL_EVENT_ENTRY && events[i].thread == thread)
            return events[i].aux;
    return 0;
}

/* A thread that yields may be the one to go on: then nothing is switched. */
static uint32_t after_yield(const struct fl_event *events, size_t i, size_t n)
{
    const uint32_t thread = events[i].thread;
    i += 1 + (i + 1 < n && fl_event_id(&events[i + 1]) == FL_EVENT_PREEMPT);
    return i < n && fl_event_id(&events[i]) == FL_EVENT_SWITCH ? events[i].thread : thread;
}

static bool cuts(const struct depend *depend, const struct fl_event *events, size_t i, size_t n,
                 struct cut *cut)
{
    const struct fl_event *event = &events[i];
    if (gives_up(event)) {
        const uint32_t gone = (uint32_t)event->addr;
        *cut = (struct cut){.at = {gone, entry_before(events, i, gone), FL_K_GIVES_UP},
                            .next = (uint32_t)i,
                            .thread = event->thread};
        return true;
    }
    if (fl_event_id(event) == FL_EVENT_YIELD) {
        *cut = (struct cut){
            .at = {event->thread, entry_before(events, i, event->thread), FL_K_GIVES_UP},
            .next = (uint32_t)i + 1,
            .thread = after_yield(events, i, n)};
        return true;
    }
    if (fl_event_id(event) != FL_EVENT_ENTRY || trace_point_depth(event->point) > depend->depth)
        return false;
    const bool preempted = i + 1 < n && fl_event_id(&event[1]) == FL_EVENT_PREEMPT;
    *cut = (struct cut){.at = {event->thread, event->aux, 0},
                        .next = (uint32_t)i + 1,
                        .thread = preempted ? (uint32_t)event[1].addr : event->thread};
    return true;
}

static struct transition *transition_at(const struct depend *depend, size_t i)
{
    return &g_array_index(depend->transitions, struct transition, i);
}

static void cut_events(struct depend *depend, const struct fl_event *events, size_t n)
{
    struct transition open = {.thread = FL_PATH_CORE};
    struct cut cut;
    g_array_set_size(depend->transitions, 0);
    for (size_t i = 0; i < n; i++) {
        if (!cuts(depend, events, i, n, &cut))
            continue;
        open.end = cut.at;
        open.events = cut.next - open.first_event;
        g_array_append_val(depend->transitions, open);
        open = (struct transition){.thread = cut.thread, .first_event = cut.next};
    }
    open.events = (uint32_t)n - open.first_event;
    g_array_append_val(depend->transitions, open);
}

/* The span from which on there is a second thread. What core did before comes before all that
 * others do, whatever it touched, and is most of the log. */
static uint32_t first_span(const struct engine *engine)
{
    size_t n;
    const struct thread_birth *births = engine_births(engine, &n);
    while (n > 0 && births->thread == FL_PATH_CORE)
        births++, n--;
    return n > 0 ? births->span : UINT32_MAX;
}

/* The log is a stranger's: it ends where a record belongs to no span. */
static void share_log(struct depend *depend, const struct access *log, size_t n)
{
    const uint32_t first = first_span(depend->engine);
    size_t n_spans, span = 0, at = 0;
    const struct span *spans = engine_spans(depend->engine, &n_spans);
    while (at < n && log[at].span < first)
        at++;
    for (guint i = 0; i < depend->transitions->len; i++) {
        struct transition *transition = transition_at(depend, i);
        const uint64_t end = (uint64_t)transition->first_event + transition->events;
        while (span < n_spans && spans[span].event < end)
            span++;
        transition->first_access = (uint32_t)at;
        while (at < n && log[at].span < span)
            at++;
        transition->accesses = (uint32_t)at - transition->first_access;
    }
}

static void note_run(struct depend *depend, const struct fl_event *events, size_t n)
{
    g_array_set_size(depend->threads, 0);
    g_array_set_size(depend->takers, 0);
    for (size_t i = 0; i < n; i++) {
        const uint16_t id = fl_event_id(&events[i]);
        const uint32_t child = (uint32_t)events[i].addr;
        if (id == FL_EVENT_THREAD_CREATE)
            g_array_append_val(depend->threads, child);
        if (id != FL_EVENT_FAULT_DELIVER || events[i].aux > n)
            continue;
        if (events[i].aux >= depend->takers->len)
            g_array_set_size(depend->takers, events[i].aux + 1);
        g_array_index(depend->takers, uint32_t, events[i].aux) = events[i].thread;
    }
}

void depend_read(struct depend *depend, const struct engine *engine, const struct fl_event *events,
                 size_t n_events, const struct access *log, size_t n)
{
    depend->engine = engine;
    depend->events = events;
    depend->n_events = n_events;
    depend->log = log;
    cut_events(depend, events, n_events);
    share_log(depend, log, n);
    note_run(depend, events, n_events);
}

const struct transition *depend_transitions(const struct depend *depend, size_t *count)
{
    *count = depend->transitions->len;
    return transition_at(depend, 0);
}

/* ---- footprints ---- */

static void add_access(struct depend *depend, const struct access *access)
{
    const uint32_t size = 1u << (access->place >> 24 & 0xfu);
    const bool writes = access->place >> 28 == ACCESS_STORE;
    for (uint32_t word = access->address >> 2; word <= (access->address + size - 1) >> 2; word++)
        depend_add(depend, OBJECT_MEMORY, word, writes);
    depend_add(depend, OBJECT_FRAME, access->address >> FL_PAGE_SHIFT, false);
}

/* A transition that ends with a page fault found the page as it was. The access has no record; the
 * fault is told of when the thread performs its entry. */
static void add_faulted_page(struct depend *depend, const struct transition *transition)
{
    const uint32_t end = transition->first_event + transition->events;
    const struct fl_event *entry = &depend->events[end - 1];
    if (transition->end.k != 0 || fl_event_id(entry) != FL_EVENT_ENTRY ||
        entry->point != FL_POINT_FAULT)
        return;
    for (uint32_t i = end; i < depend->n_events; i++) {
        const struct fl_event *event = &depend->events[i];
        if (fl_event_id(event) == FL_EVENT_FAULT_RAISE && event->thread == entry->thread) {
            depend_add(depend, OBJECT_PAGE, depend_in_space(event, event->addr >> FL_PAGE_SHIFT),
                       false);
            return;
        }
    }
}

struct footprint *depend_footprint(struct depend *depend, size_t i)
{
    const struct transition *transition = transition_at(depend, i);
    g_array_set_size(depend->touches, 0);
    depend_add(depend, OBJECT_THREAD, transition->thread, true);
    depend_add(depend, OBJECT_LIFE, transition->thread, false);
    if (transition->end.thread != 0)
        depend_add(depend, OBJECT_THREAD, transition->end.thread, true);
    for (uint32_t j = 0; j < transition->events; j++) {
        const struct fl_event event = depend->events[transition->first_event + j];
        depend_tell(depend, &event);
    }
    add_faulted_page(depend, transition);
    for (uint32_t j = 0; j < transition->accesses; j++)
        add_access(depend, &depend->log[transition->first_access + j]);
    return footprint_new(depend->touches);
}
