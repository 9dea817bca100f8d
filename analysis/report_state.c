#include "report_state.h"

#include <inttypes.h>
#include <stdarg.h>
#include <string.h>
#include "report_lanes.h"
#include "trace.h"

enum { FAULTS_SHOWN = 12 };

static report_view_print print_threads, print_ipc, print_faults;

const struct report_view report_views[] = {
    {"threads", "who exists, and what each does or waits for", print_threads},
    {"slots", "stack slots, and who holds them", report_slots},
    {"maps", "pages mapped, and vm areas", report_maps},
    {"faults", "page faults, those in flight first", print_faults},
    {"ipc", "messages on their way, and who waits for one", print_ipc},
    {"chain", "vm areas, the chains of objects behind them, and their pages", report_chain},
    {NULL, NULL, NULL},
};

const struct report_view *report_view_find(const char *name)
{
    const struct report_view *found = NULL;
    for (const struct report_view *view = report_views; view->name != NULL; view++) {
        if (strcmp(view->name, name) == 0)
            return view;
        if (name[0] == '\0' || !g_str_has_prefix(view->name, name))
            continue;
        if (found != NULL)
            return NULL;
        found = view;
    }
    return found;
}

void report_state_at(struct model *model, const struct report *report, unsigned variant,
                     size_t event)
{
    g_assert(event < report->n_events);
    model_begin(model, report->scenario, variant);
    for (size_t i = 0; i <= event; i++)
        model_event(model, &report->events[i]);
}

/* ---- threads ---- */

static const char *value(enum trace_kind kind, uint64_t number)
{
    const char *text = trace_value_name(kind, number);
    return text != NULL ? text : "?";
}

/* The thread's last event of this id so far; NULL: none. */
static const struct fl_event *last_event(const struct model *model, const struct report *report,
                                         uint32_t thread, uint16_t id)
{
    for (uint64_t i = model->event + 1; i-- > 0;)
        if (report->events[i].thread == thread && fl_event_id(&report->events[i]) == id)
            return &report->events[i];
    return NULL;
}

/* "ATTACH_AT": what it sent last. */
static void append_label(GString *out, const struct model *model, const struct report *report,
                         uint32_t thread)
{
    const struct fl_event *send = last_event(model, report, thread, FL_EVENT_IPC_SEND);
    if (send == NULL)
        return;
    const char *text = trace_value_name(TRACE_LABEL, send->arg);
    if (text != NULL)
        g_string_append_printf(out, " %s", text);
    else
        g_string_append_printf(out, " USER+%u", send->arg - FL_LABEL_USER);
}

static void append_fault(GString *out, const struct model *model, const struct report *report,
                         const struct model_thread *thread)
{
    char where[REPORT_ADDRESS_MAX];
    if (thread->fault == MODEL_NONE)
        return;
    const struct model_fault *fault = model_fault(model, thread->fault);
    g_string_append_printf(out, "fault %u: %s %s", fault->number,
                           value(TRACE_ACCESS, fault->access),
                           report_address(report, fault->address, where));
}

static void append_wait(GString *out, const struct model *model, const struct report *report,
                        const struct model_thread *thread)
{
    char who[TRACE_NAME_MAX], where[REPORT_ADDRESS_MAX];
    trace_thread_name(report->scenario, thread->waits_for, who);
    switch (thread->waits) {
    case WAIT_SEND:
        g_string_append_printf(out, "waits to %s %s", thread->calls ? "call" : "send to", who);
        append_label(out, model, report, thread->path);
        break;
    case WAIT_REPLY:
        g_string_append_printf(out, "waits for %s's reply to", who);
        append_label(out, model, report, thread->path);
        break;
    case WAIT_RECEIVE:
        g_string_append_printf(out, "waits for a message of %s",
                               thread->waits_for == FL_PATH_KERNEL ? "anybody" : who);
        break;
    case WAIT_FAULT:
        append_fault(out, model, report, thread);
        break;
    case WAIT_LOCK:
        g_string_append_printf(
            out, "waits for %s, which %s has", report_address(report, thread->waits_at, where),
            trace_thread_name(report->scenario,
                              model_lock_holder(model, thread->space, thread->waits_at), who));
        break;
    case WAIT_JOIN:
        g_string_append_printf(out, "waits for the end of %s", who);
        break;
    case WAIT_SUSPEND:
        g_string_append_printf(out, "waits for %s to stand", who);
        break;
    case WAIT_RESUME:
        g_string_append(out, "is suspended");
        break;
    default:
        g_string_append(out, "ready");
    }
}

