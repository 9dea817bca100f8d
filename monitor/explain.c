#include "explain.h"

#include <string.h>
#include "lanes.h"
#include "memory_name.h"
#include "neighbour.h"
#include "plan.h"
#include "present.h"
#include "reversed.h"
#include "samples.h"

/* The two runs, and where they part. */
struct compared {
    const struct samples *samples;
    const struct subject *subject;
    struct neighbours neighbours;
    struct sample *failing, *passing;
    size_t parts; /* the failing run's last preemption; up to there they are one */
    size_t differs_failing, differs_passing; /* what a thread first does differently, or n_events */
    struct explanation *explanation;
};

/* ---- where the runs part ---- */

/* Index of the last preemption. Up to there the two runs are one. */
static size_t parting(const struct sample *sample)
{
    size_t at = 0;
    for (size_t i = 0; i < sample->n_events; i++)
        if (fl_event_id(&sample->events[i]) == FL_EVENT_PREEMPT)
            at = i;
    return at;
}

/* Whether it says what its thread does, and not how it was scheduled. */
static bool counts(const struct fl_event *event)
{
    const uint16_t id = fl_event_id(event);
    return event->thread != FL_PATH_CORE && event->thread != FL_PATH_KERNEL &&
           id != FL_EVENT_SPAN && id != FL_EVENT_SWITCH && id != FL_EVENT_INTERRUPT &&
           id != FL_EVENT_PREEMPT;
}

/* One image made both, so what a mark says of memory can be compared to the byte; the event hash,
 * which holds for all images, knows a program's own memory by its region alone. */
static bool same_deed(const struct fl_event *a, const struct fl_event *b)
{
    const uint16_t id = fl_event_id(a);
    const bool mark = id >= FL_EVENT_MARK_RESERVE && id <= FL_EVENT_MARK_ERROR;
    return events_differ(a, 1, b, 1) == SIZE_MAX && (!mark || a->addr == b->addr);
}

/* The first thing that any thread does differently, by the failing run's order. */
static void find_difference(struct compared *compared)
{
    const struct sample *failing = compared->failing, *passing = compared->passing;
    g_autoptr(GHashTable) seen = g_hash_table_new(NULL, NULL); /* path -> next event of passing */
    size_t f = compared->parts, p = 0;
    for (; f < failing->n_events; f++) {
        const struct fl_event *event = &failing->events[f];
        gpointer thread = GUINT_TO_POINTER(event->thread);
        if (!counts(event))
            continue;
        p = MAX(compared->parts, GPOINTER_TO_SIZE(g_hash_table_lookup(seen, thread)));
        while (p < passing->n_events &&
               (passing->events[p].thread != event->thread || !counts(&passing->events[p])))
            p++;
        if (p == passing->n_events || !same_deed(event, &passing->events[p]))
            break;
        g_hash_table_insert(seen, thread, GSIZE_TO_POINTER(p + 1));
    }
    compared->differs_failing = f;
    compared->differs_passing = p;
}

/* ---- sides ---- */

static void place_side(const struct compared *compared, struct explain_side *side)
{
    side->known = image_source(compared->subject->image, side->pc, &side->place);
}

/* What a sample's rows in lanes say of an event. */
static void tell_event(const struct compared *compared, const struct sample *sample, size_t event,
                       char *what, size_t size, struct explain_side *side)
{
    struct report report = {
        .scenario = compared->samples->scenario,
        .verdict = sample->verdict,
        .events = sample->events,
        .n_events = sample->n_events,
    };
    present_lookups(&report, compared->subject);
    g_autoptr(GArray) rows = lanes_rows(&report);
    for (guint i = 0; i < rows->len; i++) {
        const struct lane_row *row = &g_array_index(rows, struct lane_row, i);
        if (row->thread != sample->events[event].thread || row->event > event)
            continue;
        g_strlcpy(what, row->text, size);
        if (side != NULL) {
            side->n = row->n;
            side->pc = (uint32_t)row->pc;
        }
    }
}

/* Where a thread stood at a place that the run passed. */
static uint32_t pc_at(const struct sample *sample, const struct fl_preemption *place)
{
    uint32_t n = 0, pc = 0;
    for (size_t i = 0; i < sample->n_events; i++) {
        const struct fl_event *event = &sample->events[i];
        const uint16_t id = fl_event_id(event);
        if (event->thread != place->thread)
            continue;
        n = id == FL_EVENT_ENTRY ? event->aux : n;
        if (n == place->n &&
            (fl_k_in_user(place->k) ? id == FL_EVENT_INTERRUPT && event->aux == place->k
                                    : id == FL_EVENT_ENTRY))
            pc = event->arg;
    }
    return pc;
}

/* The operation of the kernel, or the instruction, that comes at a place. stops: a run that was
 * preempted there; goes_on: one in which the thread went on. */
static void tell_step(const struct compared *compared, const struct fl_preemption *place,
                      const struct sample *stops, const struct sample *goes_on,
                      struct explain_side *side)
{
    *side = (struct explain_side){
        .thread = place->thread, .n = place->n, .k = place->k, .pc = pc_at(stops, place)};
    g_strlcpy(side->what, "instruction", sizeof(side->what));
    for (size_t i = 0; !fl_k_in_user(place->k) && i < goes_on->n_events; i++) {
        const struct fl_event *event = &goes_on->events[i];
        if (fl_event_id(event) == FL_EVENT_ENTRY && event->thread == place->thread &&
            event->aux == place->n)
            tell_event(compared, goes_on, i, side->what, sizeof(side->what), NULL);
    }
    place_side(compared, side);
}

