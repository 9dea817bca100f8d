#include "lanes.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "specs.h"
#include "trace.h"

struct lanes {
    const struct report *report;
    GArray *rows;     /* struct lane_row */
    GHashTable *open; /* path -> index of the row of its last entry, from 1 */
    uint64_t stands;  /* pc of the last interruption */
};

typedef void teller(struct lanes *lanes, size_t i, const struct fl_event *event);

static const char *name(const struct lanes *lanes, uint32_t path)
{
    static char buffers[4][TRACE_NAME_MAX];
    static unsigned next;
    return trace_thread_name(lanes->report->scenario, path, buffers[next++ % 4]);
}

static const char *value(enum trace_kind kind, uint64_t number, char buffer[24])
{
    const char *text = trace_value_name(kind, number);
    if (text)
        return text;
    const bool own = kind == TRACE_LABEL && number > FL_LABEL_USER;
    snprintf(buffer, 24, own ? "USER+%" PRIu64 : "%" PRIu64, own ? number - FL_LABEL_USER : number);
    return buffer;
}

static const char *address_name(const struct lanes *lanes, uint64_t address,
                                char buffer[REPORT_ADDRESS_MAX])
{
    return report_address(lanes->report, address, buffer);
}

/* ---- rows ---- */

static struct lane_row *row_at(const struct lanes *lanes, guint index)
{
    return &g_array_index(lanes->rows, struct lane_row, index);
}

static struct lane_row *add_row(struct lanes *lanes, enum lane_kind kind, uint32_t thread, size_t i)
{
    const struct lane_row row = {.kind = kind, .thread = thread, .event = i, .last = i};
    g_array_append_val(lanes->rows, row);
    return row_at(lanes, lanes->rows->len - 1);
}

static struct lane_row *open_row(const struct lanes *lanes, uint32_t thread)
{
    const guint at = GPOINTER_TO_UINT(g_hash_table_lookup(lanes->open, GUINT_TO_POINTER(thread)));
    return at ? row_at(lanes, at - 1) : NULL;
}

static void set_open(struct lanes *lanes, uint32_t thread)
{
    g_hash_table_insert(lanes->open, GUINT_TO_POINTER(thread), GUINT_TO_POINTER(lanes->rows->len));
}

static void say(struct lane_row *row, const char *format, ...) G_GNUC_PRINTF(2, 3);

static void say(struct lane_row *row, const char *format, ...)
{
    const size_t length = strlen(row->text);
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(row->text + length, sizeof(row->text) - length, format, arguments);
    va_end(arguments);
}

/* The row for what the thread's entry does: its own, still empty; a new one when the thread was
 * preempted on that entry and does it only now. */
static struct lane_row *operation(struct lanes *lanes, size_t i, uint32_t thread)
{
    struct lane_row *row = open_row(lanes, thread);
    if (!row || row->over) {
        const struct lane_row was = row ? *row : (struct lane_row){.n = 0};
        row = add_row(lanes, LANE_ENTRY, thread, i);
        row->n = was.n;
        row->pc = was.pc;
        set_open(lanes, thread);
    }
    row->text[0] = '\0';
    row->last = i;
    return row;
}

static bool is_pager(uint32_t thread)
{
    return thread == FL_PATH_CORE;
}

static const char *after_prefix(const char *text, const char *prefix)
{
    return g_str_has_prefix(text, prefix) ? text + strlen(prefix) : text;
}

/* The row for the end of something that takes time: the one that began it, when nobody but the
 * pager did anything since, else a new one, which begins with `about`, or with what began. */
static struct lane_row *result(struct lanes *lanes, size_t i, uint32_t thread, const char *about)
{
    struct lane_row *row = open_row(lanes, thread);
    bool alone = row && row->text[0];
    for (guint at = lanes->rows->len; alone && row_at(lanes, at - 1) != row; at--) {
        const struct lane_row *later = row_at(lanes, at - 1);
        alone = is_pager(later->thread) && later->kind != LANE_PREEMPT;
    }
    if (!alone) {
        char began[sizeof(row->text)] = "";
        if (row)
            g_strlcpy(began, after_prefix(row->text, "call core "), sizeof(began));
        row = add_row(lanes, LANE_RESULT, thread, i);
        say(row, "%s", about ? about : began);
    }
    row->last = i;
    return row;
}

