#include "stepper.h"

#include <string.h>
#include "plan.h"
#include "trace.h"

enum { WAIT_MS = 200 };

/* ---- a run must be the one that is known ---- */

static void append_event(GString *text, const struct stepper *stepper,
                         const struct fl_event *events, size_t count, size_t i)
{
    if (i < count)
        report_event(text, stepper->subject->scenario, &events[i]);
    else
        g_string_append(text, "the end");
}

static bool differs(const struct stepper *stepper, const struct fl_event *events, size_t count,
                    const struct fl_event *known, size_t n_known, size_t at, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    append_event(text, stepper, events, count, at);
    g_string_append(text, ", where it was ");
    append_event(text, stepper, known, n_known, at);
    g_set_error(error, STEP_ERROR, STEP_ERROR_RUN,
                "the run differs from itself at event %zu: %s; its verdicts cannot be trusted", at,
                text->str);
    return false;
}

/* What the guest has written since it was last looked at. */
static bool compare_so_far(struct stepper *stepper, size_t count, GError **error)
{
    const struct fl_event *known = stepper->run->report.events;
    for (; stepper->compared < count; stepper->compared++) {
        const size_t i = stepper->compared;
        const struct fl_event event = *session_event(stepper->samples.session, (uint32_t)i);
        if (events_differ(&event, 1, &known[i], 1) != SIZE_MAX) {
            g_autofree struct fl_event *copy = g_new0(struct fl_event, i + 1);
            copy[i] = event;
            return differs(stepper, copy, i + 1, known, stepper->run->report.n_events, i, error);
        }
    }
    return true;
}

/* A run that was cut short is equal as far as the shorter one goes; one whose budget was spent, as
 * standing still costs the guest some instructions, ends within some events of the other. */
static bool compare_whole(struct stepper *stepper, const struct run *run, GError **error)
{
    const struct report *known = &stepper->run->report;
    const uint32_t outcome = known->verdict->outcome;
    const bool open = outcome_is_cut_short(outcome) || outcome == FL_OUTCOME_HUNG;
    struct capture *capture = capture_take(stepper->samples.session, run);
    size_t count;
    g_autofree struct fl_event *events = capture_events(capture, &count);
    capture_free(capture);
    size_t common = MIN(count, known->n_events);
    if (outcome == FL_OUTCOME_HUNG && common > 0)
        common--; /* run_end */
    const size_t at = open ? events_differ(events, common, known->events, common)
                           : events_differ(events, count, known->events, known->n_events);
    if (at != SIZE_MAX)
        return differs(stepper, events, count, known->events, known->n_events, at, error);
    if (run->result.outcome == outcome)
        return true;
    g_set_error(error, STEP_ERROR, STEP_ERROR_RUN,
                "the run ends %s, where it ended %s: its verdicts cannot be trusted",
                trace_value_name(TRACE_OUTCOME, run->result.outcome),
                trace_value_name(TRACE_OUTCOME, outcome));
    return false;
}

static bool equals_recording(const struct stepper *stepper, const GArray *recorded, GError **error)
{
    const struct report *report = &stepper->run->report;
    if (recorded == NULL)
        return true;
    const struct fl_event *events = (const struct fl_event *)(const void *)recorded->data;
    const bool open = outcome_is_cut_short(report->verdict->outcome);
    const size_t common = MIN(recorded->len, report->n_events);
    const size_t at = events_differ(report->events, open ? common : report->n_events, events,
                                    open ? common : recorded->len);
    if (at == SIZE_MAX)
        return true;
    g_autoptr(GString) text = g_string_new(NULL);
    append_event(text, stepper, report->events, report->n_events, at);
    g_string_append(text, ", where the trace has ");
    append_event(text, stepper, events, recorded->len, at);
    g_set_error(error, STEP_ERROR, STEP_ERROR_RUN,
                "the run differs from the trace at event %zu: %s", at, text->str);
    return false;
}

/* ---- the guest ---- */

static void post(struct stepper *stepper, struct moment stop)
{
    struct session *session = stepper->samples.session;
    struct fl_plan plan = stepper->run->plan;
    plan.mode |= FL_MODE_STEP;
    session_stop_at(session, (uint32_t)stop.event, stop.k);
    session_post(session, &plan);
    stepper->in_flight = true;
    stepper->ended = false;
    stepper->compared = 0;
}

static void go_on(struct stepper *stepper, uint32_t event, uint32_t k)
{
    session_stop_at(stepper->samples.session, event, k);
    session_go_on(stepper->samples.session);
}

/* Waits until the guest stands, or its run has ended, which `event` says. */
static bool wait(struct stepper *stepper, enum session_event *event, struct run *run,
                 GError **error)
{
    struct session *session = stepper->samples.session;
    struct fl_decision here = {.ready = 0};
    do {
        *event = session_wait(session, WAIT_MS, run, &here, error);
        if (*event == SESSION_FAILED)
            return false;
        if (*event == SESSION_TIMEOUT && stepper->samples.interrupted()) {
            g_set_error(error, STEP_ERROR, STEP_ERROR_RUN, "interrupted");
            session_drop(session);
            stepper->in_flight = false;
            return false;
        }
    } while (*event != SESSION_STOP && *event != SESSION_RUN);
    stepper->ready = here.ready;
    return true;
}

/* The guest ran to its end. What came after an instruction that it stood at is not looked at. */
static bool take(struct stepper *stepper, const struct run *run, GError **error)
{
    stepper->in_flight = false;
    const bool same = stepper->at.k > 0 || compare_whole(stepper, run, error);
    session_release(stepper->samples.session);
    return same;
}

