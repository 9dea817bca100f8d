#include "witness.h"

#include <string.h>

enum { WAIT_MS = 200 };

/* Waits until the guest stands, or its run has ended. */
static bool wait(const struct samples *samples, enum session_event *event, struct run *run,
                 GError **error)
{
    struct fl_decision here;
    do {
        *event = session_wait(samples->session, WAIT_MS, run, &here, error);
        if (*event == SESSION_TIMEOUT && samples_interrupted(samples, error)) {
            session_drop(samples->session);
            return false;
        }
    } while (*event != SESSION_STOP && *event != SESSION_RUN && *event != SESSION_FAILED);
    return *event != SESSION_FAILED;
}

/* The events up to the end; the run is out then. */
static bool watch(const struct samples *samples, const struct fl_plan *plan, GArray *events,
                  struct run *run, GError **error)
{
    enum session_event event;
    struct fl_plan stepped = *plan;
    stepped.mode |= FL_MODE_STEP;
    session_stop_at(samples->session, 0, 0);
    session_post(samples->session, &stepped);
    while (wait(samples, &event, run, error)) {
        if (event == SESSION_RUN)
            return true;
        const struct fl_event written = *session_event(samples->session, events->len);
        g_array_append_val(events, written);
        session_stop_at(samples->session, events->len, 0);
        session_go_on(samples->session);
    }
    return false;
}

static struct verdict *judge(const struct samples *samples, const struct run *run,
                             const GArray *events)
{
    engine_begin(samples->engine, samples->scenario, run->plan.variant);
    engine_events(samples->engine, (const struct fl_event *)(const void *)events->data,
                  events->len);
    const struct verdict *judged = judge_result(samples->engine, &run->result, run->corrupt);
    struct verdict *verdict = g_memdup2(judged, sizeof *judged);
    verdict->violations =
        g_memdup2(judged->violations, judged->n_violations * sizeof *judged->violations);
    return verdict;
}

struct sample *witness_keep(const struct samples *samples, const struct fl_plan *plan,
                            GError **error)
{
    struct run run;
    GArray *events = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    if (!watch(samples, plan, events, &run, error)) {
        g_array_free(events, TRUE);
        return NULL;
    }
    struct sample *sample = g_new0(struct sample, 1);
    sample->plan = g_memdup2(plan, sizeof *plan);
    sample->verdict = judge(samples, &run, events);
    sample->n_events = events->len;
    sample->events = (const struct fl_event *)(void *)g_array_free(events, FALSE);
    session_release(samples->session);
    return sample;
}