/* ---- one event each ---- */

static void tell_entry(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    struct lane_row *row = add_row(lanes, LANE_ENTRY, event->thread, i);
    const char *point = trace_point_name(event->point);
    row->n = event->aux;
    row->pc = event->arg;
    say(row, "%s", point ? point : "?");
    set_open(lanes, event->thread);
}

static void tell_interrupt(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    (void)i;
    lanes->stands = event->arg;
}

static void tell_preempt(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    struct lane_row *entry = open_row(lanes, event->thread);
    const bool in_user = fl_k_in_user(event->aux);
    const uint64_t pc = in_user ? lanes->stands : entry ? entry->pc : 0;
    if (event->aux == 0 && entry)
        entry->over = true;
    struct lane_row *row = add_row(lanes, LANE_PREEMPT, event->thread, i);
    row->target = (uint32_t)event->addr;
    row->n = event->arg;
    row->k = in_user ? event->aux : 0;
    row->pc = pc;
}

static void tell_send(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char buffer[24];
    say(operation(lanes, i, event->thread), "%s %s %s", event->aux ? "call" : "send to",
        name(lanes, (uint32_t)event->addr), value(TRACE_LABEL, event->arg, buffer));
}

static void tell_deliver(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char buffer[24];
    say(add_row(lanes, LANE_RESULT, event->thread, i), "takes %s of %s",
        value(TRACE_LABEL, event->arg, buffer), name(lanes, (uint32_t)event->addr));
}

static void tell_reply(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char buffer[24];
    const char *status = value(TRACE_ERRORS, event->arg, buffer);
    say(operation(lanes, i, event->thread), "reply to %s: %s", name(lanes, (uint32_t)event->addr),
        status);
    say(result(lanes, i, (uint32_t)event->addr, NULL), ": %s", status);
}

static void tell_ipc_error(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char buffer[24];
    say(result(lanes, i, event->thread, NULL), ": %s", value(TRACE_ERRORS, event->arg, buffer));
}

static void tell_fault_raise(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char buffer[24], where[48];
    say(operation(lanes, i, event->thread), "fault: %s %s", value(TRACE_ACCESS, event->arg, buffer),
        address_name(lanes, event->addr, where));
}

static void tell_fault_deliver(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(add_row(lanes, LANE_RESULT, event->thread, i), "takes fault %u of %s", event->aux,
        name(lanes, (uint32_t)event->addr));
}

static void tell_fault_park(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(operation(lanes, i, event->thread), "parks fault %u of %s", event->aux,
        name(lanes, (uint32_t)event->addr));
}

static void tell_fault_duplicate(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(operation(lanes, i, event->thread), "fault %u of %s is a duplicate", event->aux,
        name(lanes, (uint32_t)event->addr));
}

static void tell_fault_reply(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(operation(lanes, i, event->thread), "fault %u of %s is resolved", event->aux,
        name(lanes, (uint32_t)event->addr));
}

static void tell_fault_resume(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(result(lanes, i, event->thread, NULL), ": resolved");
}

static void tell_fault_report(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char buffer[24];
    say(operation(lanes, i, event->thread), "cannot resolve fault of %s: %s",
        name(lanes, (uint32_t)event->addr), value(TRACE_HALT, event->arg, buffer));
}

static void tell_halt(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char buffer[24];
    say(add_row(lanes, LANE_RESULT, event->thread, i), "HALTED: %s",
        value(TRACE_HALT, event->arg, buffer));
}

static void tell_exit(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(operation(lanes, i, event->thread), "ends");
}

static void tell_create(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    const uint32_t parent = event->thread;
    if (parent != FL_PATH_KERNEL && open_row(lanes, parent))
        say(result(lanes, i, parent, "new thread:"), " %s", name(lanes, (uint32_t)event->addr));
}

