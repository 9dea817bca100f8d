#include "report_text.h"
#include <inttypes.h>
#include <stdio.h>
#include "check.h"
#include "trace.h"

/* Fields of 0 or 1 that read best as a word, or nothing. */
static bool is_flag(uint16_t id, unsigned field)
{
    return (id == FL_EVENT_IPC_SEND && field == 2) || (id == FL_EVENT_SWITCH && field == 2) ||
           (id == FL_EVENT_LOCK && field == 1) || (id == FL_EVENT_JOIN && field == 1);
}

static const int kind_of[] = {
    [TRACE_FIELD_OUTCOME] = TRACE_OUTCOME, [TRACE_FIELD_ACCESS] = TRACE_ACCESS,
    [TRACE_FIELD_RIGHTS] = TRACE_RIGHTS,   [TRACE_FIELD_HALT] = TRACE_HALT,
    [TRACE_FIELD_SWITCH] = TRACE_SWITCH,   [TRACE_FIELD_ERROR] = TRACE_ERRORS,
    [TRACE_FIELD_LABEL] = TRACE_LABEL,     [TRACE_FIELD_OBJECT] = TRACE_OBJECT,
    [TRACE_FIELD_AUDIT] = TRACE_AUDIT,     [TRACE_FIELD_DEED] = TRACE_DEED,
    [TRACE_FIELD_FAIL] = TRACE_FAIL,
};

/* Labels from USER on are the scenario's own, and have numbers only. */
static void append_value(GString *out, enum trace_kind kind, uint64_t value)
{
    const char *text = trace_value_name(kind, value);

    if (text)
        g_string_append_printf(out, " %s", text);
    else if (kind == TRACE_LABEL && value > FL_LABEL_USER)
        g_string_append_printf(out, " USER+%" PRIu64, value - FL_LABEL_USER);
    else
        g_string_append_printf(out, " %" PRIu64, value);
}

static void append_field(GString *out, const struct fl_scenario *scenario, enum trace_field kind,
                         const char *name, uint64_t value)
{
    char who[TRACE_NAME_MAX];

    switch (kind) {
    case TRACE_FIELD_NONE:
        break;
    case TRACE_FIELD_RAW: /* small ones count, large ones are addresses of objects */
        g_string_append_printf(out, value < 0x10000 ? " %s %" PRIu64 : " %s 0x%" PRIx64, name,
                               value);
        break;
    case TRACE_FIELD_VALUE:
        g_string_append_printf(out, " %s %" PRIu64, name, value);
        break;
    case TRACE_FIELD_PC:
    case TRACE_FIELD_VA:
        g_string_append_printf(out, " %s 0x%" PRIx64, name, value);
        break;
    case TRACE_FIELD_SET:
        g_string_append_printf(out, " %d %s", __builtin_popcountll(value), name);
        break;
    case TRACE_FIELD_THREAD:
        g_string_append_printf(out, " %s %s", name,
                               trace_thread_name(scenario, (uint32_t)value, who));
        break;
    case TRACE_FIELD_OUTCOME:
    case TRACE_FIELD_ACCESS:
    case TRACE_FIELD_RIGHTS:
    case TRACE_FIELD_HALT:
    case TRACE_FIELD_SWITCH:
    case TRACE_FIELD_ERROR:
    case TRACE_FIELD_LABEL:
    case TRACE_FIELD_OBJECT:
    case TRACE_FIELD_AUDIT:
    case TRACE_FIELD_DEED:
    case TRACE_FIELD_FAIL:
        append_value(out, (enum trace_kind)kind_of[kind], value);
        break;
    }
}

