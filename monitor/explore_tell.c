/* What the verb explore says: while it searches, and in the end. */
#include <jansson.h>
#include <string.h>
#include "check.h"
#include "cli.h"
#include "explain.h"
#include "explore_command.h"
#include "main.h"
#include "plan.h"
#include "present.h"
#include "recorder.h"
#include "trace.h"
#include "verdict_json.h"

static const char *depth_name(unsigned depth)
{
    return trace_value_name(TRACE_DEPTH, depth);
}

/* ---- progress ---- */

/* The lesser of two limits, of which 0 is none. */
static double lesser(double a, double b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

/* Until the budget is spent or, if that is sooner, all is done. */
static void append_left(GString *line, const struct explore_state *state, double most, double rate)
{
    double left = state->seconds_left;
    if (most > (double)state->runs && rate > 0) {
        const double work = (most - (double)state->runs) / rate;
        left = left < 0 ? work : MIN(left, work);
    }
    if (left >= 0)
        g_string_append_printf(line, " · %.0f s left", left);
}

static void append_search(GString *line, const struct explore_command *command,
                          const struct explore_state *state, double limit)
{
    const struct strategy_progress *strategy = &state->strategy;
    const double rate = (double)(state->runs - state->resumed) / MAX(state->seconds, 1e-3);
    g_autofree char *rate_text = cli_count((uint64_t)rate);
    g_string_append_printf(line, " · %s runs/s · depth %s", rate_text, depth_name(strategy->depth));
    if (strategy->runs_known > 0 || command->options.strategy == &strategy_auto)
        g_string_append_printf(line, " · bound %u", strategy->bound);
    if (strategy->runs_known == 0 && strategy->runs_estimated > (double)state->runs) {
        g_autofree char *text =
            cli_count((uint64_t)(strategy->runs_estimated - (double)state->runs));
        g_string_append_printf(line, " · about %s runs to go", text);
    }
    append_left(line, state, lesser(strategy->runs_estimated, limit), rate);
}

void explore_show_progress(void *context, const struct explore_state *state)
{
    struct explore_command *command = context;
    if (!progress_due(&command->progress))
        return;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *runs = cli_count(state->runs);
    g_string_append_printf(line, "run %s", runs);
    const double limit = command->runs > 0 ? (double)(command->runs + (gint64)state->resumed) : 0;
    const double most = lesser((double)state->strategy.runs_known, limit);
    if (most > 0 && !state->minimising) {
        g_autofree char *text = cli_count((uint64_t)most);
        g_string_append_printf(line, " of at most %s", text);
    }
    if (state->minimising)
        g_string_append_printf(line, " · minimising: %u preemptions", state->strategy.bound);
    else
        append_search(line, command, state, limit);
    progress_draw(&command->progress, line->str);
}

/* ---- findings ---- */

static const struct verdict *judge(const struct explore_command *command,
                                   const struct finding *finding)
{
    return capture_judge(finding->capture, command->options.engine, command->subject.scenario);
}

/* The two accesses or events whose order decides; nothing of a run without an end of its own. */
static char *explain(const struct explore_command *command, const struct finding *finding,
                     const char *trace)
{
    GString *text = g_string_new(NULL);
    if (!outcome_is_cut_short(finding->capture->result.outcome))
        explain_found(text, &command->subject, &finding->capture->plan, finding->check,
                      cli_interrupted, trace);
    return g_string_free(text, FALSE);
}

/* Nothing of a finding may be lost: what cannot be recorded is printed in full. */
static void record_findings(struct explore_command *command, struct explore_result *result)
{
    command->traces = g_new0(char *, result->findings->len);
    command->reasons = g_new0(char *, result->findings->len);
    for (guint i = 0; i < result->findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(result->findings, i);
        g_autoptr(GError) error = NULL;
        command->traces[i] = recorder_write(command->runs_dir, &command->subject, finding->capture,
                                            judge(command, finding), &error);
        command->reasons[i] = explain(command, finding, command->traces[i]);
        if (error == NULL)
            continue;
        g_autoptr(GString) schedule = g_string_new(NULL);
        present_schedule(schedule, &command->subject, finding->capture);
        fprintf(stderr, "faultline explore: the trace is not recorded: %s\n%s", error->message,
                schedule->str);
    }
}

static void print_findings(const struct explore_command *command,
                           const struct explore_result *result)
{
    for (guint i = 0; i < result->findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(result->findings, i);
        g_autoptr(GString) text = g_string_new(NULL);
        present_finding(text, &command->subject, finding->capture, judge(command, finding));
        g_string_append(text, command->reasons[i]);
        g_autofree char *runs = cli_count(finding->runs_to_find);
        g_string_append_printf(text, "  found   in run %s, after %.2f s", runs,
                               finding->seconds_to_find);
        if (finding->runs_minimising > 0)
            g_string_append_printf(text, "; shrunk in %" G_GUINT64_FORMAT " more",
                                   finding->runs_minimising);
        if (command->all)
            g_string_append_printf(text, "; %" G_GUINT64_FORMAT " of this cause", finding->count);
        g_string_append_c(text, '\n');
        if (command->traces[i] != NULL)
            present_commands(text, command->traces[i]);
        fputs(text->str, stdout);
    }
}

/* ---- summary ---- */

static const struct {
    const char *headline;
    const char *name; /* in JSON */
    int exit;
} endings[] = {
    [EXPLORE_FOUND] = {"FOUND", "found", EXIT_FOUND},
    [EXPLORE_NOTHING_LEFT] = {"NOTHING LEFT", "nothing-left", EXIT_CLEAN},
    [EXPLORE_BUDGET_SPENT] = {"BUDGET SPENT", "budget-spent", EXIT_INCOMPLETE},
    [EXPLORE_INTERRUPTED] = {"INTERRUPTED", "interrupted", EXIT_INCOMPLETE},
    [EXPLORE_INCONCLUSIVE] = {"INCONCLUSIVE", "inconclusive", EXIT_INCOMPLETE},
    [EXPLORE_ERROR] = {"ERROR", "error", EXIT_ERROR},
};

static void append_params(GString *text, const struct explore_command *command)
{
    const struct fl_scenario *scenario = command->subject.scenario;
    for (uint32_t i = 0; i < scenario->n_params; i++)
        g_string_append_printf(text, "%s%s=%u", i == 0 ? " (" : ", ", scenario->params[i].id,
                               command->base.params[i]);
    if (scenario->n_params > 0)
        g_string_append_c(text, ')');
}

/* Which choices are made, if not those of the depth alone. */
static void append_choices(GString *text, const struct explore_command *command)
{
    if (command->options.gives_up)
        g_string_append(text, ", and where threads give up");
}

static void append_states(GString *text, const struct explore_command *command,
                          const struct explore_result *result)
{
    g_autofree char *states = cli_plural(result->reached.states, "state");
    g_string_append(text, states);
    if (command->options.bound == FL_MAX_PREEMPTIONS)
        g_string_append(text, ", any number of preemptions");
    else
        g_string_append_printf(text, ", bound %u", command->options.bound);
}

/* What dfs has to say, in a clause; the bounds of auto take a line of their own. */
static void append_extent(GString *text, const struct explore_command *command,
                          const struct explore_result *result)
{
    const struct strategy_ops *strategy = command->options.strategy;
    if (strategy == &strategy_auto)
        return;
    g_autofree char *places = cli_plural(result->places[command->options.depth], "place");
    g_string_append_printf(text, ", depth %s (%s), ", depth_name(command->options.depth), places);
    if (strategy == &strategy_stateful)
        append_states(text, command, result);
    else if (strategy->steps)
        g_string_append_printf(text, "any number of preemptions, strategy %s", strategy->id);
    else if (strategy != &strategy_dfs)
        g_string_append_printf(text, "strategy %s", strategy->id);
    else if (result->complete)
        g_string_append_printf(text, "bound %u", command->options.bound);
    else
        g_string_append_printf(text, "bound %u reached, of %u", result->reached.bound,
                               command->options.bound);
    append_choices(text, command);
}

static void append_searched(GString *text, const struct explore_command *command,
                            const struct explore_result *result)
{
    const struct strategy_progress *reached = &result->reached;
    const char *before = "  searched ";
    for (unsigned depth = 0; depth < FL_DEPTH_NEVER; depth++) {
        if (reached->searched[depth] == 0 || command->options.without & 1u << depth)
            continue;
        g_autofree char *places = cli_plural(result->places[depth], "place");
        g_string_append_printf(text, "%s%s (%s) to bound %u", before, depth_name(depth), places,
                               reached->searched[depth] - 1);
        before = ", ";
    }
    if (!result->complete)
        g_string_append_printf(text, "%swas at %s, bound %u", *before == ' ' ? before : "; ",
                               depth_name(reached->depth), reached->bound);
    g_string_append_c(text, '\n');
}

static const char *space_name(const struct fl_scenario *scenario, unsigned space)
{
    return space < FL_SPACE_DOMAIN(0) ? "core" : scenario->domains[space - FL_SPACE_DOMAIN(0)].name;
}

static void append_left_out(GString *text, const struct explore_command *command,
                            const struct explore_result *result)
{
    const char *before =
        "  of these only instructions at shared memory, having one thread and no shared page: ";
    for (unsigned space = 0; space < 32; space++) {
        if (!(result->left_out & 1u << space))
            continue;
        g_string_append_printf(text, "%s%s", before, space_name(command->subject.scenario, space));
        before = ", ";
    }
    if (result->left_out != 0)
        g_string_append_c(text, '\n');
}

static void append_probability(GString *text, const struct explore_result *result)
{
    const struct strategy_progress *pct = &result->reached;
    g_string_append_printf(text,
                           "  a bug of depth %u was met with a probability of at least %.4f "
                           "(%u threads, %u places)\n",
                           pct->bound + 1, pct->probability, pct->threads, pct->places);
}

/* The event that the variant's search must see, or NULL. */
static const char *must_see(const struct explore_command *command)
{
    const uint16_t sees = command->subject.scenario->variants[command->subject.variant].sees;
    return sees != 0 ? trace_event_info(sees)->name : NULL;
}

static void append_seen(GString *text, const struct explore_command *command,
                        const struct explore_result *result)
{
    if (must_see(command) == NULL || command->options.fails != 0)
        return;
    g_autofree char *count = cli_count(result->seen);
    if (explore_saw_nothing(&command->options, result))
        g_string_append_printf(text, "  shows nothing: no run had a %s\n", must_see(command));
    else
        g_string_append_printf(text, "  met %s %s times\n", must_see(command), count);
}

/* "  34 failures injected (frame 21, slab 13), 34 of them hit, in 3,380 runs" */
static void append_failures(GString *text, const struct explore_command *command,
                            const struct explore_result *result)
{
    const struct strategy_progress *reached = &result->reached;
    if (command->options.fails == 0)
        return;
    uint32_t all = 0;
    for (unsigned kind = 0; kind < FL_FAIL_KINDS; kind++)
        all += reached->failures[kind];
    g_autofree char *failures = cli_plural(all, "failure");
    g_autofree char *runs = cli_plural(reached->runs_hit, "run");
    g_string_append_printf(text, "  %s injected", failures);
    const char *before = " (";
    for (unsigned kind = 0; kind < FL_FAIL_KINDS; kind++)
        if (command->options.fails & 1u << kind) {
            g_string_append_printf(text, "%s%s %u", before, trace_value_name(TRACE_FAIL, kind),
                                   reached->failures[kind]);
            before = ", ";
        }
    g_string_append_printf(text, "), %u of them hit, in %s", reached->failures_hit, runs);
    if (reached->runs_hit == 0)
        g_string_append(text, ": shows nothing");
    if (reached->failures_done < all)
        g_string_append_printf(text, "; done with %u", reached->failures_done);
    g_string_append_c(text, '\n');
}

static void print_summary(const struct explore_command *command,
                          const struct explore_result *result)
{
    const struct fl_scenario *scenario = command->subject.scenario;
    g_autofree char *runs = cli_plural(result->runs, "run");
    g_autofree char *findings = cli_plural(result->findings->len, "finding");
    g_autoptr(GString) text = g_string_new(endings[result->verdict].headline);
    g_string_append_printf(text, "  %s/%s", scenario->id,
                           scenario->variants[command->subject.variant].id);
    append_params(text, command);
    append_extent(text, command, result);
    g_string_append_printf(text, ": %s, %s (%.1f s)\n", runs, findings, result->seconds);
    if (command->options.strategy == &strategy_auto)
        append_searched(text, command, result);
    if (command->options.strategy == &strategy_pct)
        append_probability(text, result);
    if (command->options.orders || command->options.strategy->steps)
        g_string_append_printf(text,
                               "  %" G_GUINT64_FORMAT " behaviours: orders of dependent steps\n",
                               result->distinct);
    if (command->options.unqueued)
        g_string_append(text,
                        "  nobody called core while it was at work: its queue was not tried\n");
    if (command->options.prune)
        g_string_append_printf(text,
                               "  %" G_GUINT64_FORMAT " choices left out: the same, with what "
                               "follows, as others\n",
                               result->reached.pruned);
    explore_append_estimate(text, command, result);
    append_failures(text, command, result);
    append_left_out(text, command, result);
    append_seen(text, command, result);
    if (result->inconclusive > 0)
        g_string_append_printf(text, "  %" G_GUINT64_FORMAT " runs could not be judged\n",
                               result->inconclusive);
    if (result->not_grouped > 0)
        g_string_append_printf(text,
                               "  %" G_GUINT64_FORMAT " violating runs were not looked into\n",
                               result->not_grouped);
    if (!result->complete && result->verdict != EXPLORE_ERROR)
        g_string_append(text, "  the same command with --resume goes on from here\n");
    if (command->certificate != NULL)
        g_string_append_printf(text, "  certificate %s\n", command->certificate);
    const struct audit_totals audits = crew_audits(command->options.crew);
    present_audits(text, &audits);
    fputs(text->str, stdout);
}

/* ---- JSON ---- */

static json_t *finding_to_json(const struct explore_command *command, const struct finding *finding,
                               const char *trace)
{
    const struct fl_scenario *scenario = command->subject.scenario;
    const struct fl_plan *plan = &finding->capture->plan;
    const struct verdict *verdict = judge(command, finding);
    g_autofree char *schedule = plan_whole_schedule(scenario, plan);
    return json_pack("{s:s, s:s, s:I, s:I, s:f, s:o, s:s, s:s?, s:o, s:I, s:s, s:I, s:s}", "check",
                     finding->check, "message", verdict->violations[0].message, "preemptions",
                     (json_int_t)plan->n_preemptions, "runs_to_find",
                     (json_int_t)finding->runs_to_find, "seconds_to_find", finding->seconds_to_find,
                     "plan", plan_to_json(plan, scenario), "schedule", schedule, "trace", trace,
                     "event_hash", cli_json_hash(verdict->event_hash), "runs_minimising",
                     (json_int_t)finding->runs_minimising, "depth", depth_name(plan->depth),
                     "count", (json_int_t)finding->count, "cause", finding->cause);
}

/* By depth: its places, and the bound to which all plans were run. */
static json_t *searched_to_json(const struct explore_command *command,
                                const struct explore_result *result)
{
    json_t *searched = json_object();
    for (unsigned depth = 0; depth < FL_DEPTH_NEVER; depth++) {
        const unsigned levels = result->reached.searched[depth];
        if (levels == 0 || command->options.without & 1u << depth)
            continue;
        json_object_set_new(searched, depth_name(depth),
                            json_pack("{s:I, s:i}", "places", (json_int_t)result->places[depth],
                                      "bound", (int)levels - 1));
    }
    return searched;
}

static json_t *left_out_to_json(const struct explore_command *command,
                                const struct explore_result *result)
{
    json_t *spaces = json_array();
    for (unsigned space = 0; space < 32; space++)
        if (result->left_out & 1u << space)
            json_array_append_new(spaces,
                                  json_string(space_name(command->subject.scenario, space)));
    return spaces;
}

static json_t *failures_to_json(const struct strategy_progress *reached)
{
    json_t *json = json_pack("{s:i, s:i, s:I}", "done", (int)reached->failures_done, "hit",
                             (int)reached->failures_hit, "runs_hit", (json_int_t)reached->runs_hit);
    for (unsigned kind = 0; kind < FL_FAIL_KINDS; kind++)
        json_object_set_new(json, trace_value_name(TRACE_FAIL, kind),
                            json_integer((json_int_t)reached->failures[kind]));
    return json;
}

static void add_strategy(json_t *json, const struct explore_command *command,
                         const struct explore_result *result)
{
    const struct strategy_progress *reached = &result->reached;
    if (command->options.strategy->steps)
        json_object_set_new(json, "bound", json_null());
    json_object_set_new(json, "distinct_by",
                        json_string(command->options.orders || command->options.strategy->steps
                                        ? "order"
                                        : "events"));
    explore_estimate_to_json(json, command, result);
    if (command->options.fails != 0)
        json_object_set_new(json, "failures", failures_to_json(reached));
    json_object_set_new(json, "jobs", json_integer(command->jobs));
    json_object_set_new(json, "resumed", json_integer((json_int_t)result->resumed));
    json_object_set_new(json, "complete", json_boolean(result->complete));
    json_object_set_new(json, "searched", searched_to_json(command, result));
    json_object_set_new(json, "left_out", left_out_to_json(command, result));
    json_object_set_new(json, "sees",
                        must_see(command) != NULL ? json_string(must_see(command)) : json_null());
    json_object_set_new(json, "seen", json_integer((json_int_t)result->seen));
    json_object_set_new(json, "not_grouped", json_integer((json_int_t)result->not_grouped));
    json_object_set_new(json, "pruned", json_integer((json_int_t)reached->pruned));
    json_object_set_new(json, "states", json_integer((json_int_t)reached->states));
    if (command->options.strategy == &strategy_pct)
        json_object_set_new(
            json, "pct",
            json_pack("{s:I, s:I, s:I, s:f}", "depth", (json_int_t)reached->bound + 1, "threads",
                      (json_int_t)reached->threads, "places", (json_int_t)reached->places,
                      "probability", reached->probability));
}

static void print_json(const struct explore_command *command, const struct explore_result *result)
{
    const struct subject *subject = &command->subject;
    const unsigned depth = command->options.strategy == &strategy_auto ? result->reached.depth
                                                                       : command->options.depth;
    json_t *findings = json_array();
    for (guint i = 0; i < result->findings->len; i++)
        json_array_append_new(
            findings,
            finding_to_json(command, g_ptr_array_index(result->findings, i), command->traces[i]));
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:f, s:f, s:I, s:o, s:s?, s:I, s:I, s:s?}",
        "scenario", subject->scenario->id, "variant",
        subject->scenario->variants[subject->variant].id, "backend", subject->backend->id, "arch",
        subject->image->arch, "strategy", command->options.strategy->id, "depth", depth_name(depth),
        "bound", (int)command->options.bound, "verdict", endings[result->verdict].name, "runs",
        (json_int_t)result->runs, "seconds", result->seconds, "runs_per_second",
        (double)(result->runs - result->resumed) / MAX(result->seconds, 1e-6), "distinct",
        (json_int_t)result->distinct, "findings", findings, "certificate", command->certificate,
        "places", (json_int_t)result->places[depth], "inconclusive",
        (json_int_t)result->inconclusive, "error", result->error);
    add_strategy(json, command, result);
    const struct audit_totals audits = crew_audits(command->options.crew);
    json_object_update_new(json, audits_to_json(&audits));
    cli_print_json(json);
}