static void tell_page(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char where[48], space[TRACE_NAME_MAX];
    struct lane_row *row = open_row(lanes, FL_PATH_CORE);
    if (!row)
        return;
    row = operation(lanes, i, FL_PATH_CORE);
    say(row, "%s %s of %s", trace_event_info(fl_event_id(event))->name,
        address_name(lanes, event->addr, where),
        trace_space_name(lanes->report->scenario, event->space, space));
    if (fl_event_id(event) != FL_EVENT_UNMAP)
        say(row, " %s", value(TRACE_RIGHTS, event->arg, where));
}

static void tell_lock(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char where[48];
    address_name(lanes, event->addr, where);
    if (event->arg)
        say(result(lanes, i, event->thread, where), ": has it");
    else
        say(operation(lanes, i, event->thread), "lock %s", where);
}

static void tell_lock_block(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char where[48];
    say(operation(lanes, i, event->thread), "lock %s: waits, %s has it",
        address_name(lanes, event->addr, where), name(lanes, event->arg));
}

static void tell_unlock(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char where[48];
    struct lane_row *row = operation(lanes, i, event->thread);
    say(row, "unlock %s", address_name(lanes, event->addr, where));
    if (event->arg != FL_PATH_KERNEL)
        say(row, ": %s has it", name(lanes, event->arg));
}

static void tell_lock_error(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char where[48], error[24];
    say(operation(lanes, i, event->thread), "unlock %s: %s",
        address_name(lanes, event->addr, where), value(TRACE_ERRORS, event->aux, error));
}

static void tell_join(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    const char *ended = name(lanes, (uint32_t)event->addr);
    if (event->arg)
        say(result(lanes, i, event->thread, "join"), ": %s has ended", ended);
    else
        say(operation(lanes, i, event->thread), "join %s, which has ended", ended);
}

static void tell_join_block(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(operation(lanes, i, event->thread), "join %s: waits", name(lanes, (uint32_t)event->addr));
}

static void tell_suspend(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    const char *whom = name(lanes, (uint32_t)event->addr);
    char error[24];

    if (fl_event_id(event) == FL_EVENT_SUSPEND)
        say(operation(lanes, i, event->thread), "suspend %s: waits", whom);
    else if (fl_event_id(event) == FL_EVENT_RESUME)
        say(operation(lanes, i, event->thread), "resume %s", whom);
    else
        say(result(lanes, i, event->thread, "suspend"), ": %s %s", whom,
            event->arg == FL_ERROR_OK ? "stands" : value(TRACE_ERRORS, event->arg, error));
}

static void tell_suspended(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(operation(lanes, i, event->thread), "SUSPENDED");
}

static void tell_yield(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    say(operation(lanes, i, event->thread), "yield");
}

static void tell_mark(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char where[48], error[24];
    const uint16_t id = fl_event_id(event);
    struct lane_row *row = operation(lanes, i, event->thread);
    row->mark = id;
    row->slot = event->addr;
    say(row, "%s", trace_event_info(id)->name + strlen("mark_"));
    if (id == FL_EVENT_MARK_ERROR)
        say(row, " %s", value(TRACE_ERRORS, event->arg, error));
    else if (event->addr)
        say(row, " %s", address_name(lanes, event->addr, where));
    const bool owns = id == FL_EVENT_MARK_FREE || id == FL_EVENT_MARK_RESERVE;
    if (owns && event->aux != 0 && event->addr - FL_CONTEXT_BASE >= FL_CONTEXT_SIZE)
        say(row, id == FL_EVENT_MARK_FREE ? " to allocator %u" : " from allocator %u", event->aux);
}

/* "take of taken (4)" and "take of taken: 0": an operation that claims a specification. */
static void tell_operation(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    const char *name = spec_operation_name(event->aux);
    char where[48];

    if (!name) {
        tell_mark(lanes, i, event);
        return;
    }
    struct lane_row *row = operation(lanes, i, event->thread);
    row->mark = fl_event_id(event);
    row->slot = event->addr;
    say(row, "%s of %s", name, address_name(lanes, event->addr, where));
    if (fl_event_id(event) == FL_EVENT_MARK_BEGIN)
        say(row, " (%u)", event->arg);
    else if (event->arg == FL_SPEC_NONE)
        say(row, ": none");
    else
        say(row, ": %u", event->arg);
}

