#include "samples.h"

#include <string.h>
#include "check.h"

enum { WAIT_MS = 200 };

bool samples_interrupted(const struct samples *samples, GError **error)
{
    if (samples->interrupted == NULL || !samples->interrupted())
        return false;
    g_set_error_literal(error, g_quark_from_static_string("faultline-samples"), 0, "interrupted");
    return true;
}

static bool show(const struct samples *samples, struct run *run, const struct fl_plan *plan,
                 size_t i, samples_visitor *visit, void *context)
{
    struct capture *capture = capture_take(samples->session, run);
    capture->plan = *plan;
    struct sample sample = {.plan = plan, .capture = capture};
    struct fl_event *events = capture_events(capture, &sample.n_events);
    sample.events = events;
    sample.accesses = session_accesses(samples->session, &sample.n_accesses);
    sample.verdict = capture_judge(capture, samples->engine, samples->scenario);
    const bool on = visit(context, i, &sample);
    g_free(events);
    capture_free(capture);
    return on;
}

bool samples_run(const struct samples *samples, const struct fl_plan *plans, size_t n,
                 samples_visitor *visit, void *context, GError **error)
{
    size_t posted = 0, back = 0;
    while (back < n) {
        while (posted < n && session_room(samples->session) > 0)
            session_post(samples->session, &plans[posted++]);
        struct run run;
        struct fl_decision ask;
        const enum session_event event = session_wait(samples->session, WAIT_MS, &run, &ask, error);
        if (event == SESSION_FAILED)
            return false;
        if (event == SESSION_RUN) {
            const bool on = show(samples, &run, &plans[back], back, visit, context);
            session_release(samples->session);
            back = on ? back + 1 : n;
        }
        if (back < n && samples_interrupted(samples, error)) {
            session_drop(samples->session);
            return false;
        }
    }
    if (session_in_flight(samples->session) > 0)
        session_drop(samples->session);
    return true;
}

static bool keep(void *context, size_t i, const struct sample *sample)
{
    struct sample *kept = context;
    (void)i;
    *kept = *sample;
    kept->plan = g_memdup2(sample->plan, sizeof(*sample->plan));
    kept->events = g_memdup2(sample->events, sample->n_events * sizeof(*sample->events));
    kept->accesses = g_memdup2(sample->accesses, sample->n_accesses * sizeof(*sample->accesses));
    struct verdict *verdict = g_memdup2(sample->verdict, sizeof(*verdict));
    verdict->violations =
        g_memdup2(verdict->violations, verdict->n_violations * sizeof(*verdict->violations));
    kept->verdict = verdict;
    kept->capture = NULL;
    return true;
}

struct sample *sample_keep(const struct samples *samples, const struct fl_plan *plan,
                           GError **error)
{
    struct sample *sample = g_new0(struct sample, 1);
    if (samples_run(samples, plan, 1, keep, sample, error))
        return sample;
    g_free(sample);
    return NULL;
}

void sample_free(struct sample *sample)
{
    if (sample == NULL)
        return;
    g_free((void *)sample->plan);
    g_free((void *)sample->events);
    g_free((void *)sample->accesses);
    g_free((void *)sample->verdict->violations);
    g_free((void *)sample->verdict);
    g_free(sample);
}

bool sample_violates(const struct sample *sample, const char *check)
{
    for (size_t i = 0; i < sample->verdict->n_violations; i++)
        if (strcmp(sample->verdict->violations[i].check->id, check) == 0)
            return true;
    return false;
}

bool sample_complete(const struct sample *sample)
{
    size_t taken = 0;
    for (size_t i = 0; i < sample->n_events; i++)
        taken += fl_event_id(&sample->events[i]) == FL_EVENT_PREEMPT;
    return taken == sample->plan->n_preemptions;
}
