/* The life of a session: guests boot, run plans, die, and are replaced.
 *
 * A plan is known by its serial. Those in flight are the serials [first, next), kept here until
 * their results are in, so that the next guest can be given what the last one left undone. The
 * oldest of them is the run that a guest is in, and the one that is blamed for its end.
 *
 *        start            booted            death, silence, nonsense: blame the run
 *   OFF -------> BOOTING --------> UP -------------------------------------------------> OFF
 *    ^              | did not boot (three times in a row: failed)
 *    +--------------+
 */
#include "session_inside.h"

#include <string.h>
#include <sys/prctl.h>
#include "trace.h"

#define BOOT_LIMIT       60.0 /* seconds; QEMU takes 0.06 on a quiet machine, nested KVM 3 */
#define WATCHDOG_DEFAULT 10.0
#define FAILED_BOOTS     3u
#define UNSOUND          UINT16_MAX
#define ASKING_MODES     (FL_MODE_ONLINE | FL_MODE_AUDIT | FL_MODE_STEP)

unsigned session_in_flight(const struct session *session)
{
    return session->next - session->first;
}

unsigned session_room(const struct session *session)
{
    return FL_PLAN_SLOTS - session_in_flight(session) - (session->held ? 1 : 0);
}

struct audit_totals session_audits(const struct session *session)
{
    return audit_totals(session->audit);
}

/* For those who spread work: nothing rests on it, whatever the guest writes there. */
unsigned session_unfinished(const struct session *session)
{
    const unsigned in_flight = session_in_flight(session);
    return session->phase == PHASE_UP
               ? in_flight - MIN(channel_waiting(&session->channel), in_flight)
               : in_flight;
}

unsigned session_boots(const struct session *session)
{
    return machine_boots(session->machine);
}

/* ---- OFF, BOOTING ---- */

static void stop_guest(struct session *session)
{
    if (session->phase != PHASE_OFF)
        session_trace_stopped(session->trace, session_boots(session));
    machine_kill(session->machine);
    session->phase = PHASE_OFF;
}

static bool start_guest(struct session *session, GError **error)
{
    struct fl_shared *shared = machine_boot(session->machine, error);
    if (shared == NULL)
        return false;
    session_trace_started(session->trace, session_boots(session));
    channel_attach(&session->channel, shared);
    if (session->accesses != NULL)
        access_reader_attach(session->accesses, machine_access_log(session->machine));
    watchdog_start(&session->watchdog, BOOT_LIMIT);
    session->phase = PHASE_BOOTING;
    return true;
}

/* Gives the guest what it may have. */
static void send(struct session *session)
{
    bool alone = (int32_t)(session->alone_until - session->first) > 0;
    const uint32_t from = session->sent;
    while (session->sent != session->next && (!alone || session->sent == session->first)) {
        channel_post(&session->channel, &session->plans[session->sent % FL_PLAN_SLOTS]);
        session->sent++;
    }
    session_trace_sent(session->trace, from, session->sent);
    if (session_in_flight(session) > 0)
        machine_unpark(session->machine);
    else
        machine_park(session->machine);
}

static void booted(struct session *session)
{
    session->phase = PHASE_UP;
    session->failed_boots = 0;
    watchdog_start(&session->watchdog, session->watchdog_limit);
    session->sent = session->first;
    channel_stop_at(&session->channel, session->stop_event, session->stop_k);
    send(session);
}

static bool boot_failed(struct session *session, const char *reason, GError **error)
{
    stop_guest(session);
    if (++session->failed_boots < FAILED_BOOTS)
        return true;
    g_set_error(error, SESSION_ERROR, SESSION_ERROR_GUEST,
                "the guest did not boot, %u times in a row: %s", FAILED_BOOTS, reason);
    return false;
}

static bool watch_boot(struct session *session, GError **error)
{
    char reason[CHANNEL_REASON];
    bool alive = machine_alive(session->machine, reason, sizeof reason);
    switch (channel_boot(&session->channel)) {
    case CHANNEL_BOOTED:
        booted(session);
        return true;
    case CHANNEL_FOREIGN:
        g_snprintf(reason, sizeof reason, "it has another ABI version than %u; rebuild with `make`",
                   FL_ABI_VERSION);
        return boot_failed(session, reason, error);
    case CHANNEL_BOOTING:
        break;
    }
    if (!alive)
        return boot_failed(session, reason, error);
    if (watchdog_bites(&session->watchdog)) {
        g_snprintf(reason, sizeof reason, "nothing was heard of it for %.0f s",
                   session->watchdog.limit);
        return boot_failed(session, reason, error);
    }
    return true;
}