/* Leaves the run that the guest is in. One that would end in its death is not waited for. */
static bool leave(struct stepper *stepper, GError **error)
{
    enum session_event event;
    struct run run;
    if (!stepper->in_flight)
        return true;
    if (outcome_is_cut_short(stepper->run->report.verdict->outcome)) {
        session_drop(stepper->samples.session);
        stepper->in_flight = false;
        return true;
    }
    go_on(stepper, FL_STOP_NEVER, 0);
    return wait(stepper, &event, &run, error) && take(stepper, &run, error);
}

static bool arrive(struct stepper *stepper, struct moment to, GError **error)
{
    enum session_event event;
    struct run run;
    if (!wait(stepper, &event, &run, error))
        return false;
    if (event == SESSION_RUN) {
        stepper->at = (struct moment){.event = 0};
        if (!take(stepper, &run, error))
            return false;
        g_set_error(error, STEP_ERROR, STEP_ERROR_RUN,
                    "the guest did not stand still at event %zu, k %u: %s", to.event, to.k,
                    run.death[0] != '\0' ? run.death : "its budget was spent before");
        return false;
    }
    stepper->at = to;
    stepper->pc = session_stop_pc(stepper->samples.session);
    return compare_so_far(stepper, to.event + 1, error);
}

bool stepper_go(struct stepper *stepper, struct moment to, GError **error)
{
    const int order = moment_compare(to, stepper->at);
    if (stepper->in_flight && order == 0)
        return true;
    if (stepper->in_flight && order > 0 && stepper->at.k == 0) {
        go_on(stepper, (uint32_t)to.event, to.k);
        return arrive(stepper, to, error);
    }
    if (!leave(stepper, error))
        return false;
    post(stepper, to);
    return arrive(stepper, to, error);
}

bool stepper_finish(struct stepper *stepper, GError **error)
{
    enum session_event event;
    struct run run;
    if (stepper->ended)
        return true;
    if (!stepper_go(stepper, rehearsal_last(stepper->run), error))
        return false;
    go_on(stepper, FL_STOP_NEVER, 0);
    if (!wait(stepper, &event, &run, error) || !take(stepper, &run, error))
        return false;
    stepper->ended = true;
    stepper->pc = 0;
    return true;
}

/* ---- what if ---- */

/* The plan of all that was decided until then, by whatever policy. */
static struct fl_plan plan_so_far(const struct stepper *stepper)
{
    const struct rehearsal *run = stepper->run;
    struct fl_plan plan = run->plan;
    plan.policy = FL_POLICY_FIXED;
    plan.changes = 0;
    plan.seed = plan.chance = 0;
    plan.n_preemptions = 0;
    memset(plan.preemptions, 0, sizeof plan.preemptions);
    for (guint i = 0; i < run->taken->len; i++)
        if (g_array_index(run->taken_at, uint64_t, i) <= stepper->at.event)
            plan_insert(&plan, stepper->subject->scenario,
                        &g_array_index(run->taken, struct fl_preemption, i), NULL);
    return plan;
}

static bool is_ready(const struct stepper *stepper, uint32_t target)
{
    const struct report *report = &stepper->run->report;
    uint64_t tids = 0;
    for (size_t i = stepper->at.event + 1; i-- > 0 && tids == 0;)
        if (fl_event_id(&report->events[i]) == FL_EVENT_THREAD_CREATE &&
            (uint32_t)report->events[i].addr == target)
            tids = UINT64_C(1) << report->events[i].arg % FL_MAX_THREADS;
    return (stepper->ready & tids) != 0;
}

static bool can_branch(const struct stepper *stepper, GError **error)
{
    const struct fl_event *event = &stepper->run->report.events[stepper->at.event];
    if (!stepper->ended && (stepper->at.k > 0 || fl_event_id(event) == FL_EVENT_ENTRY))
        return true;
    g_set_error(error, STEP_ERROR, STEP_ERROR_COMMAND,
                "no thread can be preempted here, the kernel is at work: go to an entry (n, p) or "
                "to an instruction (ni, pi)");
    return false;
}

bool stepper_branch(struct stepper *stepper, uint32_t target, GError **error)
{
    struct fl_preemption place = rehearsal_place(stepper->run, stepper->at);
    struct fl_plan plan = plan_so_far(stepper);
    const struct moment at = stepper->at;
    char name[TRACE_NAME_MAX];
    if (!can_branch(stepper, error))
        return false;
    if (target != place.thread && !is_ready(stepper, target)) {
        g_set_error(error, STEP_ERROR, STEP_ERROR_COMMAND, "%s cannot run here; `threads` says why",
                    trace_thread_name(stepper->subject->scenario, target, name));
        return false;
    }
    place.target = target;
    if (target != place.thread && !plan_insert(&plan, stepper->subject->scenario, &place, error))
        return false;
    if (!leave(stepper, error))
        return false;
    struct rehearsal *run = rehearsal_make(&stepper->samples, stepper->subject, &plan, error);
    if (run == NULL)
        return false;
    rehearsal_free(stepper->run);
    stepper->run = run;
    stepper->branched = true;
    return stepper_go(stepper, at, error);
}

/* ---- begin, end ---- */

bool stepper_begin(struct stepper *stepper, const struct samples *samples,
                   const struct subject *subject, const struct fl_plan *plan,
                   const GArray *recorded, GError **error)
{
    *stepper = (struct stepper){.samples = *samples, .subject = subject};
    stepper->run = rehearsal_make(samples, subject, plan, error);
    return stepper->run != NULL && equals_recording(stepper, recorded, error) &&
           stepper_go(stepper, (struct moment){.event = 0}, error);
}

void stepper_end(struct stepper *stepper)
{
    if (stepper->in_flight)
        session_drop(stepper->samples.session);
    g_clear_pointer(&stepper->run, rehearsal_free);
}
