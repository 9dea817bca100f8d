/* A moment that guest events come after is read after the host's own event, one that they come
 * before is read before it: so in a listing the host's event is never on the wrong side of them. */
#include "session_trace.h"

#include "check.h"
#include "engine.h"
#include "host_trace.h"
#include "trace.h"
#include "verdict_json.h"

struct session_trace {
    const struct image *image;
    unsigned guest;
    uint64_t posted[FL_PLAN_SLOTS]; /* when, by serial */
    GArray *decisions;              /* struct timeline_decision, of the run that the guest is in */
    struct timeline *timeline;      /* NULL: none, or no run yet */
    GArray *packets;                /* struct fl_packet: the copy that is put on the host's clock */
    bool tried;
};

struct session_trace *session_trace_open(const char *backend, const struct image *image)
{
    if (host_events == NULL)
        return NULL;
    struct session_trace *trace = g_new0(struct session_trace, 1);
    trace->image = image;
    trace->guest = host_trace_guest();
    trace->decisions = g_array_new(FALSE, FALSE, sizeof(struct timeline_decision));
    trace->packets = g_array_new(FALSE, FALSE, sizeof(struct fl_packet));
    host_events->session_open(trace->guest, backend, image->arch);
    return trace;
}

void session_trace_close(struct session_trace *trace, unsigned boots)
{
    if (trace == NULL)
        return;
    host_events->session_close(trace->guest, boots);
    timeline_close(trace->timeline);
    g_array_free(trace->decisions, TRUE);
    g_array_free(trace->packets, TRUE);
    g_free(trace);
}

void session_trace_started(struct session_trace *trace, unsigned boot)
{
    if (trace != NULL)
        host_events->guest_start(trace->guest, boot);
}

void session_trace_stopped(struct session_trace *trace, unsigned boot)
{
    if (trace != NULL)
        host_events->guest_stop(trace->guest, boot);
}

void session_trace_exited(struct session_trace *trace, unsigned boot, const char *reason)
{
    if (trace != NULL)
        host_events->guest_exit(trace->guest, boot, reason);
}

static const struct fl_scenario *scenario_of(const struct session_trace *trace,
                                             const struct fl_plan *plan)
{
    return plan->scenario < trace->image->header.n_scenarios
               ? &trace->image->scenarios[plan->scenario]
               : NULL;
}

void session_trace_posted(struct session_trace *trace, const struct fl_plan *plan)
{
    if (trace == NULL)
        return;
    const struct fl_scenario *scenario = scenario_of(trace, plan);
    const bool known = scenario != NULL && plan->variant < scenario->n_variants;
    host_events->plan(&(struct host_plan){
        .guest = trace->guest,
        .serial = plan->serial,
        .scenario = known ? scenario->id : "",
        .variant = known ? scenario->variants[plan->variant].id : "",
        .mode = plan->mode,
        .preemptions = plan->n_preemptions,
    });
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        host_events->injection(trace->guest, plan->serial, &plan->preemptions[i]);
    trace->posted[plan->serial % FL_PLAN_SLOTS] = host_trace_now();
}

void session_trace_sent(struct session_trace *trace, uint32_t first, uint32_t end)
{
    if (trace != NULL && first != end)
        host_events->batch(trace->guest, first, end - first);
}

static struct host_decision last_decision(const struct session_trace *trace, uint32_t serial)
{
    const struct timeline_decision *last =
        &g_array_index(trace->decisions, struct timeline_decision, trace->decisions->len - 1);
    return (struct host_decision){
        .guest = trace->guest,
        .serial = serial,
        .number = trace->decisions->len,
        .thread = last->thread,
        .n = last->n,
        .k = last->k,
    };
}

/* Whoever waits again without an answer is told again. */
static bool is_open(const struct session_trace *trace)
{
    const guint count = trace->decisions->len;
    return count > 0 &&
           g_array_index(trace->decisions, struct timeline_decision, count - 1).answered == 0;
}

