#include <stdio.h>
#include <string.h>
#include "rsp.h"
#include "stub_state.h"

#define SUPPORTED                                                                                  \
    "PacketSize=%x;QStartNoAckMode+;qXfer:features:read+;qXfer:threads:read+;ReverseStep+;"        \
    "ReverseContinue+;vContSupported+"

static const char *const watch_names[GDB_BREAKS] = {
    [GDB_WATCH_WRITE] = "watch",
    [GDB_WATCH_READ] = "rwatch",
    [GDB_WATCH_ACCESS] = "awatch",
};

/* Signal 0 is a stop without a reason of the guest's own: gdb says just that. */
void stub_append_stop(struct stub *stub, const struct gdb_stop *stop, GString *reply)
{
    if (stop->kind == GDB_STOP_GONE) {
        g_string_append(reply, "X09");
        return;
    }
    g_string_append(reply, stop->kind == GDB_STOP_INTERRUPTED ? "T00" : "T05");
    if (stop->kind == GDB_STOP_WATCH)
        g_string_append_printf(reply, "%s:%" G_GINT64_MODIFIER "x;", watch_names[stop->watch],
                               stop->address);
    if (stop->kind == GDB_STOP_BEGIN || stop->kind == GDB_STOP_END)
        g_string_append_printf(reply, "replaylog:%s;",
                               stop->kind == GDB_STOP_BEGIN ? "begin" : "end");
    g_string_append_printf(reply, "thread:%x;", stub_current(stub));
}

/* ---- qXfer ---- */

/* A part of a text, as asked for by "OFFSET,SIZE". */
static void append_part(GString *reply, const char *text, const char *wanted)
{
    uint64_t offset, size;
    if (!rsp_number(&wanted, &offset) || *wanted++ != ',' || !rsp_number(&wanted, &size) ||
        *wanted != '\0') {
        g_string_append(reply, "E01");
        return;
    }
    const size_t length = strlen(text);
    const size_t begin = (size_t)MIN(offset, length);
    const size_t part = MIN((size_t)MIN(size, RSP_PACKET_MAX / 4), length - begin);
    g_string_append_c(reply, begin + part == length ? 'l' : 'm');
    g_string_append_len(reply, text + begin, (gssize)part);
}

static void get_description(struct stub *stub, const char *wanted, GString *reply)
{
    append_part(reply, stub->config.arch->description, wanted);
}

static void get_threads(struct stub *stub, const char *wanted, GString *reply)
{
    g_autoptr(GString) list = g_string_new("<?xml version=\"1.0\"?><threads>");
    for (unsigned thread = 1; thread <= VIEW_KERNEL; thread++) {
        if (!stub_is_thread(stub, thread))
            continue;
        g_autoptr(GString) name = g_string_new(NULL);
        g_autoptr(GString) state = g_string_new(NULL);
        view_name(stub->view, thread, name);
        view_state(stub->view, thread, state);
        g_autofree char *element = g_markup_printf_escaped(
            "<thread id=\"%x\" core=\"0\" name=\"%s\">%s</thread>", thread, name->str, state->str);
        g_string_append(list, element);
    }
    g_string_append(list, "</threads>");
    append_part(reply, list->str, wanted);
}

/* ---- the rest ---- */

static void get_supported(struct stub *stub, const char *text, GString *reply)
{
    (void)stub;
    (void)text;
    g_string_append_printf(reply, SUPPORTED, RSP_PACKET_MAX);
}

static void be_quiet(struct stub *stub, const char *text, GString *reply)
{
    (void)text;
    stub->quiet = true;
    g_string_append(reply, "OK");
}

static void get_current(struct stub *stub, const char *text, GString *reply)
{
    (void)text;
    g_string_append_printf(reply, "QC%x", stub_current(stub));
}

/* Attached: gdb then detaches at its end, and kills nothing. */
static void get_attached(struct stub *stub, const char *text, GString *reply)
{
    (void)stub;
    (void)text;
    g_string_append_c(reply, '1');
}

static void get_first_threads(struct stub *stub, const char *text, GString *reply)
{
    (void)text;
    char separator = 'm';
    for (unsigned thread = 1; thread <= VIEW_KERNEL; thread++) {
        if (!stub_is_thread(stub, thread))
            continue;
        g_string_append_printf(reply, "%c%x", separator, thread);
        separator = ',';
    }
    if (separator == 'm')
        g_string_append_c(reply, 'l');
}

static void get_more_threads(struct stub *stub, const char *text, GString *reply)
{
    (void)stub;
    (void)text;
    g_string_append_c(reply, 'l');
}

static void get_extra(struct stub *stub, const char *text, GString *reply)
{
    uint64_t thread;
    if (!rsp_number(&text, &thread) || thread > VIEW_KERNEL ||
        !stub_is_thread(stub, (unsigned)thread)) {
        g_string_append(reply, "E01");
        return;
    }
    g_autoptr(GString) state = g_string_new(NULL);
    view_name(stub->view, (unsigned)thread, state);
    g_string_append(state, ": ");
    view_state(stub->view, (unsigned)thread, state);
    rsp_hex(reply, state->str, state->len);
}

static void run_command(struct stub *stub, const char *text, GString *reply)
{
    char command[256] = "";
    if (!rsp_unhex(text, strlen(text), (uint8_t *)command, sizeof command - 1)) {
        g_string_append(reply, "E01");
        return;
    }
    stub_monitor(stub, command, stub->console);
    g_string_append(reply, "OK");
}

static const struct {
    const char *prefix;
    void (*run)(struct stub *stub, const char *text, GString *reply);
} queries[] = {
    {"qSupported", get_supported},
    {"QStartNoAckMode", be_quiet},
    {"qXfer:features:read:target.xml:", get_description},
    {"qXfer:threads:read::", get_threads},
    {"qC", get_current},
    {"qAttached", get_attached},
    {"qfThreadInfo", get_first_threads},
    {"qsThreadInfo", get_more_threads},
    {"qThreadExtraInfo,", get_extra},
    {"qRcmd,", run_command},
};

bool stub_query(struct stub *stub, const char *packet, GString *reply)
{
    for (size_t i = 0; i < G_N_ELEMENTS(queries); i++) {
        const size_t length = strlen(queries[i].prefix);
        const bool whole = g_ascii_isalpha(queries[i].prefix[length - 1]);
        if (strncmp(packet, queries[i].prefix, length) != 0 ||
            (whole && g_ascii_isalpha(packet[length])))
            continue;
        queries[i].run(stub, packet + length, reply);
        return true;
    }
    return false;
}