void report_event(GString *out, const struct fl_scenario *scenario, const struct fl_event *event)
{
    uint16_t id = fl_event_id(event);
    const struct trace_event_info *info = trace_event_info(id);
    char who[TRACE_NAME_MAX];

    trace_thread_name(scenario, event->thread, who);
    if (!info) {
        g_string_append_printf(out, "%-8s  unknown event %u", who, id);
        return;
    }
    g_string_append_printf(out, "%-8s  %s", who, info->name);
    if (id == FL_EVENT_ENTRY && trace_point_name(event->point))
        g_string_append_printf(out, " %s", trace_point_name(event->point));

    const uint64_t values[] = {event->addr, event->arg, event->aux};
    const enum trace_field kinds[] = {info->addr_kind, info->arg_kind, info->aux_kind};
    const char *const names[] = {info->addr_name, info->arg_name, info->aux_name};
    for (unsigned i = 0; i < G_N_ELEMENTS(values); i++)
        if (id == FL_EVENT_IPC_WAIT && i == 0 && values[i] == FL_PATH_KERNEL)
            g_string_append(out, " from anybody");
        else if (!is_flag(id, i))
            append_field(out, scenario, kinds[i], names[i], values[i]);
        else if (values[i])
            g_string_append_printf(out, " %s", names[i]);
}

void report_verdict(GString *out, const struct report *report)
{
    const struct verdict *verdict = report->verdict;

    switch (verdict->kind) {
    case VERDICT_CLEAN:
        g_string_append(out, "clean");
        break;
    case VERDICT_VIOLATION:
        g_string_append_printf(out, "%s: %s", verdict->violations[0].check->id,
                               verdict->violations[0].message);
        break;
    case VERDICT_INCONCLUSIVE:
        g_string_append_printf(out, "inconclusive: %s", verdict->reason);
        break;
    }
}

/* Index of the thread's n-th entry, or n_events. */
static size_t find_entry(const struct report *report, uint32_t thread, uint32_t n)
{
    size_t i = 0;

    while (i < report->n_events &&
           !(fl_event_id(&report->events[i]) == FL_EVENT_ENTRY &&
             report->events[i].thread == thread && report->events[i].aux == n))
        i++;
    return i;
}

/* The operation of a preempted entry comes only when its thread runs again: the label of an IPC is
 * that of the thread's next ipc_send, if that comes before its next entry. */
static void append_label(GString *out, const struct report *report, size_t entry)
{
    for (size_t i = entry + 1; i < report->n_events; i++) {
        const struct fl_event *event = &report->events[i];
        if (event->thread != report->events[entry].thread)
            continue;
        if (fl_event_id(event) == FL_EVENT_ENTRY)
            return;
        if (fl_event_id(event) == FL_EVENT_IPC_SEND) {
            append_value(out, TRACE_LABEL, event->arg);
            return;
        }
    }
}

/* Where the thread stood: its interruption before the k-th instruction, or the entry itself. */
static uint64_t standing_pc(const struct report *report, size_t entry, uint32_t k)
{
    for (size_t i = entry + 1; k > 0 && i < report->n_events; i++) {
        const struct fl_event *event = &report->events[i];
        if (event->thread == report->events[entry].thread &&
            fl_event_id(event) == FL_EVENT_INTERRUPT && event->aux == k)
            return event->arg;
    }
    return report->events[entry].arg;
}

static void append_where(GString *out, const struct report *report, const struct fl_preemption *at)
{
    size_t i = find_entry(report, at->thread, at->n);
    struct report_place place;

    if (i == report->n_events)
        return;
    const struct fl_event *entry = &report->events[i];
    const char *point = trace_point_name(entry->point);
    g_string_append_printf(out, " (%s", point ? point : "unknown point");
    if (entry->point == FL_POINT_IPC_SEND)
        append_label(out, report, i);
    if (report->lookup &&
        report->lookup(report->lookup_data, standing_pc(report, i, fl_k_in_user(at->k) ? at->k : 0),
                       &place))
        g_string_append_printf(out, ", %s:%u", place.file, place.line);
    g_string_append_c(out, ')');
}

const char *report_ordinal(uint32_t n, char buffer[16])
{
    const char *ending = n % 10 == 1 ? "st" : n % 10 == 2 ? "nd" : n % 10 == 3 ? "rd" : "th";
    snprintf(buffer, 16, "%u%s", n, n % 100 >= 11 && n % 100 <= 13 ? "th" : ending);
    return buffer;
}