/* Both ends of the stretch in which the check fails. */
static bool tell_gap(struct compared *compared, GError **error)
{
    const struct neighbours *neighbours = &compared->neighbours;
    struct explanation *explanation = compared->explanation;
    explanation->target = neighbours->last.target;
    tell_step(compared, &neighbours->last, compared->failing, compared->passing,
              &explanation->closes);
    if (!neighbours->opens)
        return true;
    struct sample *stops = sample_keep(compared->samples, &neighbours->opening, error);
    if (stops == NULL)
        return false;
    tell_step(compared, &neighbours->open, stops, compared->failing, &explanation->opens);
    sample_free(stops);
    return true;
}

static bool tell_events(struct compared *compared)
{
    struct explain_side *early = &compared->explanation->early;
    compared->explanation->late = compared->explanation->closes;
    const struct sample *failing = compared->failing, *passing = compared->passing;
    if (compared->differs_failing == failing->n_events)
        return false;
    early->thread = failing->events[compared->differs_failing].thread;
    tell_event(compared, failing, compared->differs_failing, early->what, sizeof(early->what),
               early);
    place_side(compared, early);
    if (compared->differs_passing < passing->n_events)
        tell_event(compared, passing, compared->differs_passing, compared->explanation->instead,
                   sizeof(compared->explanation->instead), NULL);
    return true;
}

/* ---- with accesses ---- */

static void tell_access(const struct compared *compared, const struct reversed_access *reversed,
                        const char *name, struct explain_side *side)
{
    *side = (struct explain_side){.thread = reversed->thread, .pc = reversed->access.pc};
    g_snprintf(side->what, sizeof(side->what), "%s %s",
               reversed->access.place >> 28 == ACCESS_STORE ? "store to" : "load of", name);
    place_side(compared, side);
}

static bool tell_accesses(struct compared *compared)
{
    struct explanation *explanation = compared->explanation;
    const struct sample *failing = compared->failing, *passing = compared->passing;
    struct reversed_access early, late;
    if (failing->accesses == NULL || passing->accesses == NULL ||
        compared->differs_failing == failing->n_events ||
        !reversed_find(compared->samples->engine, compared->samples->scenario, failing, passing,
                       compared->differs_failing, &early, &late))
        return false;
    char name[64];
    memory_name(compared->subject, failing->events, failing->n_events, late.access.address, name,
                sizeof(name));
    explanation->accesses = true;
    tell_access(compared, &late, name, &explanation->late);
    tell_access(compared, &early, "it", &explanation->early);
    return true;
}

/* ---- the whole ---- */

static bool tell(struct compared *compared, GError **error)
{
    compared->parts = parting(compared->failing);
    find_difference(compared);
    return tell_gap(compared, error) && (tell_accesses(compared) || tell_events(compared));
}

static struct explanation *compare(struct compared *compared, const char *check, GError **error)
{
    const struct neighbours *neighbours = &compared->neighbours;
    const struct fl_scenario *scenario = compared->samples->scenario;
    compared->failing = sample_keep(compared->samples, &neighbours->failing, error);
    if (compared->failing == NULL)
        return NULL;
    compared->passing = sample_keep(compared->samples, &neighbours->passing, error);
    if (compared->passing == NULL)
        return NULL;
    compared->explanation = g_new0(struct explanation, 1);
    g_strlcpy(compared->explanation->check, check, sizeof(compared->explanation->check));
    compared->explanation->runs = neighbours->runs + 2;
    compared->explanation->failing = plan_whole_schedule(scenario, &neighbours->failing);
    compared->explanation->passing = plan_whole_schedule(scenario, &neighbours->passing);
    if (!tell(compared, error))
        g_clear_pointer(&compared->explanation, explanation_free);
    return compared->explanation;
}

/* One that records accesses, if that can be had. */
static struct session *open_session(const struct subject *subject, GError **error)
{
    const struct session_options options = {
        .backend = subject->backend,
        .image = subject->image,
        .watchdog = subject->watchdog,
        .spawn = &subject->spawn,
        .accesses = true,
    };
    struct session *session = session_open(&options, NULL);
    return session != NULL ? session : subject_session(subject, error);
}

struct explanation *explain_finding(const struct subject *subject, const struct fl_plan *finding,
                                    const char *check, bool (*interrupted)(void), GError **error)
{
    if (finding->n_preemptions == 0 && finding->policy == FL_POLICY_FIXED)
        return NULL;
    struct session *session = open_session(subject, error);
    if (session == NULL)
        return NULL;
    const struct samples samples = {
        .session = session,
        .engine = engine_new(),
        .scenario = subject->scenario,
        .interrupted = interrupted,
    };
    struct compared compared = {.samples = &samples, .subject = subject};
    struct explanation *explanation = NULL;
    if (neighbour_find(&samples, finding, check, &compared.neighbours, error) == NEIGHBOUR_FOUND)
        explanation = compare(&compared, check, error);
    sample_free(compared.failing);
    sample_free(compared.passing);
    engine_free(samples.engine);
    session_close(session);
    return explanation;
}

void explanation_free(struct explanation *explanation)
{
    if (explanation == NULL)
        return;
    g_free(explanation->failing);
    g_free(explanation->passing);
    g_free(explanation);
}
