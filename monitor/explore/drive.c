#include "drive.h"

#include <string.h>

#define WAIT_MS 100

enum role { ROLE_ONLY, ROLE_FIRST, ROLE_SECOND };

/* A plan that was posted and has not come back. In online mode what was posted has no preemptions
 * at k = 0: the guest asks at every entry, and the driver answers with them. */
struct posted {
    struct fl_plan plan;
    enum role role;
};

struct flight {
    struct drive *drive;
    struct posted queue[FL_PLAN_SLOTS];
    unsigned head;
    unsigned tail;
    uint64_t issued;
    GArray *taken;    /* of struct fl_preemption */
    GArray *taken_at; /* of uint64_t */
};

/* ---- out ---- */

static void ask_for_preemptions(struct fl_plan *plan)
{
    plan->depth = FL_DEPTH_INSN;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        if (plan->preemptions[i].k > 0)
            plan->preemptions[kept++] = plan->preemptions[i];
    plan->n_preemptions = kept;
}

static void post(struct flight *flight, const struct fl_plan *plan, enum role role)
{
    struct posted *posted = &flight->queue[flight->head++ % FL_PLAN_SLOTS];
    posted->plan = *plan;
    posted->role = role;
    struct fl_plan sent = *plan;
    if (plan->mode & FL_MODE_ONLINE)
        ask_for_preemptions(&sent);
    session_post(flight->drive->session, &sent);
}

static bool may_issue(const struct flight *flight)
{
    const struct drive *drive = flight->drive;
    return flight->head - flight->tail + 2 <= FL_PLAN_SLOTS && session_room(drive->session) >= 2 &&
           (drive->max_runs == 0 || flight->issued < drive->max_runs);
}

static void post_more(struct flight *flight)
{
    struct drive *drive = flight->drive;
    struct fl_plan plan;
    while (may_issue(flight) && drive->ops->next(drive->strategy, &plan)) {
        const bool twice = drive->twice_every > 0 && flight->issued % drive->twice_every == 0;
        post(flight, &plan, twice ? ROLE_FIRST : ROLE_ONLY);
        if (twice)
            post(flight, &plan, ROLE_SECOND);
        flight->issued++;
    }
}

static void answer(struct flight *flight, const struct fl_decision *ask)
{
    const struct fl_plan *plan = &flight->queue[flight->tail % FL_PLAN_SLOTS].plan;
    uint32_t target = 0;
    for (uint32_t i = 0; i < plan->n_preemptions; i++) {
        const struct fl_preemption *preemption = &plan->preemptions[i];
        if (preemption->thread == ask->thread && preemption->n == ask->n && preemption->k == ask->k)
            target = preemption->target;
    }
    session_answer(flight->drive->session, target);
}

/* ---- back ---- */

static const struct verdict *judge(struct flight *flight, struct run *run)
{
    struct drive *drive = flight->drive;
    uint64_t index = 0;
    g_array_set_size(flight->taken, 0);
    g_array_set_size(flight->taken_at, 0);
    engine_begin(drive->engine, drive->scenario, run->plan.variant);
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t count;
        const struct fl_packet *packet = session_packet(drive->session, run, i, &count);
        if (packet == NULL)
            break;
        engine_events(drive->engine, packet->events, count);
        events_preemptions(packet->events, count, index, flight->taken, flight->taken_at);
        index += count;
    }
    return judge_result(drive->engine, &run->result, run->corrupt);
}

static bool report(struct flight *flight, struct run *run, const struct fl_plan *plan)
{
    struct drive *drive = flight->drive;
    struct run_report report = {.plan = plan, .result = &run->result};
    report.verdict = judge(flight, run);
    report.places = engine_places(drive->engine, &report.n_places);
    report.ready = engine_ready(drive->engine);
    report.taken = (const struct fl_preemption *)(void *)flight->taken->data;
    report.taken_at = (const uint64_t *)(void *)flight->taken_at->data;
    report.n_taken = flight->taken->len;
    drive->ops->done(drive->strategy, &report);
    return drive->on_run == NULL || drive->on_run(drive->context, &report, run);
}

/* The second of two runs of one plan: true when it was as the first. Runs that were
 * cut short cannot be compared. */
static bool compare(struct drive *drive, const struct run *run)
{
    drive->second = capture_take(drive->session, run);
    if (!outcome_is_cut_short(run->result.outcome) && !capture_same(drive->first, drive->second))
        return false;
    g_clear_pointer(&drive->first, capture_free);
    g_clear_pointer(&drive->second, capture_free);
    return true;
}

static bool take(struct flight *flight, struct run *run, enum drive_end *end)
{
    struct drive *drive = flight->drive;
    const struct posted *posted = &flight->queue[flight->tail++ % FL_PLAN_SLOTS];
    bool on = true;
    if (posted->role == ROLE_SECOND) {
        on = compare(drive, run);
        *end = DRIVE_DIVERGED;
    } else {
        if (posted->role == ROLE_FIRST)
            drive->first = capture_take(drive->session, run);
        on = report(flight, run, &posted->plan);
        *end = DRIVE_STOPPED;
    }
    session_release(drive->session);
    return on;
}

/* Waits for one thing to happen. false: the drive is at its end. */
static bool step(struct flight *flight, enum drive_end *end, GError **error)
{
    struct drive *drive = flight->drive;
    struct run run;
    struct fl_decision ask;
    switch (session_wait(drive->session, WAIT_MS, &run, &ask, error)) {
    case SESSION_RUN:
        if (!take(flight, &run, end))
            return false;
        break;
    case SESSION_ASK:
        answer(flight, &ask);
        return true;
    case SESSION_TIMEOUT:
        break;
    case SESSION_FAILED:
        *end = DRIVE_FAILED;
        return false;
    }
    *end = DRIVE_STOPPED;
    return drive->on_wait == NULL || drive->on_wait(drive->context);
}

static enum drive_end fly(struct flight *flight, GError **error)
{
    struct drive *drive = flight->drive;
    enum drive_end end;
    for (;;) {
        post_more(flight);
        if (flight->head == flight->tail)
            return drive->ops->finished(drive->strategy) ? DRIVE_FINISHED : DRIVE_SPENT;
        if (!step(flight, &end, error))
            return end;
    }
}

enum drive_end drive_run(struct drive *drive, GError **error)
{
    g_autofree struct flight *flight = g_new0(struct flight, 1);
    flight->drive = drive;
    flight->taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    flight->taken_at = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    drive->first = drive->second = NULL;

    const enum drive_end end = fly(flight, error);
    if (flight->head != flight->tail && end != DRIVE_FAILED)
        session_drop(drive->session);
    if (end != DRIVE_DIVERGED)
        g_clear_pointer(&drive->first, capture_free);
    g_array_free(flight->taken, TRUE);
    g_array_free(flight->taken_at, TRUE);
    return end;
}