static void append_state(GString *out, const struct model *model, const struct report *report,
                         const struct model_thread *thread)
{
    if (thread->state == THREAD_EXITED)
        g_string_append(out, "ended");
    else if (thread->state == THREAD_HALTED)
        g_string_append_printf(out, "HALTED: %s", value(TRACE_HALT, thread->halt_reason));
    else if (model->running == thread->path && thread->waits == WAIT_NOTHING)
        g_string_append(out, "runs");
    else
        append_wait(out, model, report, thread);
}

/* A line of columns, and at its end the text, broken at the right margin. */
static void put_line(GString *out, const char *text, const char *columns, ...) G_GNUC_PRINTF(3, 4);

static void put_line(GString *out, const char *text, const char *columns, ...)
{
    va_list arguments;
    va_start(arguments, columns);
    g_autofree char *left = g_strdup_vprintf(columns, arguments);
    va_end(arguments);
    g_autofree char *whole = g_strconcat(left, text, NULL);
    g_autofree char *indent = g_strnfill(strlen(left), ' ');
    g_strchomp(whole);
    report_wrap(out, whole, LANES_WIDTH, indent);
    g_string_append_c(out, '\n');
}

static void print_threads(GString *out, const struct model *model, const struct report *report)
{
    put_line(out, "state", "%-10s %-8s %5s  %-14s", "thread", "space", "entry", "by way of");
    for (guint i = 0; i < model->threads->len; i++) {
        const struct model_thread *thread = model_thread(model, i);
        char who[TRACE_NAME_MAX], space[TRACE_NAME_MAX];
        const char *point = thread->entries > 0 ? trace_point_name(thread->point) : NULL;
        g_autoptr(GString) state = g_string_new(NULL);
        append_state(state, model, report, thread);
        put_line(out, state->str, "%-10s %-8s %5u  %-14s",
                 trace_thread_name(report->scenario, thread->path, who),
                 trace_space_name(report->scenario, thread->space, space), thread->entries,
                 point != NULL ? point : "-");
    }
}

/* ---- ipc ---- */

static bool is_ipc(const struct model_thread *thread)
{
    return thread->state == THREAD_ALIVE && thread->waits != WAIT_NOTHING &&
           thread->waits <= WAIT_FAULT;
}

static void print_ipc(GString *out, const struct model *model, const struct report *report)
{
    bool any = false;
    for (guint i = 0; i < model->threads->len; i++) {
        const struct model_thread *thread = model_thread(model, i);
        char who[TRACE_NAME_MAX];
        if (!is_ipc(thread))
            continue;
        g_autoptr(GString) state = g_string_new(NULL);
        append_wait(state, model, report, thread);
        put_line(out, state->str, "%-10s ", trace_thread_name(report->scenario, thread->path, who));
        any = true;
    }
    if (!any)
        g_string_append(out, "nobody waits for a message\n");
}

/* ---- faults ---- */

static bool is_over(const struct model_fault *fault)
{
    return fault->halted || fault->resumes > 0;
}

static const char *fault_state(const struct model_fault *fault)
{
    if (fault->halted)
        return "halted";
    if (fault->resumes > 0)
        return "resolved";
    if (fault->replies > 0)
        return "answered";
    if (fault->parked)
        return "parked";
    return fault->delivers > 0 ? "taken" : "queued";
}

static void print_fault(GString *out, const struct model *model, const struct report *report,
                        const struct model_fault *fault)
{
    char who[TRACE_NAME_MAX], pager[TRACE_NAME_MAX] = "-", where[REPORT_ADDRESS_MAX];
    if (fault->delivers > 0)
        trace_thread_name(report->scenario, fault->pager, pager);
    put_line(out, report_address(report, fault->address, where), "%5u  %-10s %-9s %-8s %-8s ",
             fault->number,
             trace_thread_name(report->scenario, model_thread(model, fault->thread)->path, who),
             fault_state(fault), pager, value(TRACE_ACCESS, fault->access));
}

static void print_faults(GString *out, const struct model *model, const struct report *report)
{
    guint over = 0;
    if (model->faults->len == 0) {
        g_string_append(out, "no fault so far\n");
        return;
    }
    put_line(out, "address", "%5s  %-10s %-9s %-8s %-8s ", "fault", "thread", "state", "pager",
             "access");
    for (guint i = model->faults->len; i-- > 0;)
        if (!is_over(model_fault(model, i)))
            print_fault(out, model, report, model_fault(model, i));
    for (guint i = model->faults->len; i-- > 0;)
        if (is_over(model_fault(model, i)) && ++over <= FAULTS_SHOWN)
            print_fault(out, model, report, model_fault(model, i));
    if (over > FAULTS_SHOWN)
        g_string_append_printf(out, "  ... and %u before, all over\n", over - FAULTS_SHOWN);
}