static void tell_deed(struct lanes *lanes, size_t i, const struct fl_event *event)
{
    char deed[24];

    say(operation(lanes, i, event->thread), "%s %s %u", name(lanes, (uint32_t)event->addr),
        value(TRACE_DEED, event->arg, deed), event->aux);
}

/* Events without a teller are the frame of the others: they change no row. */
static teller *const tellers[FL_EVENT_COUNT] = {
    [FL_EVENT_THREAD_CREATE] = tell_create,
    [FL_EVENT_THREAD_EXIT] = tell_exit,
    [FL_EVENT_THREAD_HALT] = tell_halt,
    [FL_EVENT_ENTRY] = tell_entry,
    [FL_EVENT_INTERRUPT] = tell_interrupt,
    [FL_EVENT_PREEMPT] = tell_preempt,
    [FL_EVENT_IPC_SEND] = tell_send,
    [FL_EVENT_IPC_DELIVER] = tell_deliver,
    [FL_EVENT_IPC_REPLY] = tell_reply,
    [FL_EVENT_IPC_ERROR] = tell_ipc_error,
    [FL_EVENT_FAULT_RAISE] = tell_fault_raise,
    [FL_EVENT_FAULT_DELIVER] = tell_fault_deliver,
    [FL_EVENT_FAULT_PARK] = tell_fault_park,
    [FL_EVENT_FAULT_DUPLICATE] = tell_fault_duplicate,
    [FL_EVENT_FAULT_REPLY] = tell_fault_reply,
    [FL_EVENT_FAULT_RESUME] = tell_fault_resume,
    [FL_EVENT_FAULT_REPORT] = tell_fault_report,
    [FL_EVENT_MAP] = tell_page,
    [FL_EVENT_UNMAP] = tell_page,
    [FL_EVENT_PROTECT] = tell_page,
    [FL_EVENT_LOCK] = tell_lock,
    [FL_EVENT_LOCK_BLOCK] = tell_lock_block,
    [FL_EVENT_UNLOCK] = tell_unlock,
    [FL_EVENT_LOCK_ERROR] = tell_lock_error,
    [FL_EVENT_JOIN] = tell_join,
    [FL_EVENT_JOIN_BLOCK] = tell_join_block,
    [FL_EVENT_SUSPEND] = tell_suspend,
    [FL_EVENT_SUSPENDED] = tell_suspended,
    [FL_EVENT_SUSPEND_END] = tell_suspend,
    [FL_EVENT_RESUME] = tell_suspend,
    [FL_EVENT_YIELD] = tell_yield,
    [FL_EVENT_MARK_RESERVE] = tell_mark,
    [FL_EVENT_MARK_ATTACH] = tell_mark,
    [FL_EVENT_MARK_PUBLISH] = tell_mark,
    [FL_EVENT_MARK_USE] = tell_mark,
    [FL_EVENT_MARK_DETACH] = tell_mark,
    [FL_EVENT_MARK_FREE] = tell_mark,
    [FL_EVENT_MARK_BEGIN] = tell_operation,
    [FL_EVENT_MARK_END] = tell_operation,
    [FL_EVENT_MARK_ERROR] = tell_mark,
    [FL_EVENT_MARK_DEED] = tell_deed,
};

GArray *lanes_rows(const struct report *report)
{
    struct lanes lanes = {
        .report = report,
        .rows = g_array_new(FALSE, FALSE, sizeof(struct lane_row)),
        .open = g_hash_table_new(NULL, NULL),
    };
    for (size_t i = 0; i < report->n_events; i++) {
        const uint16_t id = fl_event_id(&report->events[i]);
        if (id < FL_EVENT_COUNT && tellers[id])
            tellers[id](&lanes, i, &report->events[i]);
    }
    g_hash_table_destroy(lanes.open);
    return lanes.rows;
}