/* ---- UP ---- */

/* Counts the events of the packets of a run. false: one is unsound, and reason says how. */
static bool check_packets(struct session *session, const struct fl_result *result, size_t *events,
                          char reason[CHANNEL_REASON])
{
    bool sound = true;
    *events = 0;
    for (uint32_t i = 0; i < result->packets; i++) {
        const char *fault = NULL;
        size_t count = 0;
        bool ok = ctf_packet_check(channel_packet(&session->channel, result->first_packet + i),
                                   &count, &fault);
        session->held_events[i] = ok ? (uint16_t)count : UNSOUND;
        *events += count;
        if (!ok && sound)
            g_snprintf(reason, CHANNEL_REASON, "packet %u of %u is unsound: %s", i + 1,
                       result->packets, fault);
        sound = sound && ok;
    }
    return sound;
}

/* The guest itself says abi-violation of a plan that it cannot start, and of nothing else. */
static bool came_to_user_mode(const struct fl_result *result)
{
    return result->outcome != FL_OUTCOME_ABI_VIOLATION;
}

/* The oldest plan in flight has ended, and this is how. */
static void hand_out(struct session *session, const struct fl_result *result, struct run *run)
{
    session->held_accesses = session->accesses != NULL && came_to_user_mode(result);
    run->plan = session->plans[session->first % FL_PLAN_SLOTS];
    run->result = *result;
    session->first++;
    session->held = true;
    session->held_end = result->first_packet + result->packets;
    session_trace_result(session->trace, session, run);
}

/* Ends the guest and makes up the result that it can no longer give. What it has closed of the
 * run's packets can be read as of any other run. */
static void blame(struct session *session, uint32_t outcome, const char *reason, struct run *run)
{
    session_trace_exited(session->trace, session_boots(session), reason);
    stop_guest(session);
    struct fl_result result = {
        .serial = session->first,
        .outcome = outcome,
        .first_packet = session->channel.ring_tail,
        .packets = channel_packets(&session->channel),
    };
    size_t events;
    char unsound[CHANNEL_REASON];
    run->corrupt = !check_packets(session, &result, &events, unsound);
    run->corrupt = run->corrupt || outcome == FL_OUTCOME_ABI_VIOLATION;
    result.events = (uint32_t)events;
    g_strlcpy(run->death, reason, sizeof run->death);
    hand_out(session, &result, run);
}

/* The guest broke the ABI. Whether a run can be blamed for it. */
static bool blame_nonsense(struct session *session, const char *reason, struct run *run)
{
    if (session->sent - session->first > 1) {
        session->alone_until = session->sent;
        stop_guest(session);
        return false;
    }
    blame(session, FL_OUTCOME_ABI_VIOLATION, reason, run);
    return true;
}

/* What the plugin told of a run was told before its result was. */
static bool read_accesses(struct session *session, char reason[CHANNEL_REASON])
{
    bool sound = session->accesses == NULL || access_reader_drain(session->accesses);
    if (!sound)
        g_strlcpy(reason, "the log of accesses is damaged", CHANNEL_REASON);
    return sound;
}

static bool take(struct session *session, const struct fl_result *result, struct run *run)
{
    size_t events;
    char reason[CHANNEL_REASON];
    bool sound = check_packets(session, result, &events, reason) && read_accesses(session, reason);
    if (sound && events != result->events) {
        g_snprintf(reason, sizeof reason, "the result counts %u events, its packets hold %zu",
                   result->events, events);
        sound = false;
    }
    if (!sound)
        return blame_nonsense(session, reason, run);
    run->corrupt = false;
    run->death[0] = '\0';
    hand_out(session, result, run);
    return true;
}

static uint8_t mode_of_run(const struct session *session)
{
    return session->plans[session->first % FL_PLAN_SLOTS].mode;
}

/* What the guest asks is for the driver, unless it is an audit. */
static bool answer_audit(struct session *session, struct fl_decision *ask)
{
    struct fl_decision decision;
    channel_decision(&session->channel, &decision);
    session->audited = decision.point == FL_POINT_NONE && decision.k == 0 &&
                       (mode_of_run(session) & FL_MODE_AUDIT) != 0;
    if (session->audited) {
        const struct fl_audit_result result =
            audit_walk(session->audit, machine_memory(session->machine),
                       channel_core_table(&session->channel));
        channel_audited(&session->channel, &result);
    } else {
        *ask = decision;
        session_trace_asked(session->trace, session->first, ask);
    }
    return session->audited;
}

