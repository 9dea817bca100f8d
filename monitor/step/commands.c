#include "commands.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include "anchor.h"
#include "check.h"
#include "plan.h"
#include "report_lanes.h"
#include "report_state.h"
#include "screen.h"
#include "trace.h"

enum { ROWS_BEFORE = 5, ROWS_AFTER = 3, ROWS_WIDE = 20 };

typedef bool command_run(struct step *step, const char *argument, GString *out, GError **error);

struct command {
    const char *name, *longer; /* either will do */
    const char *argument;      /* as help shows it; NULL: takes none */
    const char *help;
    command_run *run;
};

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *text = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error_literal(error, STEP_ERROR, STEP_ERROR_COMMAND, text);
    return false;
}

/* ---- where the guest stands ---- */

void step_show(struct step *step, GString *out)
{
    screen_lanes(out, &step->stepper, ROWS_BEFORE, ROWS_AFTER);
    if (step->stepper.ended)
        screen_end(out, &step->stepper);
    else
        screen_moment(out, &step->stepper, &step->model);
}

static bool go(struct step *step, struct moment to, GString *out, GError **error)
{
    if (!stepper_go(&step->stepper, to, error))
        return false;
    step_show(step, out);
    return true;
}

static bool finish(struct step *step, GString *out, GError **error)
{
    if (step->stepper.ended)
        g_string_append(out, "this is the end of the run\n");
    else if (!stepper_finish(&step->stepper, error))
        return false;
    else
        step_show(step, out);
    return true;
}

static bool begin(struct step *step, GString *out, GError **error)
{
    const struct moment first = {.event = 0};
    if (!step->stepper.ended && moment_compare(step->stepper.at, first) == 0) {
        g_string_append(out, "this is the beginning of the run\n");
        return true;
    }
    return go(step, first, out, error);
}

/* From where to look back: at the end, from behind the last event. */
static struct moment behind(const struct step *step)
{
    const struct rehearsal *run = step->stepper.run;
    return step->stepper.ended ? (struct moment){.event = run->report.n_events} : step->stepper.at;
}

/* ---- points and instructions ---- */

static bool is_point(const struct step *step, struct moment moment)
{
    return fl_event_id(&step->stepper.run->report.events[moment.event]) == FL_EVENT_ENTRY;
}

static bool forwards(struct step *step, struct moment to, GString *out, GError **error)
{
    if (step->stepper.ended || moment_compare(to, step->stepper.at) <= 0)
        return finish(step, out, error);
    return go(step, to, out, error);
}

static bool run_next(struct step *step, const char *argument, GString *out, GError **error)
{
    (void)argument;
    const struct moment to = rehearsal_next_point(step->stepper.run, step->stepper.at);
    return is_point(step, to) ? forwards(step, to, out, error) : finish(step, out, error);
}

static bool run_previous(struct step *step, const char *argument, GString *out, GError **error)
{
    (void)argument;
    const struct moment to = rehearsal_previous_point(step->stepper.run, behind(step));
    return to.event == 0 ? begin(step, out, error) : go(step, to, out, error);
}

static bool run_next_instruction(struct step *step, const char *argument, GString *out,
                                 GError **error)
{
    (void)argument;
    return forwards(step, rehearsal_next_instruction(step->stepper.run, step->stepper.at), out,
                    error);
}

static bool run_previous_instruction(struct step *step, const char *argument, GString *out,
                                     GError **error)
{
    (void)argument;
    const struct moment to = rehearsal_previous_instruction(step->stepper.run, behind(step));
    return to.event == 0 ? begin(step, out, error) : go(step, to, out, error);
}

/* ---- to an event ---- */

struct pattern {
    const char *text;
    const struct verdict *finding; /* events that violate a check */
    uint32_t thread;               /* events of this thread; kernel: */
    const char *name;              /* events of this name, or whose name goes on with '_' */
};

static bool is_called(const char *event, const char *name)
{
    const size_t length = strlen(name);
    return strncmp(event, name, length) == 0 && (event[length] == '\0' || event[length] == '_');
}

static bool matches(const struct pattern *pattern, const struct fl_event *event, size_t index)
{
    const struct trace_event_info *info = trace_event_info(fl_event_id(event));
    if (pattern->thread != FL_PATH_KERNEL)
        return event->thread == pattern->thread;
    if (pattern->finding == NULL)
        return info != NULL && is_called(info->name, pattern->name);
    for (size_t i = 0; i < pattern->finding->n_violations; i++)
        if (pattern->finding->violations[i].event == index)
            return true;
    return false;
}