void session_trace_asked(struct session_trace *trace, uint32_t serial,
                         const struct fl_decision *decision)
{
    if (trace == NULL || is_open(trace))
        return;
    const struct timeline_decision asked = {
        .thread = decision->thread,
        .n = decision->n,
        .k = decision->k,
        .asked = host_trace_now(),
    };
    g_array_append_val(trace->decisions, asked);
    const struct host_decision told = last_decision(trace, serial);
    host_events->decision_asked(&told);
}

void session_trace_answered(struct session_trace *trace, uint32_t serial, uint32_t target)
{
    if (trace == NULL || !is_open(trace))
        return;
    struct host_decision told = last_decision(trace, serial);
    told.target = target;
    if (target != FL_PATH_KERNEL)
        host_events->injection(
            trace->guest, serial,
            &(struct fl_preemption){
                .thread = told.thread, .n = told.n, .k = told.k, .target = target});
    host_events->decision_answered(&told);
    g_array_index(trace->decisions, struct timeline_decision, trace->decisions->len - 1).answered =
        host_trace_now();
}

static void copy_packets(struct session_trace *trace, struct session *session,
                         const struct run *run)
{
    g_array_set_size(trace->packets, 0);
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t events;
        const struct fl_packet *packet = session_packet(session, run, i, &events);
        if (packet == NULL)
            return;
        g_array_append_vals(trace->packets, packet, 1);
        /* the guest may have written to it since it was checked */
        if (!ctf_packet_check(&g_array_index(trace->packets, struct fl_packet, i), &events, NULL)) {
            g_array_set_size(trace->packets, i);
            return;
        }
    }
}

static void add_to_timeline(struct session_trace *trace, struct session *session,
                            const struct run *run, uint64_t seen)
{
    if (!trace->tried)
        trace->timeline = host_trace_timeline(trace->guest, scenario_of(trace, &run->plan));
    trace->tried = true;
    if (trace->timeline == NULL)
        return;
    const struct timeline_run placed = {
        .posted = trace->posted[run->plan.serial % FL_PLAN_SLOTS],
        .seen = seen,
        .decisions = (const struct timeline_decision *)(void *)trace->decisions->data,
        .n_decisions = trace->decisions->len,
    };
    copy_packets(trace, session, run);
    timeline_add(trace->timeline, (struct fl_packet *)(void *)trace->packets->data,
                 trace->packets->len, &placed);
}

/* Said before the result of the first run of which there are no guest events. */
static bool has_room(const struct session_trace *trace, const struct run *run)
{
    bool first;
    if (host_trace_room(run->result.packets * sizeof(struct fl_packet), &first))
        return true;
    if (first)
        host_events->timeline_full(trace->guest, run->plan.serial);
    return false;
}

void session_trace_result(struct session_trace *trace, struct session *session,
                          const struct run *run)
{
    if (trace == NULL)
        return;
    const uint64_t seen = host_trace_now();
    const struct host_result told = {
        .guest = trace->guest,
        .serial = run->plan.serial,
        .outcome = trace_value_name(TRACE_OUTCOME, run->result.outcome),
        .death = run->death,
        .events = run->result.events,
        .lost = run->result.lost,
        .reached = run->result.reached,
        .entries = run->result.entries,
    };
    const bool room = has_room(trace, run);
    host_events->result(&told);
    if (room)
        add_to_timeline(trace, session, run, seen);
    g_array_set_size(trace->decisions, 0);
}

void session_trace_reset(struct session_trace *trace, uint32_t serial)
{
    if (trace != NULL)
        host_events->reset(trace->guest, serial);
}

void session_trace_verdict(struct session_trace *trace, uint32_t serial,
                           const struct verdict *verdict)
{
    if (trace == NULL)
        return;
    const struct host_verdict told = {
        .guest = trace->guest,
        .serial = serial,
        .verdict = verdict_name(verdict->kind),
        .check = verdict->n_violations > 0 ? verdict->violations[0].check->id : "",
        .event_hash = verdict->event_hash,
    };
    host_events->verdict(&told);
}