const char *report_address(const struct report *report, uint64_t address,
                           char buffer[REPORT_ADDRESS_MAX])
{
    if (address >= FL_CONTEXT_BASE && address < FL_CONTEXT_BASE + FL_CONTEXT_SIZE) {
        const unsigned slot = (unsigned)((address - FL_CONTEXT_BASE) / FL_SLOT_SIZE);
        const uint64_t offset = (address - FL_CONTEXT_BASE) % FL_SLOT_SIZE;
        snprintf(buffer, REPORT_ADDRESS_MAX, offset ? "slot %u + 0x%" PRIx64 : "slot %u", slot,
                 offset);
    } else if (!report->name ||
               !report->name(report->lookup_data, address, buffer, REPORT_ADDRESS_MAX)) {
        snprintf(buffer, REPORT_ADDRESS_MAX, "0x%" PRIx64, address);
    }
    return buffer;
}

static void append_preemption(GString *out, const struct report *report,
                              const struct fl_preemption *at)
{
    char who[TRACE_NAME_MAX], target[TRACE_NAME_MAX], nth[16];

    g_string_append(out, trace_thread_name(report->scenario, at->thread, who));
    if (at->k == 0)
        g_string_append(out, " at ");
    else if (at->k == FL_K_GIVES_UP)
        g_string_append(out, " giving the processor up at ");
    else
        g_string_append_printf(out, " before the %s instruction after ",
                               report_ordinal(at->k, nth));
    if (at->n == 0)
        g_string_append(out, "its start");
    else
        g_string_append_printf(out, "its %s entry", report_ordinal(at->n, nth));
    append_where(out, report, at);
    g_string_append_printf(out, " -> %s", trace_thread_name(report->scenario, at->target, target));
}

void report_preemptions(GString *out, const struct report *report, unsigned indent)
{
    if (report->n_taken == 0) {
        g_string_append(out, "no preemption: the default schedule");
        return;
    }
    g_string_append_printf(out, "%zu preemption%s:", report->n_taken,
                           report->n_taken == 1 ? "" : "s");
    for (size_t i = 0; i < report->n_taken; i++) {
        if (i > 0)
            g_string_append_printf(out, "\n%*s", (int)indent, "");
        else
            g_string_append_c(out, ' ');
        append_preemption(out, report, &report->taken[i]);
    }
}

/* The operation or fault that the thread, a server, has taken last. */
static void append_taken(GString *out, const struct report *report, size_t at)
{
    const uint32_t thread = report->events[at].thread;
    char who[TRACE_NAME_MAX];

    for (size_t i = at; i-- > 0;) {
        const struct fl_event *event = &report->events[i];
        const uint16_t id = fl_event_id(event);
        if (event->thread != thread || (id != FL_EVENT_IPC_DELIVER && id != FL_EVENT_FAULT_DELIVER))
            continue;
        g_string_append(out, " for");
        if (id == FL_EVENT_IPC_DELIVER)
            append_value(out, TRACE_LABEL, event->arg);
        else
            g_string_append(out, " a fault");
        g_string_append_printf(out, " of %s",
                               trace_thread_name(report->scenario, (uint32_t)event->addr, who));
        return;
    }
}

void report_refusals(GString *out, const struct report *report, unsigned indent)
{
    char who[TRACE_NAME_MAX], nth[16];

    for (size_t i = 0; i < report->n_events; i++) {
        const struct fl_event *event = &report->events[i];
        if (fl_event_id(event) != FL_EVENT_REFUSE)
            continue;
        g_string_append_printf(out, "\n%*srefused: the %s %s, which %s needs", (int)indent, "",
                               report_ordinal(event->aux, nth),
                               trace_value_name(TRACE_FAIL, event->arg) ?: "unknown",
                               trace_thread_name(report->scenario, event->thread, who));
        if (event->arg != FL_FAIL_IPC)
            append_taken(out, report, i);
    }
}
