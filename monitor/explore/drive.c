#include "drive.h"

#include <string.h>
#include "gives_up.h"
#include "orders.h"
#include "plan.h"
#include "touched.h"

#define WAIT_MS 100
#define AHEAD   (2 * FL_PLAN_SLOTS) /* plans in flight for each guest, those recalled among them */

enum role { ROLE_ONLY, ROLE_FIRST, ROLE_SECOND, ROLE_RECALLED };

/* A plan that was given out and has not come back. In online mode what was posted has no
 * preemptions at k = 0: the guest asks at every entry, and the driver answers with them. */
struct posted {
    struct fl_plan plan;
    enum role role;
    uint64_t number;
    struct session *session;
    struct verdict verdict; /* ROLE_RECALLED */
};

struct flight {
    struct drive *drive;
    GQueue *queue;       /* of struct posted, the oldest first */
    struct posted *held; /* a plan for which there was no room yet, or NULL */
    uint64_t issued;
    unsigned generation;       /* of the last report */
    GArray *taken;             /* of struct fl_preemption */
    GArray *taken_at;          /* of uint64_t */
    struct touched *touched;   /* standing; else NULL */
    struct orders *orders;     /* ops->steps, orders or prefixes; else NULL */
    struct gives_up *gives_up; /* gives_up; else NULL */
};

/* ---- out ---- */

static bool wants_steps(const struct flight *flight, const struct fl_plan *plan)
{
    const struct drive *drive = flight->drive;
    return drive->ops->steps || drive->orders ||
           (drive->prefixes && (plan->mode & FL_MODE_SPANS) != 0);
}

static void post(struct flight *flight, struct posted *posted, struct session *session)
{
    struct fl_plan sent = posted->plan;
    if (wants_steps(flight, &sent))
        sent.mode |= FL_MODE_SPANS; /* which accesses are told by */
    if ((sent.mode & FL_MODE_ONLINE) && !(sent.mode & FL_MODE_AFTER))
        plan_make_online(&sent);
    if (flight->drive->standing != NULL)
        sent.depth = posted->plan.depth; /* no other entry is asked about */
    posted->session = session;
    session_post(session, &sent);
    g_queue_push_tail(flight->queue, posted);
}

static bool wants_accesses(const struct flight *flight, const struct fl_plan *plan)
{
    if (wants_steps(flight, plan))
        return true;
    const bool wanted = flight->drive->accesses ? depth_needs_spans(plan->depth)
                                                : depth_needs_accesses(plan->depth);
    return flight->drive->depths != NULL && (plan->mode & FL_MODE_SPANS) && wanted;
}

/* The next plan, once there are guests for it. NULL: none now. */
static struct posted *prepare(struct flight *flight)
{
    struct drive *drive = flight->drive;
    if (flight->held != NULL)
        return g_steal_pointer(&flight->held);
    if (drive->max_runs != 0 && flight->issued == drive->max_runs)
        return NULL;
    struct posted *posted = g_new0(struct posted, 1);
    if (!drive->ops->next(drive->strategy, &posted->plan)) {
        g_free(posted);
        return NULL;
    }
    posted->number = flight->issued++;
    const bool twice = drive->twice_every > 0 && posted->number % drive->twice_every == 0;
    if (drive->recall != NULL && drive->recall(drive->context, posted->number, &posted->verdict))
        posted->role = ROLE_RECALLED;
    else
        posted->role = twice ? ROLE_FIRST : ROLE_ONLY;
    return posted;
}

/* false: a guest is wanted and none can be had. */
static bool post_more(struct flight *flight, GError **error)
{
    struct drive *drive = flight->drive;
    while (g_queue_get_length(flight->queue) < AHEAD * crew_jobs(drive->crew)) {
        struct posted *posted = prepare(flight);
        if (posted == NULL)
            return true;
        if (posted->role == ROLE_RECALLED) {
            g_queue_push_tail(flight->queue, posted);
            continue;
        }
        const bool accesses = wants_accesses(flight, &posted->plan);
        if (!crew_open(drive->crew, accesses, error)) {
            g_free(posted);
            return false;
        }
        struct session *session =
            crew_pick(drive->crew, accesses, 1 + (posted->role == ROLE_FIRST));
        if (session == NULL) {
            flight->held = posted;
            return true;
        }
        post(flight, posted, session);
        if (posted->role == ROLE_FIRST) {
            struct posted *second = g_memdup2(posted, sizeof(*posted));
            second->role = ROLE_SECOND;
            post(flight, second, session);
        }
    }
    return true;
}

