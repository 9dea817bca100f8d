#include "rehearsal.h"

#include <string.h>
#include "plan.h"
#include "present.h"
#include "trace.h"
#include "witness.h"

int moment_compare(struct moment a, struct moment b)
{
    if (a.event != b.event)
        return a.event < b.event ? -1 : 1;
    return (a.k > b.k) - (a.k < b.k);
}

/* ---- making one ---- */

/* Appends the stretch that a span tells of, and what comes next; `event`: the one before it. An
 * interrupt says itself before which instruction it came. */
static void add_stretch(GArray *stretches, const struct fl_event *span, const struct fl_event *next,
                        size_t event, uint32_t n)
{
    const bool interrupted = next != NULL && fl_event_id(next) == FL_EVENT_INTERRUPT;
    const struct stretch stretch = {
        .event = event,
        .thread = span->thread,
        .n = n,
        .first = span->aux,
        .last = interrupted ? next->aux : span->aux + span->arg - 1,
    };
    if (stretch.last >= stretch.first)
        g_array_append_val(stretches, stretch);
}

/* Numbers of events are those of the run without spans. */
static void find_stretches(struct rehearsal *rehearsal, const struct sample *measured)
{
    g_autoptr(GHashTable) entries = g_hash_table_new(NULL, NULL); /* path -> n */
    size_t number = 0;
    for (size_t i = 0; i < measured->n_events; i++) {
        const struct fl_event *event = &measured->events[i];
        gpointer thread = GUINT_TO_POINTER(event->thread);
        switch (fl_event_id(event)) {
        case FL_EVENT_SPAN:
            if (number > 0 && number <= rehearsal->sample->n_events)
                add_stretch(rehearsal->stretches, event,
                            i + 1 < measured->n_events ? event + 1 : NULL, number - 1,
                            GPOINTER_TO_UINT(g_hash_table_lookup(entries, thread)));
            continue;
        case FL_EVENT_ENTRY:
            g_hash_table_insert(entries, thread, GUINT_TO_POINTER(event->aux));
            break;
        default:
            break;
        }
        number++;
    }
}

/* Of a guest that dies or falls silent more is known when it is looked at event by event. */
static struct sample *keep(const struct samples *samples, const struct fl_plan *plan, bool dies,
                           GError **error)
{
    return dies ? witness_keep(samples, plan, error) : sample_keep(samples, plan, error);
}

static bool run_both(struct rehearsal *rehearsal, const struct samples *samples, GError **error)
{
    struct fl_plan measuring = rehearsal->plan;
    measuring.mode |= FL_MODE_SPANS;
    measuring.max_packets = FL_RING_PACKETS;
    rehearsal->sample = keep(samples, &rehearsal->plan, false, error);
    const bool dies =
        rehearsal->sample != NULL && outcome_is_cut_short(rehearsal->sample->verdict->outcome);
    if (dies) {
        sample_free(rehearsal->sample);
        rehearsal->sample = keep(samples, &rehearsal->plan, true, error);
    }
    if (rehearsal->sample == NULL)
        return false;
    struct sample *measured = keep(samples, &measuring, dies, error);
    if (measured == NULL)
        return false;
    find_stretches(rehearsal, measured);
    sample_free(measured);
    return true;
}

static void fill_report(struct rehearsal *rehearsal, const struct subject *subject)
{
    const struct sample *sample = rehearsal->sample;
    events_preemptions(sample->events, sample->n_events, 0, rehearsal->taken, rehearsal->taken_at);
    rehearsal->report = (struct report){
        .scenario = subject->scenario,
        .verdict = sample->verdict,
        .events = sample->events,
        .n_events = sample->n_events,
        .taken = (const struct fl_preemption *)(const void *)rehearsal->taken->data,
        .n_taken = rehearsal->taken->len,
    };
    present_lookups(&rehearsal->report, subject);
}

struct rehearsal *rehearsal_make(const struct samples *samples, const struct subject *subject,
                                 const struct fl_plan *plan, GError **error)
{
    struct rehearsal *rehearsal = g_new0(struct rehearsal, 1);
    rehearsal->plan = *plan;
    rehearsal->plan.mode &= FL_MODE_AUDIT | FL_MODE_FAIL;
    rehearsal->stretches = g_array_new(FALSE, FALSE, sizeof(struct stretch));
    rehearsal->taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    rehearsal->taken_at = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    const bool ran = run_both(rehearsal, samples, error);
    if (ran && rehearsal->sample->n_events > 0) {
        fill_report(rehearsal, subject);
        return rehearsal;
    }
    if (ran)
        g_set_error(error, STEP_ERROR, STEP_ERROR_COMMAND,
                    "the guest writes no event before it ends (%s): there is nothing to step "
                    "through",
                    trace_value_name(TRACE_OUTCOME, rehearsal->sample->verdict->outcome));
    rehearsal_free(rehearsal);
    return NULL;
}

void rehearsal_free(struct rehearsal *rehearsal)
{
    if (rehearsal == NULL)
        return;
    sample_free(rehearsal->sample);
    g_array_free(rehearsal->stretches, TRUE);
    g_array_free(rehearsal->taken, TRUE);
    g_array_free(rehearsal->taken_at, TRUE);
    g_free(rehearsal);
}

/* ---- moments ---- */

