#include "present.h"

#include <errno.h>
#include <string.h>
#include "cli.h"
#include "plan.h"
#include "report_text.h"
#include "trace.h"
#include "verdict_json.h"

#define PLAIN_CHARACTERS "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./+=:,@"

static bool look_up(void *data, uint64_t pc, struct report_place *place)
{
    const struct subject *subject = data;
    struct source_place source;
    if (!image_source(subject->image, pc, &source))
        return false;
    g_strlcpy(place->function, source.function, sizeof(place->function));
    g_strlcpy(place->file, source.file, sizeof(place->file));
    place->line = source.line;
    return true;
}

static bool name_data(void *data, uint64_t address, char *name, size_t size)
{
    const struct subject *subject = data;
    return image_object(subject->image, address, name, size);
}

void present_lookups(struct report *report, const struct subject *subject)
{
    report->lookup = look_up;
    report->name = name_data;
    report->lookup_data = (void *)subject;
}

/* A report on a capture. What it points to is owned by the two that are filled in beside it. */
static struct report report_of(const struct subject *subject, const struct capture *capture,
                               const struct verdict *verdict, struct fl_event **events,
                               GArray **taken)
{
    struct report report = {
        .scenario = subject->scenario,
        .verdict = verdict,
    };
    present_lookups(&report, subject);
    *events = capture_events(capture, &report.n_events);
    *taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    events_preemptions(*events, report.n_events, 0, *taken, NULL);
    report.events = *events;
    report.taken = (const struct fl_preemption *)(void *)(*taken)->data;
    report.n_taken = (*taken)->len;
    return report;
}

void present_finding(GString *out, const struct subject *subject, const struct capture *capture,
                     const struct verdict *verdict)
{
    g_autofree struct fl_event *events = NULL;
    g_autoptr(GArray) taken = NULL;
    const struct report report = report_of(subject, capture, verdict, &events, &taken);
    g_string_append(out, "FOUND  ");
    report_verdict(out, &report);
    g_string_append(out, "\n  ");
    report_preemptions(out, &report, 2);
    report_refusals(out, &report, 2);
    g_string_append_c(out, '\n');
    if (capture->death[0] != '\0')
        g_string_append_printf(out, "  %s\n", capture->death);
}

void present_verdict(GString *out, const struct subject *subject, const struct capture *capture,
                     const struct verdict *verdict)
{
    g_autofree struct fl_event *events = NULL;
    g_autoptr(GArray) taken = NULL;
    const struct report report = report_of(subject, capture, verdict, &events, &taken);
    report_verdict(out, &report);
    report_refusals(out, &report, 2);
    g_string_append_c(out, '\n');
}

void present_checks(GString *out, const char *name, const struct verdict *verdict)
{
    g_string_append_printf(out, "%s: %s", name, verdict_name(verdict_of_trace(verdict)));
    if (verdict->reason[0] != '\0')
        g_string_append_printf(out, " (%s)", verdict->reason);
    g_string_append_printf(
        out, ", outcome %s, %" G_GUINT64_FORMAT " events, event hash %016" G_GINT64_MODIFIER "x\n",
        trace_value_name(TRACE_OUTCOME, verdict->outcome), verdict->events, verdict->event_hash);
    for (size_t i = 0; checks[i] != NULL; i++) {
        const struct violation *violation = verdict_violation(verdict, checks[i]);
        if (violation != NULL)
            g_string_append_printf(out, "  %-12s  %s: %s (event %" G_GUINT64_FORMAT ")\n",
                                   verdict_name(VERDICT_VIOLATION), checks[i]->id,
                                   violation->message, violation->event);
        else
            g_string_append_printf(out, "  %-12s  %s\n",
                                   verdict_name(verdict_of_check(verdict, checks[i])),
                                   checks[i]->id);
    }
}

void present_audits(GString *out, const struct audit_totals *audits)
{
    if (audits->audits == 0)
        return;
    g_autofree char *count = cli_plural(audits->audits, "audit");
    g_autofree char *walked = cli_count(audits->walked);
    g_string_append_printf(out, "  %s, %s objects walked, ", count, walked);
    if (audits->differ == 0)
        g_string_append(out, "none off\n");
    else
        g_string_append_printf(out, "%" G_GUINT64_FORMAT " off\n", audits->differ);
}

void present_events(GString *out, const struct fl_scenario *scenario, const struct capture *capture)
{
    size_t count;
    g_autofree struct fl_event *events = capture_events(capture, &count);
    for (size_t i = 0; i < count; i++) {
        g_string_append_printf(out, "%5zu  %9" G_GUINT64_FORMAT "  ", i, fl_event_time(&events[i]));
        report_event(out, scenario, &events[i]);
        g_string_append_c(out, '\n');
    }
}

/* A word of a command line, quoted only when it must be. */
static void append_word(GString *out, const char *word)
{
    g_autofree char *quoted = g_shell_quote(word);
    const bool plain = strspn(word, PLAIN_CHARACTERS) == strlen(word);
    g_string_append(out, plain ? word : quoted);
}

static void append_command(GString *out, const char *label, const char *verb)
{
    g_string_append_printf(out, "  %-7s ", label);
    append_word(out, program_invocation_name);
    g_string_append_printf(out, " %s ", verb);
}

void present_commands(GString *out, const char *trace)
{
    g_string_append(out, "  trace   ");
    append_word(out, trace);
    g_string_append_c(out, '\n');
    append_command(out, "explain", "explain");
    append_word(out, trace);
    g_string_append_c(out, '\n');
    append_command(out, "step", "step");
    append_word(out, trace);
    g_string_append_c(out, '\n');
    append_command(out, "gdb", "gdb");
    append_word(out, trace);
    g_string_append_c(out, '\n');
    append_command(out, "replay", "replay");
    append_word(out, trace);
    g_string_append(out, " --times 100\n");
    append_command(out, "verify", "verify");
    append_word(out, trace);
    g_string_append_c(out, '\n');
}

void present_schedule(GString *out, const struct subject *subject, const struct capture *capture)
{
    const struct fl_plan *plan = &capture->plan;
    const struct fl_scenario *scenario = subject->scenario;
    g_autofree char *schedule = plan_whole_schedule(scenario, plan);
    append_command(out, "again", "run");
    g_string_append_printf(out, "%s/%s", scenario->id, scenario->variants[plan->variant].id);
    for (uint32_t i = 0; i < scenario->n_params; i++)
        if (plan->params[i] != scenario->params[i].preset)
            g_string_append_printf(out, " --param %s=%u", scenario->params[i].id, plan->params[i]);
    g_string_append_printf(out, " --schedule '%s'\n", schedule);
}