/* ---- back ---- */

/* Events of the run that the engine has had, when the guest asked. What a dying guest said last may
 * not be among its packets: then all is judged anew. */
static uint64_t judged_so_far(const struct drive *drive, const struct session *session,
                              const struct run *run)
{
    return drive->standing != NULL && !outcome_is_cut_short(run->result.outcome)
               ? standing_fed(drive->standing, session)
               : 0;
}

static const struct verdict *judge(struct flight *flight, struct session *session, struct run *run)
{
    struct drive *drive = flight->drive;
    const uint64_t fed = judged_so_far(drive, session, run);
    uint64_t index = 0;
    if (fed == 0)
        engine_begin(drive->engine, drive->scenario, run->plan.variant);
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t count;
        const struct fl_packet *packet = session_packet(session, run, i, &count);
        if (packet == NULL)
            break;
        const size_t had = fed > index ? (size_t)MIN(fed - index, count) : 0;
        engine_events(drive->engine, packet->events + had, count - had);
        events_preemptions(packet->events, count, index, flight->taken, flight->taken_at);
        if (flight->orders != NULL)
            orders_events(flight->orders, packet->events, count);
        if (flight->gives_up != NULL)
            gives_up_events(flight->gives_up, packet->events, count);
        index += count;
    }
    return judge_result(drive->engine, &run->result, run->corrupt);
}

/* Which instructions are places is learned from runs: so what was touched is part of the state. */
static void add_touched(struct flight *flight, const struct access *log, size_t n,
                        const struct run_report *report)
{
    touched_begin(flight->touched, flight->drive->engine, log, n);
    for (size_t i = 0; i < report->n_places; i++)
        standing_add(flight->drive->standing, i,
                     touched_until(flight->touched, report->places[i].event));
}

static void fill_places(struct flight *flight, const struct posted *posted,
                        struct run_report *report)
{
    struct drive *drive = flight->drive;
    const unsigned depth = posted->plan.depth;
    if (drive->depths == NULL)
        return;
    if (drive->depths[depth] == NULL)
        drive->depths[depth] = depth_new(depth);
    size_t n = 0;
    const struct access *log =
        wants_accesses(flight, &posted->plan) ? session_accesses(posted->session, &n) : NULL;
    depth_fill(drive->depths[depth], drive->engine, log, n, report);
    if (drive->focus != NULL)
        focus_places(drive->focus, drive->engine, report);
    if (drive->standing != NULL)
        standing_fill(drive->standing, report);
    if (drive->standing != NULL && depth == FL_DEPTH_ACCESS)
        add_touched(flight, log, n, report);
    if (flight->gives_up != NULL)
        gives_up_fill(flight->gives_up, report);
}

static void fill_orders(struct flight *flight, const struct posted *posted,
                        struct run_report *report)
{
    size_t n;
    const struct access *log = session_accesses(posted->session, &n);
    orders_fill(flight->orders, flight->drive->engine, log, n, report);
}

static bool hand_back(struct flight *flight, struct driven *driven, const struct run_report *report)
{
    struct drive *drive = flight->drive;
    driven->report = report;
    driven->used = drive->ops->done(drive->strategy, report);
    driven->used = driven->used || drive->orders || report->generation != flight->generation;
    flight->generation = report->generation;
    return drive->on_run == NULL || drive->on_run(drive->context, driven);
}

static bool report_run(struct flight *flight, const struct posted *posted, struct run *run)
{
    struct run_report report = {.plan = &posted->plan, .result = &run->result};
    g_array_set_size(flight->taken, 0);
    g_array_set_size(flight->taken_at, 0);
    if (flight->orders != NULL)
        orders_begin(flight->orders);
    if (flight->gives_up != NULL)
        gives_up_begin(flight->gives_up);
    report.verdict = judge(flight, posted->session, run);
    session_judged(posted->session, report.verdict);
    report.taken = (const struct fl_preemption *)(void *)flight->taken->data;
    report.taken_at = (const uint64_t *)(void *)flight->taken_at->data;
    report.n_taken = flight->taken->len;
    fill_places(flight, posted, &report);
    if (wants_steps(flight, &posted->plan))
        fill_orders(flight, posted, &report);
    struct driven driven = {.number = posted->number, .run = run, .session = posted->session};
    return hand_back(flight, &driven, &report);
}

