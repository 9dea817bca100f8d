/* An explanation as text and as JSON. */
#include <jansson.h>
#include "explain.h"
#include "report_lanes.h"
#include "trace.h"

static void append_side(GString *out, const struct explain_side *side,
                        const struct fl_scenario *scenario)
{
    char thread[TRACE_NAME_MAX];
    g_string_append_printf(out, "%s's %s (", trace_thread_name(scenario, side->thread, thread),
                           side->what);
    if (side->known)
        g_string_append_printf(out, "%s:%u in %s, ", side->place.file, side->place.line,
                               side->place.function);
    g_string_append_printf(out, "pc 0x%x)", side->pc);
}

/* Where the stretch of places begins and ends at which running the target violates the check. */
static void append_gap(GString *out, const struct explanation *explanation,
                       const struct fl_scenario *scenario)
{
    if (explanation->opens.thread == 0)
        return;
    g_autoptr(GString) text = g_string_new("  gap         opened by ");
    append_side(text, &explanation->opens, scenario);
    g_string_append(text, ", closed by ");
    if (explanation->closes.pc == explanation->late.pc &&
        explanation->closes.thread == explanation->late.thread)
        g_string_append(text, explanation->accesses ? "that store" : "that");
    else
        append_side(text, &explanation->closes, scenario);
    g_string_append_c(out, '\n');
    report_wrap(out, text->str, LANES_WIDTH, "              ");
}

void explanation_text(GString *out, const struct explanation *explanation,
                      const struct fl_scenario *scenario)
{
    char target[TRACE_NAME_MAX];
    g_autoptr(GString) text = g_string_new("  decided by  ");
    if (!explanation->accesses)
        g_string_append_printf(text, "%s running before ",
                               trace_thread_name(scenario, explanation->target, target));
    append_side(text, &explanation->late, scenario);
    g_string_append(text, explanation->accesses ? " coming after " : ", not after: ");
    append_side(text, &explanation->early, scenario);
    if (explanation->instead[0] != '\0')
        g_string_append_printf(text, " would else be: %s", explanation->instead);
    report_wrap(out, text->str, LANES_WIDTH, "              ");
    append_gap(out, explanation, scenario);
    g_string_append_c(out, '\n');
}

void explanation_schedules(GString *out, const struct explanation *explanation)
{
    g_string_append_printf(out, "  passes      with '%s', fails with '%s'\n", explanation->passing,
                           explanation->failing);
}

static json_t *side_to_json(const struct explain_side *side, const struct fl_scenario *scenario)
{
    char thread[TRACE_NAME_MAX];
    json_t *json =
        json_pack("{s:s, s:s, s:I}", "thread", trace_thread_name(scenario, side->thread, thread),
                  "what", side->what, "pc", (json_int_t)side->pc);
    if (side->known) {
        json_object_set_new(json, "function", json_string(side->place.function));
        json_object_set_new(json, "file", json_string(side->place.file));
        json_object_set_new(json, "line", json_integer(side->place.line));
    }
    return json;
}

bool explanation_write(const struct explanation *explanation, const struct fl_scenario *scenario,
                       const char *trace, GError **error)
{
    char target[TRACE_NAME_MAX];
    json_t *json =
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:s, s:s, s:s, s:s, s:i}", "check", explanation->check,
                  "by", explanation->accesses ? "accesses" : "events", "late",
                  side_to_json(&explanation->late, scenario), "early",
                  side_to_json(&explanation->early, scenario), "closes",
                  side_to_json(&explanation->closes, scenario), "target",
                  trace_thread_name(scenario, explanation->target, target), "instead",
                  explanation->instead, "failing", explanation->failing, "passing",
                  explanation->passing, "runs", (int)explanation->runs);
    if (explanation->opens.thread != 0)
        json_object_set_new(json, "opens", side_to_json(&explanation->opens, scenario));
    char *dump = json_dumps(json, JSON_INDENT(2));
    g_autofree char *text = g_strconcat(dump, "\n", NULL);
    free(dump);
    json_decref(json);
    return rundir_write(trace, "explanation.json", text, error);
}

void explain_found(GString *out, const struct subject *subject, const struct fl_plan *finding,
                   const char *check, bool (*interrupted)(void), const char *trace)
{
    g_autoptr(GError) error = NULL;
    struct explanation *explanation = explain_finding(subject, finding, check, interrupted, &error);
    if (explanation == NULL)
        return;
    explanation_text(out, explanation, subject->scenario);
    if (trace != NULL && !explanation_write(explanation, subject->scenario, trace, &error))
        g_string_append_printf(out, "  %s\n", error->message);
    explanation_free(explanation);
}
