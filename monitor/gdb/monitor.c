/* gdb's `monitor COMMAND`: what the recorded run, and the model of it, say of where the guest
 * stands. The commands of scripts/gdb/faultline.py are these with gdb's own around them. */
#include <stdlib.h>
#include <string.h>
#include "plan.h"
#include "present.h"
#include "report_state.h"
#include "ring.h"
#include "stub_state.h"
#include "trace.h"

#define EVENTS_SHOWN 10u
#define FNV_OFFSET   0xcbf29ce484222325u /* FNV-1a, here over words of 64 bits */
#define FNV_PRIME    0x100000001b3u

static size_t number_of(const struct stub *stub, size_t event)
{
    return stub->config.numbers != NULL ? stub->config.numbers[event] : event;
}

static struct report report_of(const struct stub *stub)
{
    struct report report = {.scenario = stub->config.scenario};
    report.events = history_events(stub->history, &report.n_events);
    present_lookups(&report, &stub->subject);
    return report;
}

static void append_event(const struct stub *stub, size_t event, GString *out)
{
    size_t count;
    const struct fl_event *events = history_events(stub->history, &count);
    g_string_append_printf(out, "%5zu  %9" G_GUINT64_FORMAT "  ", number_of(stub, event),
                           fl_event_time(&events[event]));
    report_event(out, stub->config.scenario, &events[event]);
    g_string_append_c(out, '\n');
}

static void warn(const struct stub *stub, GString *out)
{
    if (history_diverged(stub->history))
        g_string_append(out, "(diverged from the recorded run: this is the recorded one, as far as "
                             "the two have events in common)\n");
}

/* ---- where it stands ---- */

/* Where the current thread is in user mode, or where it came from. */
static bool user_place(const struct stub *stub, struct source_place *place)
{
    const struct gdb_arch *arch = stub->config.arch;
    struct gdb_target *target = history_target(stub->history);
    const size_t offset = gdb_arch_offset(arch, arch->pc), size = arch->registers[arch->pc].size;
    uint8_t registers[GDB_REGISTERS_BYTES];
    uint64_t pc = 0;
    if (!target->ops->read_registers(target, registers))
        return false;
    memcpy(&pc, registers + offset, size);
    if (pc >= FL_USER_END) {
        if (!view_registers(stub->view, view_current(stub->view), registers))
            return false;
        memcpy(&pc, registers + offset, size);
    }
    return image_source(stub->config.image, pc, place);
}

static void print_point(struct stub *stub, const char *argument, GString *out)
{
    const size_t written = history_written(stub->history);
    const unsigned thread = view_current(stub->view);
    struct source_place place;
    (void)argument;
    if (history_diverged(stub->history))
        g_string_append(out,
                        "diverged from the recorded run: a debugger wrote registers or memory; "
                        "`fl goto N` returns\n");
    if (written > 0)
        append_event(stub, written - 1, out);
    g_string_append(out, "       ");
    view_name(stub->view, thread, out);
    g_string_append(out, ": ");
    view_state(stub->view, thread, out);
    if (user_place(stub, &place))
        g_string_append_printf(out, ", %s:%u in %s", place.file, place.line, place.function);
    g_string_append_c(out, '\n');
}

static void print_events(struct stub *stub, const char *argument, GString *out)
{
    const size_t written = history_written(stub->history);
    const size_t wanted = argument[0] != '\0' ? strtoul(argument, NULL, 10) : EVENTS_SHOWN;
    warn(stub, out);
    for (size_t i = written - MIN(wanted, written); i < written; i++)
        append_event(stub, i, out);
}

static void print_view(struct stub *stub, const struct report_view *view, GString *out)
{
    const struct report report = report_of(stub);
    const size_t written = history_written(stub->history);
    warn(stub, out);
    if (written == 0) {
        g_string_append(out, "nothing has happened yet\n");
        return;
    }
    report_state_at(&stub->model, &report, stub->config.plan->variant, written - 1);
    view->print(out, &stub->model, &report);
}

/* Hashes of what there is: two states with the same are the same. */
static void print_hash(struct stub *stub, const char *argument, GString *out)
{
    struct gdb_target *target = history_target(stub->history);
    GArray *events = ring_events(target->memory);
    (void)argument;
    engine_begin(stub->engine, stub->config.scenario, stub->config.plan->variant);
    engine_events(stub->engine, (const struct fl_event *)(const void *)events->data, events->len);
    const struct verdict *verdict = engine_end(stub->engine, FL_OUTCOME_NONE);
    const uint64_t *words = guestmem_at(target->memory, 0, FL_RAM_SIZE, sizeof *words);
    uint64_t hash = FNV_OFFSET;
    for (size_t i = 0; i < FL_RAM_SIZE / sizeof *words; i++)
        hash = (hash ^ words[i]) * FNV_PRIME;
    g_string_append_printf(out,
                           "%u events, event hash %016" G_GINT64_MODIFIER
                           "x, memory %016" G_GINT64_MODIFIER "x\n",
                           events->len, verdict->event_hash, hash);
    g_array_free(events, TRUE);
}

/* ---- why ---- */

/* The event of that id last before `event`; SIZE_MAX: none. */
static size_t last_before(const struct fl_event *events, size_t event, uint16_t id)
{
    while (event-- > 0)
        if (fl_event_id(&events[event]) == id)
            return event;
    return SIZE_MAX;
}