/* What it is that the guest asks: NULL, or why it may not. It burns no CPU while it stands. */
static const char *sort_ask(struct session *session, struct fl_decision *ask,
                            enum session_event *event)
{
    const uint8_t mode = mode_of_run(session);
    if ((mode & FL_MODE_STEP) && channel_stands(&session->channel)) {
        *event = SESSION_STOP;
        channel_decision(&session->channel, ask);
        machine_park(session->machine);
    } else if ((mode & (FL_MODE_ONLINE | FL_MODE_AUDIT)) == 0) {
        return "the guest asks for a decision, its plan has none";
    } else {
        *event = SESSION_ASK;
    }
    return NULL;
}

/* Whether something is to be told. The guest's end is looked at first: what it gave before its end
 * is then surely seen. */
static bool watch_guest(struct session *session, struct run *run, struct fl_decision *ask,
                        enum session_event *event)
{
    struct fl_result result;
    char reason[CHANNEL_REASON], end[CHANNEL_REASON], where[120];
    const char *wrong;
    bool alive = machine_alive(session->machine, end, sizeof end);
    *event = SESSION_RUN;
    switch (channel_poll(&session->channel, session->first, &result, reason)) {
    case CHANNEL_RESULT:
        return take(session, &result, run);
    case CHANNEL_NONSENSE:
        return blame_nonsense(session, reason, run);
    case CHANNEL_ASK:
        wrong = sort_ask(session, ask, event);
        if (wrong != NULL)
            return blame_nonsense(session, wrong, run);
        return *event == SESSION_STOP || !answer_audit(session, ask);
    case CHANNEL_NOTHING:
        break;
    }
    if (!read_accesses(session, reason))
        return blame_nonsense(session, reason, run);
    uint32_t outcome = FL_OUTCOME_DEAD;
    if (alive) {
        if (!watchdog_bites(&session->watchdog))
            return false;
        outcome = FL_OUTCOME_SILENT;
        machine_end_telling(session->machine, where, sizeof where);
        g_snprintf(end, sizeof end, "the guest made no progress for %.1f s%s",
                   session->watchdog.limit, where);
    }
    blame(session, outcome, end, run);
    return true;
}

/* One look at the guest, or one step towards having one. Whether there is an event to be told. */
static bool advance(struct session *session, struct run *run, struct fl_decision *ask,
                    enum session_event *event, GError **error)
{
    bool going = true;
    switch (session->phase) {
    case PHASE_OFF:
        going = start_guest(session, error);
        break;
    case PHASE_BOOTING:
        going = watch_boot(session, error);
        break;
    case PHASE_UP:
        return watch_guest(session, run, ask, event);
    }
    *event = SESSION_FAILED;
    return !going;
}

/* false: a signal came. */
static bool nap(struct session *session, struct naps *naps)
{
    double slept;
    const bool whole = naps_take(naps, &slept);
    watchdog_feed(&session->watchdog, slept, channel_progress(&session->channel));
    if (watchdog_asks(&session->watchdog))
        watchdog_told(&session->watchdog, machine_waited(session->machine));
    return whole;
}

enum session_event session_wait(struct session *session, int timeout_ms, struct run *run,
                                struct fl_decision *ask, GError **error)
{
    g_assert(!session->held);
    gint64 end = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    const bool asks = (mode_of_run(session) & ASKING_MODES) != 0;
    struct naps naps = naps_begin(asks ? 0 : MAX(session_unfinished(session), 1));
    bool woken = false;
    while (session_in_flight(session) > 0) {
        enum session_event event;
        if (advance(session, run, ask, &event, error))
            return event;
        if (session->audited) {
            session->audited = false;
            naps = naps_begin(0);
        }
        if (woken || (timeout_ms >= 0 && g_get_monotonic_time() >= end))
            break;
        woken = !nap(session, &naps);
    }
    return SESSION_TIMEOUT;
}

/* ---- what a driver does ---- */

/* A guest that died while it had nothing to do is nobody's fault. */
static void bury_idle_guest(struct session *session)
{
    char reason[CHANNEL_REASON];
    if (session->phase == PHASE_UP && !machine_alive(session->machine, reason, sizeof reason))
        stop_guest(session);
}