static bool report_recalled(struct flight *flight, const struct posted *posted)
{
    const struct fl_result result = {.outcome = posted->verdict.outcome};
    const struct run_report report = {.plan = &posted->plan,
                                      .result = &result,
                                      .verdict = &posted->verdict,
                                      .generation = flight->generation};
    struct driven driven = {.number = posted->number};
    return hand_back(flight, &driven, &report);
}

/* The second of two runs of one plan: true when it was as the first. Runs that were
 * cut short cannot be compared. */
static bool compare(struct drive *drive, struct session *session, const struct run *run)
{
    drive->second = capture_take(session, run);
    if (!outcome_is_cut_short(run->result.outcome) && !capture_same(drive->first, drive->second))
        return false;
    g_clear_pointer(&drive->first, capture_free);
    g_clear_pointer(&drive->second, capture_free);
    return true;
}

static bool take(struct flight *flight, struct run *run, enum drive_end *end)
{
    struct drive *drive = flight->drive;
    g_autofree struct posted *posted = g_queue_pop_head(flight->queue);
    bool on = true;
    if (posted->role == ROLE_SECOND) {
        on = compare(drive, posted->session, run);
        *end = DRIVE_DIVERGED;
    } else {
        if (posted->role == ROLE_FIRST)
            drive->first = capture_take(posted->session, run);
        on = report_run(flight, posted, run);
        *end = DRIVE_STOPPED;
    }
    session_release(posted->session);
    if (drive->standing != NULL)
        standing_begin(drive->standing);
    return on;
}

static uint32_t decide(struct flight *flight, const struct posted *posted,
                       const struct fl_decision *ask)
{
    struct drive *drive = flight->drive;
    if (drive->standing == NULL)
        return plan_answer(&posted->plan, ask);
    const struct state_hash *state = standing_ask(drive->standing, drive->engine, drive->scenario,
                                                  posted->plan.variant, posted->session, ask);
    const bool ends = posted->role == ROLE_SECOND
                          ? !standing_goes_on(drive->standing)
                          : state != NULL && drive->ops->known(drive->strategy, state);
    if (ends)
        standing_end(drive->standing);
    return ends ? FL_DECIDE_END : plan_answer(&posted->plan, ask);
}

/* Waits for one thing to happen. false: the drive is at its end. */
static bool step(struct flight *flight, enum drive_end *end, GError **error)
{
    struct drive *drive = flight->drive;
    const struct posted *oldest = g_queue_peek_head(flight->queue);
    struct run run;
    struct fl_decision ask;
    *end = DRIVE_STOPPED;
    if (oldest->role == ROLE_RECALLED) {
        g_autofree struct posted *recalled = g_queue_pop_head(flight->queue);
        return report_recalled(flight, recalled);
    }
    switch (session_wait(oldest->session, WAIT_MS, &run, &ask, error)) {
    case SESSION_RUN:
        if (!take(flight, &run, end))
            return false;
        break;
    case SESSION_ASK:
        session_answer(oldest->session, decide(flight, oldest, &ask));
        return true;
    case SESSION_STOP: /* no strategy gives plans of mode step */
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
        if (!post_more(flight, error))
            return DRIVE_FAILED;
        if (g_queue_is_empty(flight->queue))
            return drive->ops->finished(drive->strategy) ? DRIVE_FINISHED : DRIVE_SPENT;
        if (!step(flight, &end, error))
            return end;
    }
}

enum drive_end drive_run(struct drive *drive, GError **error)
{
    const bool named = drive->orders || drive->prefixes;
    const struct relation *relation = drive->relation != NULL ? drive->relation : &relation_true;
    struct flight flight = {
        .drive = drive,
        .queue = g_queue_new(),
        .taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption)),
        .taken_at = g_array_new(FALSE, FALSE, sizeof(uint64_t)),
        .orders = drive->ops->steps || named ? orders_new(drive->depth, relation, named) : NULL,
        .gives_up = drive->gives_up ? gives_up_new() : NULL,
        .touched = drive->standing != NULL ? touched_new() : NULL,
    };
    drive->first = drive->second = NULL;

    const enum drive_end end = fly(&flight, error);
    if (end != DRIVE_FAILED)
        crew_drop(drive->crew);
    if (end != DRIVE_DIVERGED)
        g_clear_pointer(&drive->first, capture_free);
    g_queue_free_full(flight.queue, g_free);
    g_free(flight.held);
    g_array_free(flight.taken, TRUE);
    g_array_free(flight.taken_at, TRUE);
    orders_free(flight.orders);
    gives_up_free(flight.gives_up);
    touched_free(flight.touched);
    return end;
}
