/* plugin/lttng-ust.so: the provider of the tracepoints, and the table by which the monitor calls
 * them. Loading it starts the threads of LTTng-UST, which look for a session daemon. */
#define LTTNG_UST_TRACEPOINT_CREATE_PROBES
#define LTTNG_UST_TRACEPOINT_DEFINE
#include "tracepoints.h"

static void tell_command(const char *verb, const char *subject)
{
    lttng_ust_tracepoint(faultline, command, verb, subject);
}

static void tell_session_open(unsigned guest, const char *backend, const char *arch)
{
    lttng_ust_tracepoint(faultline, session_open, guest, backend, arch);
}

static void tell_session_close(unsigned guest, unsigned boots)
{
    lttng_ust_tracepoint(faultline, session_close, guest, boots);
}

static void tell_guest_start(unsigned guest, unsigned boot)
{
    lttng_ust_tracepoint(faultline, guest_start, guest, boot);
}

static void tell_guest_stop(unsigned guest, unsigned boot)
{
    lttng_ust_tracepoint(faultline, guest_stop, guest, boot);
}

static void tell_guest_exit(unsigned guest, unsigned boot, const char *reason)
{
    lttng_ust_tracepoint(faultline, guest_exit, guest, boot, reason);
}

static void tell_plan(const struct host_plan *plan)
{
    lttng_ust_tracepoint(faultline, plan, plan);
}

static void tell_injection(unsigned guest, uint32_t serial, const struct fl_preemption *preemption)
{
    lttng_ust_tracepoint(faultline, injection, guest, serial, preemption);
}

static void tell_batch(unsigned guest, uint32_t first, unsigned plans)
{
    lttng_ust_tracepoint(faultline, batch, guest, first, plans);
}

static void tell_asked(const struct host_decision *decision)
{
    lttng_ust_tracepoint(faultline, decision_asked, decision);
}

static void tell_answered(const struct host_decision *decision)
{
    lttng_ust_tracepoint(faultline, decision_answered, decision);
}

static void tell_result(const struct host_result *result)
{
    lttng_ust_tracepoint(faultline, result, result);
}

static void tell_reset(unsigned guest, uint32_t serial)
{
    lttng_ust_tracepoint(faultline, reset, guest, serial);
}

static void tell_full(unsigned guest, uint32_t serial)
{
    lttng_ust_tracepoint(faultline, timeline_full, guest, serial);
}

static void tell_verdict(const struct host_verdict *verdict)
{
    lttng_ust_tracepoint(faultline, verdict, verdict);
}

extern const struct host_events faultline_host_events;
__attribute__((visibility("default"))) const struct host_events faultline_host_events = {
    .command = tell_command,
    .session_open = tell_session_open,
    .session_close = tell_session_close,
    .guest_start = tell_guest_start,
    .guest_stop = tell_guest_stop,
    .guest_exit = tell_guest_exit,
    .plan = tell_plan,
    .injection = tell_injection,
    .batch = tell_batch,
    .decision_asked = tell_asked,
    .decision_answered = tell_answered,
    .result = tell_result,
    .reset = tell_reset,
    .timeline_full = tell_full,
    .verdict = tell_verdict,
};