void session_post(struct session *session, const struct fl_plan *plan)
{
    g_assert(session_room(session) > 0);
    if (session_in_flight(session) == 0)
        bury_idle_guest(session);
    struct fl_plan *kept = &session->plans[session->next % FL_PLAN_SLOTS];
    *kept = *plan;
    kept->serial = session->next++;
    session_trace_posted(session->trace, kept);
    if (session->phase == PHASE_UP)
        send(session);
}

const struct fl_packet *session_packet(struct session *session, const struct run *run, uint32_t i,
                                       size_t *n_events)
{
    g_assert(session->held && i < run->result.packets);
    if (session->held_events[i] == UNSOUND)
        return NULL;
    *n_events = session->held_events[i];
    return channel_packet(&session->channel, run->result.first_packet + i);
}

void session_judged(struct session *session, const struct verdict *verdict)
{
    g_assert(session->held);
    session_trace_verdict(session->trace, session->first - 1, verdict);
}

void session_release(struct session *session)
{
    g_assert(session->held);
    session->held = false;
    if (session->held_accesses)
        access_reader_release(session->accesses);
    session_trace_reset(session->trace, session->first - 1);
    channel_release(&session->channel, session->held_end);
    if (session->phase == PHASE_UP)
        send(session);
}

const struct access *session_accesses(struct session *session, size_t *count)
{
    g_assert(session->held);
    *count = 0;
    return session->held_accesses ? access_reader_run(session->accesses, count) : NULL;
}

/* By ending the guest: what it still has to do may take 64 times a whole budget, and the boot of
 * another is put off until there is a plan for it, which after a search there mostly is not. */
void session_drop(struct session *session)
{
    if (session_in_flight(session) == 0)
        return;
    session->first = session->next;
    stop_guest(session);
}

static bool wait_for_boot(struct session *session, GError **error)
{
    struct naps naps = naps_begin(1);
    while (session->phase != PHASE_UP) {
        enum session_event event;
        if (advance(session, NULL, NULL, &event, error))
            return false;
        nap(session, &naps);
    }
    return true;
}

/* The back end to take. NULL: it cannot be had. */
static const struct backend_ops *choose(const struct session_options *options, GError **error)
{
    char reason[CHANNEL_REASON] = "this back end cannot tell them";
    const struct backend_ops *ops =
        options->backend != NULL ? options->backend : backend_for(options->image->arch);
    if (!options->accesses)
        return ops;
    const struct backend_ops *telling = backend_telling(ops);
    if (telling != NULL && telling->probe_accesses(reason, sizeof reason))
        return telling;
    g_set_error(error, SESSION_ERROR, SESSION_ERROR_ACCESSES,
                "%s: no accesses to memory, hence no depth access: %s", ops->id, reason);
    return NULL;
}

struct session *session_open(const struct session_options *options, GError **error)
{
    const struct backend_ops *ops = choose(options, error);
    if (ops == NULL)
        return NULL;
    if (g_strcmp0(ops->arch, options->image->arch) != 0) {
        g_set_error(error, SESSION_ERROR, SESSION_ERROR_GUEST,
                    "back end %s runs %s guests, %s is one for %s", ops->id, ops->arch,
                    options->image->path, options->image->arch);
        return NULL;
    }
    struct session *session = g_new0(struct session, 1);
    session->accesses = options->accesses ? access_reader_new(SESSION_ACCESSES) : NULL;
    session->watchdog_limit = options->watchdog > 0 ? options->watchdog : WATCHDOG_DEFAULT;
    session->first = session->next = 1; /* 0 is what memory never written to would say */
    prctl(PR_SET_TIMERSLACK, 1);        /* else each nap is 50 us longer than asked */
    session->arch = options->image->header.arch;
    session->audit = audit_new(options->image);
    session->trace = session_trace_open(ops->id, options->image);
    session->machine = machine_open(ops, options->image, options->accesses, options->spawn, error);
    if (session->machine == NULL || !wait_for_boot(session, error)) {
        session_close(session);
        return NULL;
    }
    return session;
}

bool session_leave(struct session *session, const char *text, GError **error)
{
    g_assert(session->phase == PHASE_UP && session_in_flight(session) == 0);
    session->phase = PHASE_OFF;
    return machine_leave(session->machine, text, error);
}

void session_close(struct session *session)
{
    if (session == NULL)
        return;
    const unsigned boots = session->machine != NULL ? session_boots(session) : 0;
    if (session->phase != PHASE_OFF)
        session_trace_stopped(session->trace, boots);
    session_trace_close(session->trace, boots);
    machine_close(session->machine);
    access_reader_free(session->accesses);
    audit_free(session->audit);
    g_free(session);
}