static void append_entry(const struct stub *stub, const struct fl_event *preempt, GString *out)
{
    const struct fl_plan *plan = stub->config.plan;
    for (uint32_t i = 0; i < plan->n_preemptions; i++) {
        const struct fl_preemption *entry = &plan->preemptions[i];
        if (entry->thread != preempt->thread || entry->n != preempt->arg ||
            entry->k != preempt->aux)
            continue;
        g_autofree char *text = plan_schedule(stub->config.scenario, entry, 1);
        g_string_append_printf(out, "the plan's entry %u of %u: %s\n", i + 1, plan->n_preemptions,
                               text);
        return;
    }
    g_string_append(out, "the plan's policy drew it\n");
}

static void print_why(struct stub *stub, const char *argument, GString *out)
{
    size_t count;
    const struct fl_event *events = history_events(stub->history, &count);
    const size_t found = last_before(events, history_written(stub->history), FL_EVENT_SWITCH);
    (void)argument;
    warn(stub, out);
    if (found == SIZE_MAX) {
        g_string_append(out, "nothing was switched yet\n");
        return;
    }
    append_event(stub, found, out);
    if (events[found].arg != FL_SWITCH_PREEMPT) {
        g_string_append(out, "the default schedule: no entry of the plan\n");
        return;
    }
    const size_t preempt = last_before(events, found, FL_EVENT_PREEMPT);
    append_event(stub, preempt, out);
    append_entry(stub, &events[preempt], out);
}

/* ---- where to ---- */

static void say_direction(const struct stub *stub, GString *out, int order)
{
    g_string_append(out, order > 0 ? "ahead" : order < 0 ? "behind" : "here");
    if (history_diverged(stub->history))
        g_string_append(out, ", on the recorded run: what was written will be undone");
    g_string_append(out, order == 0 ? "\n" : ":\n");
}

static void aim_at_event(struct stub *stub, size_t event, GString *out)
{
    const size_t written = history_written(stub->history);
    const bool stands = event + 1 == written && !history_diverged(stub->history);
    stub->aim = stands ? AIM_NOWHERE : AIM_EVENT;
    stub->aim_event = event;
    say_direction(stub, out, event >= written ? 1 : stands ? 0 : -1);
    append_event(stub, event, out);
}

static void aim_goto(struct stub *stub, const char *argument, GString *out)
{
    size_t count, event = 0;
    char *end;
    history_events(stub->history, &count);
    const guint64 wanted = g_ascii_strtoull(argument, &end, 10);
    while (event < count && number_of(stub, event) < wanted)
        event++;
    if (end == argument || *end != '\0' || event == count)
        g_string_append_printf(out, "there is no event \"%s\": the run has those from 0 to %zu\n",
                               argument, number_of(stub, count - 1));
    else
        aim_at_event(stub, event, out);
}

static void aim_next(struct stub *stub, uint16_t id, const char *what, GString *out)
{
    size_t count, event = history_written(stub->history);
    const struct fl_event *events = history_events(stub->history, &count);
    while (event < count && fl_event_id(&events[event]) != id)
        event++;
    if (event < count)
        aim_at_event(stub, event, out);
    else
        g_string_append_printf(out, "no %s follows\n", what);
}

static void aim_next_ipc(struct stub *stub, const char *argument, GString *out)
{
    (void)argument;
    aim_next(stub, FL_EVENT_IPC_SEND, "IPC", out);
}

static void aim_next_fault(struct stub *stub, const char *argument, GString *out)
{
    (void)argument;
    aim_next(stub, FL_EVENT_FAULT_RAISE, "page fault", out);
}

static void aim_back(struct stub *stub, const char *argument, GString *out)
{
    const guint length = stub->positions->len;
    const uint64_t here = history_target(stub->history)->position;
    (void)argument;
    if (length == 0) {
        g_string_append(out, "there was no stop before this one\n");
        return;
    }
    stub->aim = AIM_POSITION;
    stub->aim_position = g_array_index(stub->positions, uint64_t, length - 1);
    say_direction(stub, out, stub->aim_position > here ? 1 : -1);
}

/* ---- the table ---- */

static void print_help(struct stub *stub, const char *argument, GString *out);

static const struct {
    const char *name, *summary;
    void (*run)(struct stub *stub, const char *argument, GString *out);
} commands[] = {
    {"point", "where the guest stands", print_point},
    {"events", "the last events; `events N`: so many", print_events},
    {"why", "which entry of the plan made the last switch", print_why},
    {"hash", "hashes of the events so far and of guest memory", print_hash},
    {"goto", "`goto N`: the next continue goes to right after event N", aim_goto},
    {"next-ipc", "the next continue goes to the next message", aim_next_ipc},
    {"next-fault", "the next continue goes to the next page fault", aim_next_fault},
    {"back", "the next continue goes to the stop before this one", aim_back},
    {"help", "this list", print_help},
};

static void print_help(struct stub *stub, const char *argument, GString *out)
{
    (void)stub;
    (void)argument;
    for (const struct report_view *view = report_views; view->name != NULL; view++)
        g_string_append_printf(out, "%-10s  %s\n", view->name, view->summary);
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        g_string_append_printf(out, "%-10s  %s\n", commands[i].name, commands[i].summary);
}

void stub_monitor(struct stub *stub, const char *command, GString *out)
{
    g_auto(GStrv) words = g_strsplit(command, " ", 2);
    const char *name = words[0] != NULL ? words[0] : "";
    const char *argument = words[0] != NULL && words[1] != NULL ? g_strstrip(words[1]) : "";
    stub->aim = AIM_NOWHERE;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        if (strcmp(commands[i].name, name) == 0) {
            commands[i].run(stub, argument, out);
            return;
        }
    }
    const struct report_view *view = report_view_find(name);
    if (view != NULL)
        print_view(stub, view, out);
    else
        g_string_append_printf(out, "faultline has no command \"%s\"; `monitor help` lists them\n",
                               name);
}
