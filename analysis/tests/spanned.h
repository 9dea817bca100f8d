/* Stories with what depth access needs beside: an event `span` before each entry and interruption,
 * and a log of accesses, each made by whoever runs at that point of the story. */
#ifndef FAULTLINE_SPANNED_H
#define FAULTLINE_SPANNED_H

#include <glib.h>
#include "engine.h"
#include "plugin/access_log.h"
#include "story.h"

enum { SPAN_LENGTH = 10 }; /* instructions of every span */

static struct story story;
static GArray *accesses; /* struct access */

static inline bool ends_span(const struct fl_event *event)
{
    return fl_event_id(event) == FL_EVENT_ENTRY || fl_event_id(event) == FL_EVENT_INTERRUPT;
}

/* Number of the span that the story is in: ended by its next entry. */
static inline uint32_t span_now(void)
{
    uint32_t count = 0;
    for (size_t i = 0; i < story.n_events; i++)
        count += ends_span(&story.events[i]);
    return count;
}

/* The running thread's number-th instruction of its span, which lies at pc. */
static inline void note_access(enum access_kind kind, uint32_t pc, uint32_t address,
                               uint32_t number, unsigned size_shift)
{
    const struct access access = {
        .pc = pc,
        .address = address,
        .span = span_now(),
        .place = (uint32_t)kind << 28 | size_shift << 24 | number,
    };
    g_array_append_val(accesses, access);
}

static inline void load(uint32_t pc, uint32_t address)
{
    note_access(ACCESS_LOAD, pc, address, 5, 2);
}

static inline void store(uint32_t pc, uint32_t address)
{
    note_access(ACCESS_STORE, pc, address, 5, 2);
}

/* The plan stopped the running thread before the k-th instruction since its entry. */
static inline void interrupt(uint32_t k, uint64_t ready)
{
    story_say(&story, FL_EVENT_INTERRUPT, story.running, ready, 0, k);
}

static inline void tell(GArray *events, const struct fl_event *end, uint32_t first)
{
    struct fl_event span = *end;
    span.id_time = fl_event_time(end) << 16 | FL_EVENT_SPAN;
    span.addr = 0;
    span.arg = SPAN_LENGTH;
    span.aux = first;
    g_array_append_val(events, span);
}

/* The engine has taken the story in, with a span before each entry and interruption. Every span of
 * a thread begins at 1, or where an interruption left it. */
static inline void tell_engine(struct engine *engine)
{
    g_autoptr(GArray) events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    g_autoptr(GHashTable) stands = g_hash_table_new(NULL, NULL); /* thread -> k */
    for (size_t i = 0; i < story.n_events; i++) {
        const struct fl_event *event = &story.events[i];
        if (ends_span(event)) {
            gpointer thread = GUINT_TO_POINTER(event->thread);
            uint32_t k = GPOINTER_TO_UINT(g_hash_table_lookup(stands, thread));
            tell(events, event, MAX(k, 1));
            k = fl_event_id(event) == FL_EVENT_INTERRUPT ? event->aux : 0;
            g_hash_table_insert(stands, thread, GUINT_TO_POINTER(k));
        }
        g_array_append_vals(events, event, 1);
    }
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, (const struct fl_event *)(void *)events->data, events->len);
    engine_end(engine, FL_OUTCOME_NONE);
}

#endif