static bool parse_pattern(const struct step *step, const char *text, struct pattern *pattern,
                          GError **error)
{
    *pattern = (struct pattern){.text = text, .name = text};
    if (strcmp(text, "finding") == 0) {
        pattern->finding = step->stepper.run->report.verdict;
        return true;
    }
    if (g_str_has_prefix(text, "thread ")) {
        const char *name = text + strlen("thread ");
        pattern->thread = trace_thread_path(step->stepper.subject->scenario, name);
        return pattern->thread != FL_PATH_KERNEL ||
               refuse(error, "\"%s\" is no thread; `threads` lists them", name);
    }
    for (uint16_t id = 0; id < FL_EVENT_COUNT; id++)
        if (is_called(trace_event_info(id)->name, text))
            return true;
    return refuse(error,
                  "no event is called \"%s\": say finding, thread NAME, or the beginning of an "
                  "event's name, such as fault, ipc, ipc_reply, lock, mark, preempt",
                  text);
}

static void say_none(GString *out, const char *text, const char *where)
{
    g_string_append_printf(out, "no %s%s %s\n", text,
                           strchr(text, ' ') != NULL ? ": no event of it" : "", where);
}

static bool run_continue(struct step *step, const char *argument, GString *out, GError **error)
{
    const struct report *report = &step->stepper.run->report;
    struct pattern pattern;
    if (argument[0] == '\0')
        return finish(step, out, error);
    if (!parse_pattern(step, argument, &pattern, error))
        return false;
    for (size_t i = behind(step).event + 1; i < report->n_events; i++)
        if (matches(&pattern, &report->events[i], i))
            return go(step, (struct moment){.event = i}, out, error);
    say_none(out, argument, "from here to the end");
    return finish(step, out, error);
}

static bool run_reverse_continue(struct step *step, const char *argument, GString *out,
                                 GError **error)
{
    const struct report *report = &step->stepper.run->report;
    const struct moment from = behind(step);
    struct pattern pattern;
    if (argument[0] == '\0')
        return begin(step, out, error);
    if (!parse_pattern(step, argument, &pattern, error))
        return false;
    for (size_t i = from.k > 0 ? from.event + 1 : from.event; i-- > 0;)
        if (matches(&pattern, &report->events[i], i))
            return go(step, (struct moment){.event = i}, out, error);
    say_none(out, argument, "from the beginning to here");
    return begin(step, out, error);
}

static bool run_go(struct step *step, const char *argument, GString *out, GError **error)
{
    char *end;
    struct moment to = {.event = g_ascii_strtoull(argument, &end, 10)};
    const bool number = end != argument && g_ascii_isdigit(argument[0]);
    if (number && *end == '+') {
        const char *k = end + 1;
        to.k = (uint32_t)MIN(g_ascii_strtoull(k, &end, 10), UINT32_MAX);
        if (!g_ascii_isdigit(*k))
            end = (char *)k - 1;
    }
    if (!number || *end != '\0')
        return refuse(error,
                      "g wants the number of an event, as in `g 41`, or of an instruction after "
                      "it, as in `g 41+3`, not \"%s\"",
                      argument);
    return rehearsal_has(step->stepper.run, to, error) && go(step, to, out, error);
}

/* ---- what if ---- */

static bool run_branch(struct step *step, const char *argument, GString *out, GError **error)
{
    const struct fl_scenario *scenario = step->stepper.subject->scenario;
    const uint32_t target = trace_thread_path(scenario, argument);
    if (target == FL_PATH_KERNEL)
        return refuse(error, "t wants the name of a thread, not \"%s\"; `threads` lists them",
                      argument);
    if (!stepper_branch(&step->stepper, target, error))
        return false;
    const struct report *report = &step->stepper.run->report;
    g_autofree char *schedule = plan_schedule(scenario, report->taken, report->n_taken);
    g_string_append_printf(out, "what if: schedule '%s', %zu events\n", schedule, report->n_events);
    step_show(step, out);
    return true;
}

static bool run_save(struct step *step, const char *argument, GString *out, GError **error)
{
    const struct stepper *stepper = &step->stepper;
    const struct rehearsal *run = stepper->run;
    g_autofree struct plan_anchors *anchors = g_new0(struct plan_anchors, 1);
    if (argument[0] == '\0')
        return refuse(error, "save wants the name of a file, as in `save plan.json`");
    anchors_take(anchors, &run->plan, stepper->subject->image, run->report.events,
                 run->report.n_events);
    g_autofree char *text = plan_to_text(&run->plan, stepper->subject->scenario, anchors);
    if (!g_file_set_contents(argument, text, -1, error))
        return false;
    const struct fl_scenario *scenario = stepper->subject->scenario;
    g_string_append_printf(out, "saved; `faultline run %s/%s --plan %s` runs it\n", scenario->id,
                           scenario->variants[run->plan.variant].id, argument);
    return true;
}

/* ---- to look around ---- */

static bool run_where(struct step *step, const char *argument, GString *out, GError **error)
{
    (void)argument;
    if (step->stepper.ended)
        return refuse(error, "the run has ended: nobody stands anywhere");
    screen_where(out, &step->stepper);
    return true;
}

static bool run_gdb(struct step *step, const char *argument, GString *out, GError **error)
{
    if (step->stepper.ended)
        return refuse(error, "the run has ended: go back to where gdb is to stand");
    return attach_here(&step->gdb, &step->stepper, argument[0] != '\0' ? argument : NULL, out,
                       error);
}