static const struct fl_event *event_at(const struct rehearsal *rehearsal, size_t i)
{
    return &rehearsal->report.events[i];
}

struct moment rehearsal_last(const struct rehearsal *rehearsal)
{
    return (struct moment){.event = rehearsal->report.n_events - 1};
}

bool rehearsal_ends(const struct rehearsal *rehearsal)
{
    return fl_event_id(event_at(rehearsal, rehearsal_last(rehearsal).event)) == FL_EVENT_RUN_END;
}

struct moment rehearsal_next_point(const struct rehearsal *rehearsal, struct moment from)
{
    for (size_t i = from.event + 1; i < rehearsal->report.n_events; i++)
        if (fl_event_id(event_at(rehearsal, i)) == FL_EVENT_ENTRY)
            return (struct moment){.event = i};
    return rehearsal_last(rehearsal);
}

struct moment rehearsal_previous_point(const struct rehearsal *rehearsal, struct moment from)
{
    for (size_t i = from.k > 0 ? from.event + 1 : from.event; i-- > 0;)
        if (fl_event_id(event_at(rehearsal, i)) == FL_EVENT_ENTRY)
            return (struct moment){.event = i};
    return (struct moment){.event = 0};
}

static const struct stretch *stretch_at(const struct rehearsal *rehearsal, guint i)
{
    return &g_array_index(rehearsal->stretches, struct stretch, i);
}

/* The first stretch that begins after the event or a later one; stretches->len: none. */
static guint stretch_after(const struct rehearsal *rehearsal, size_t event)
{
    guint low = 0, high = rehearsal->stretches->len;
    while (low < high) {
        const guint middle = low + (high - low) / 2;
        if (stretch_at(rehearsal, middle)->event < event)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

struct moment rehearsal_next_instruction(const struct rehearsal *rehearsal, struct moment from)
{
    const guint i = stretch_after(rehearsal, from.event);
    const bool found = i < rehearsal->stretches->len;
    const struct stretch *stretch = found ? stretch_at(rehearsal, i) : NULL;
    if (from.k == 0)
        return found ? (struct moment){stretch->event, stretch->first} : rehearsal_last(rehearsal);
    if (found && stretch->event == from.event && from.k < stretch->last)
        return (struct moment){from.event, from.k + 1};
    const struct moment next = {.event = from.event + 1};
    return next.event < rehearsal->report.n_events ? next : rehearsal_last(rehearsal);
}

struct moment rehearsal_previous_instruction(const struct rehearsal *rehearsal, struct moment from)
{
    const guint i = stretch_after(rehearsal, from.event);
    if (from.k > 0 && from.k > stretch_at(rehearsal, i)->first)
        return (struct moment){from.event, from.k - 1};
    if (from.k > 0)
        return (struct moment){.event = from.event};
    if (i == 0)
        return (struct moment){.event = 0};
    const struct stretch *before = stretch_at(rehearsal, i - 1);
    return (struct moment){before->event, before->last};
}

bool rehearsal_has(const struct rehearsal *rehearsal, struct moment moment, GError **error)
{
    if (moment.event >= rehearsal->report.n_events) {
        g_set_error(error, STEP_ERROR, STEP_ERROR_COMMAND, "there is no event %zu, the last is %zu",
                    moment.event, rehearsal_last(rehearsal).event);
        return false;
    }
    if (moment.k == 0)
        return true;
    const guint i = stretch_after(rehearsal, moment.event);
    const struct stretch *stretch = i < rehearsal->stretches->len ? stretch_at(rehearsal, i) : NULL;
    if (stretch == NULL || stretch->event != moment.event) {
        g_set_error(error, STEP_ERROR, STEP_ERROR_COMMAND,
                    "after event %zu the kernel runs on: there is no k", moment.event);
        return false;
    }
    if (moment.k < stretch->first || moment.k > stretch->last) {
        g_set_error(error, STEP_ERROR, STEP_ERROR_COMMAND,
                    "after event %zu the guest can stand at k %u to %u", moment.event,
                    stretch->first, stretch->last);
        return false;
    }
    return true;
}

struct fl_preemption rehearsal_place(const struct rehearsal *rehearsal, struct moment moment)
{
    struct fl_preemption place = {.thread = FL_PATH_KERNEL, .k = moment.k};
    for (size_t i = moment.event + 1; i-- > 0 && place.thread == FL_PATH_KERNEL;)
        if (fl_event_id(event_at(rehearsal, i)) == FL_EVENT_SWITCH)
            place.thread = event_at(rehearsal, i)->thread;
    for (size_t i = moment.event + 1; i-- > 0 && place.n == 0;)
        if (fl_event_id(event_at(rehearsal, i)) == FL_EVENT_ENTRY &&
            event_at(rehearsal, i)->thread == place.thread)
            place.n = event_at(rehearsal, i)->aux;
    return place;
}

uint16_t rehearsal_point(const struct rehearsal *rehearsal, struct moment moment)
{
    const struct fl_preemption place = rehearsal_place(rehearsal, moment);
    for (size_t i = moment.event + 1; i-- > 0;) {
        const struct fl_event *event = event_at(rehearsal, i);
        if (fl_event_id(event) == FL_EVENT_ENTRY && event->thread == place.thread)
            return event->point;
    }
    return FL_POINT_NONE;
}
