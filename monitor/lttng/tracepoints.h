/* The tracepoints. LTTng's headers read this file several times (HEADER_MULTI_READ). */
#undef LTTNG_UST_TRACEPOINT_PROVIDER
#define LTTNG_UST_TRACEPOINT_PROVIDER faultline
#undef LTTNG_UST_TRACEPOINT_INCLUDE
#define LTTNG_UST_TRACEPOINT_INCLUDE "./tracepoints.h"

#if !defined(FAULTLINE_LTTNG_TRACEPOINTS_H) || defined(LTTNG_UST_TRACEPOINT_HEADER_MULTI_READ)
#define FAULTLINE_LTTNG_TRACEPOINTS_H

#include <lttng/tracepoint.h>
#include <stdint.h>
#include "host_events.h"

/* A list of fields has no commas, which the layout tool cannot know. */
/* clang-format off */

LTTNG_UST_TRACEPOINT_EVENT(faultline, command,
    LTTNG_UST_TP_ARGS(const char *, verb, const char *, subject),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_string(verb, verb)
        lttng_ust_field_string(subject, subject)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, session_open,
    LTTNG_UST_TP_ARGS(unsigned, guest, const char *, backend, const char *, arch),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_string(backend, backend)
        lttng_ust_field_string(arch, arch)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, session_close,
    LTTNG_UST_TP_ARGS(unsigned, guest, unsigned, boots),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(unsigned, boots, boots)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, guest_start,
    LTTNG_UST_TP_ARGS(unsigned, guest, unsigned, boot),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(unsigned, boot, boot)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, guest_stop,
    LTTNG_UST_TP_ARGS(unsigned, guest, unsigned, boot),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(unsigned, boot, boot)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, guest_exit,
    LTTNG_UST_TP_ARGS(unsigned, guest, unsigned, boot, const char *, reason),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(unsigned, boot, boot)
        lttng_ust_field_string(reason, reason)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, plan,
    LTTNG_UST_TP_ARGS(const struct host_plan *, plan),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, plan->guest)
        lttng_ust_field_integer(uint32_t, serial, plan->serial)
        lttng_ust_field_string(scenario, plan->scenario)
        lttng_ust_field_string(variant, plan->variant)
        lttng_ust_field_integer(unsigned, mode, plan->mode)
        lttng_ust_field_integer(unsigned, preemptions, plan->preemptions)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, injection,
    LTTNG_UST_TP_ARGS(unsigned, guest, uint32_t, serial, const struct fl_preemption *, preemption),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(uint32_t, serial, serial)
        lttng_ust_field_integer_hex(uint32_t, thread, preemption->thread)
        lttng_ust_field_integer(uint32_t, n, preemption->n)
        lttng_ust_field_integer(uint32_t, k, preemption->k)
        lttng_ust_field_integer_hex(uint32_t, target, preemption->target)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, batch,
    LTTNG_UST_TP_ARGS(unsigned, guest, uint32_t, first, unsigned, plans),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(uint32_t, first, first)
        lttng_ust_field_integer(unsigned, plans, plans)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, decision_asked,
    LTTNG_UST_TP_ARGS(const struct host_decision *, decision),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, decision->guest)
        lttng_ust_field_integer(uint32_t, serial, decision->serial)
        lttng_ust_field_integer(uint32_t, number, decision->number)
        lttng_ust_field_integer_hex(uint32_t, thread, decision->thread)
        lttng_ust_field_integer(uint32_t, n, decision->n)
        lttng_ust_field_integer(uint32_t, k, decision->k)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, decision_answered,
    LTTNG_UST_TP_ARGS(const struct host_decision *, decision),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, decision->guest)
        lttng_ust_field_integer(uint32_t, serial, decision->serial)
        lttng_ust_field_integer(uint32_t, number, decision->number)
        lttng_ust_field_integer_hex(uint32_t, thread, decision->thread)
        lttng_ust_field_integer(uint32_t, n, decision->n)
        lttng_ust_field_integer(uint32_t, k, decision->k)
        lttng_ust_field_integer_hex(uint32_t, target, decision->target)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, result,
    LTTNG_UST_TP_ARGS(const struct host_result *, result),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, result->guest)
        lttng_ust_field_integer(uint32_t, serial, result->serial)
        lttng_ust_field_string(outcome, result->outcome)
        lttng_ust_field_string(death, result->death)
        lttng_ust_field_integer(uint32_t, events, result->events)
        lttng_ust_field_integer(uint32_t, lost, result->lost)
        lttng_ust_field_integer(uint32_t, reached, result->reached)
        lttng_ust_field_integer(uint32_t, entries, result->entries)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, reset,
    LTTNG_UST_TP_ARGS(unsigned, guest, uint32_t, serial),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(uint32_t, serial, serial)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, timeline_full,
    LTTNG_UST_TP_ARGS(unsigned, guest, uint32_t, serial),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, guest)
        lttng_ust_field_integer(uint32_t, serial, serial)))

LTTNG_UST_TRACEPOINT_EVENT(faultline, verdict,
    LTTNG_UST_TP_ARGS(const struct host_verdict *, verdict),
    LTTNG_UST_TP_FIELDS(
        lttng_ust_field_integer(unsigned, guest, verdict->guest)
        lttng_ust_field_integer(uint32_t, serial, verdict->serial)
        lttng_ust_field_string(verdict, verdict->verdict)
        lttng_ust_field_string(check, verdict->check)
        lttng_ust_field_integer_hex(uint64_t, event_hash, verdict->event_hash)))

/* clang-format on */

#endif

#include <lttng/tracepoint-event.h>