static bool run_lanes(struct step *step, const char *argument, GString *out, GError **error)
{
    (void)argument, (void)error;
    screen_lanes(out, &step->stepper, ROWS_WIDE, ROWS_WIDE);
    return true;
}

static bool run_quit(struct step *step, const char *argument, GString *out, GError **error)
{
    (void)argument, (void)out, (void)error;
    step->quit = true;
    return true;
}

static command_run run_help;

static const struct command commands[] = {
    {"n", "next", NULL, "the next kernel entry", run_next},
    {"p", "previous", NULL, "the kernel entry before", run_previous},
    {"ni", "nexti", NULL, "one instruction of user mode on", run_next_instruction},
    {"pi", "previousi", NULL, "one instruction of user mode back", run_previous_instruction},
    {"c", "continue", "[WHAT]",
     "the next event that is a finding, of thread NAME, or called WHAT (fault, ipc, ipc_reply, "
     "lock, mark, preempt, ...); without WHAT the end",
     run_continue},
    {"rc", "reverse", "[WHAT]", "likewise backwards; without WHAT the beginning",
     run_reverse_continue},
    {"g", "go", "N[+K]", "event N; the K-th instruction after it", run_go},
    {"t", "take", "THREAD",
     "what if THREAD ran here: preempts, and drops what the plan had after this; with the thread "
     "that runs, only drops",
     run_branch},
    {"save", "save", "FILE", "writes the plan", run_save},
    {"where", "where", NULL, "the calls that the thread is in", run_where},
    {"gdb", "gdb", "[WHERE]",
     "parks a guest of its own here for gdb, and says how to attach; WHERE: localhost:PORT, or the "
     "path of a socket",
     run_gdb},
    {"lanes", "lanes", NULL, "more of the run around here", run_lanes},
    {"help", "help", NULL, "this", run_help},
    {"q", "quit", NULL, "ends", run_quit},
};

static void append_help(GString *out, const char *name, const char *argument, const char *help)
{
    g_autofree char *words = g_strdup_printf("%s %s", name, argument != NULL ? argument : "");
    g_autofree char *line = g_strdup_printf("  %-10s %s", words, help);
    report_wrap(out, line, LANES_WIDTH, "             ");
    g_string_append_c(out, '\n');
}

static bool run_help(struct step *step, const char *argument, GString *out, GError **error)
{
    (void)step, (void)argument, (void)error;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++)
        append_help(out, commands[i].name, commands[i].argument, commands[i].help);
    for (const struct report_view *view = report_views; view->name != NULL; view++)
        append_help(out, view->name, NULL, view->summary);
    g_string_append(out, "An empty line says the last one again.\n");
    return true;
}

/* ---- a line ---- */

/* By either name, or as the beginning of one that no other has. */
static const struct command *find_command(const char *word, GError **error)
{
    const struct command *found = NULL;
    const struct report_view *view = report_view_find(word);
    unsigned others = view != NULL;
    for (size_t i = 0; i < G_N_ELEMENTS(commands); i++) {
        const struct command *command = &commands[i];
        if (strcmp(command->name, word) == 0 || strcmp(command->longer, word) == 0)
            return command;
        if (g_str_has_prefix(command->longer, word)) {
            found = command;
            others++;
        }
    }
    if (found != NULL && others == 1)
        return found;
    if (view == NULL || others > 1)
        refuse(error,
               others > 1 ? "\"%s\" could be more than one command; `help` lists them"
                          : "\"%s\" is no command; `help` lists them",
               word);
    return NULL;
}

static bool show_view(struct step *step, const struct report_view *view, GString *out)
{
    const struct rehearsal *run = step->stepper.run;
    const size_t event = step->stepper.ended ? rehearsal_last(run).event : step->stepper.at.event;
    report_state_at(&step->model, &run->report, run->plan.variant, event);
    view->print(out, &step->model, &run->report);
    return true;
}

static bool obey(struct step *step, const char *word, const char *argument, GString *out,
                 GError **error)
{
    g_autoptr(GError) unknown = NULL;
    const struct command *command = find_command(word, &unknown);
    const bool takes = command != NULL && command->argument != NULL;
    if (unknown != NULL) {
        g_propagate_error(error, g_steal_pointer(&unknown));
        return false;
    }
    if (!takes && argument[0] != '\0')
        return refuse(error, "%s takes no \"%s\"", word, argument);
    return command != NULL ? command->run(step, argument, out, error)
                           : show_view(step, report_view_find(word), out);
}

bool step_command(struct step *step, const char *line, GString *out, GError **error)
{
    g_autofree char *text = g_strstrip(g_strdup(line));
    if (text[0] == '\0' && step->last == NULL)
        return true;
    if (text[0] != '\0') {
        g_free(step->last);
        step->last = g_strdup(text);
    }
    g_auto(GStrv) words = g_strsplit(step->last, " ", 2);
    const char *argument = words[1] != NULL ? g_strchug(words[1]) : "";
    attach_tell(&step->gdb, out);
    return obey(step, words[0], argument, out, error);
}