/* ---- all of it ---- */

/* Two runs of one plan that differ are kept, both: they are all there is to go by. */
static void record_divergence(const struct explore_command *command,
                              const struct explore_result *result)
{
    const struct capture *captures[] = {result->first, result->second};
    for (size_t i = 0; result->first != NULL && i < G_N_ELEMENTS(captures); i++) {
        g_autoptr(GError) error = NULL;
        const struct verdict *verdict =
            capture_judge(captures[i], command->options.engine, command->subject.scenario);
        g_autofree char *path =
            recorder_write(command->runs_dir, &command->subject, captures[i], verdict, &error);
        fprintf(stderr, "faultline explore: one of the two: %s\n",
                path != NULL ? path : error->message);
    }
}

int explore_tell(struct explore_command *command, struct explore_result *result)
{
    progress_end(&command->progress);
    if (result->error != NULL)
        fprintf(stderr, "faultline explore: %s\n", result->error);
    record_divergence(command, result);
    record_findings(command, result);
    if (command->json) {
        print_json(command, result);
    } else {
        print_findings(command, result);
        if (result->verdict != EXPLORE_FOUND || command->all)
            print_summary(command, result);
    }
    for (guint i = 0; i < result->findings->len; i++) {
        g_free(command->traces[i]);
        g_free(command->reasons[i]);
    }
    g_free(command->traces);
    g_free(command->reasons);
    return endings[result->verdict].exit;
}
