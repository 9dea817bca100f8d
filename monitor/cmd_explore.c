/* faultline explore: search the schedules of a variant. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "cli.h"
#include "explore/explore.h"
#include "main.h"
#include "plan.h"
#include "present.h"
#include "progress.h"
#include "recorder.h"
#include "subject.h"
#include "trace.h"
#include "verdict_json.h"

#define TWICE_EVERY 100

struct explore_command {
    struct subject_options subject_options;
    char **params;
    char *depth;
    char *strategy;
    char *runs_dir;
    int bound;
    gint64 seed, runs, twice_every;
    double time;
    gboolean no_minimise, all, audit, json;

    struct subject subject;
    struct fl_plan base;
    struct explore_options options;
    struct progress progress;
    char **traces; /* one for each finding, NULL where it could not be recorded */
};

static bool parse(struct explore_command *command, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"depth", 0, 0, G_OPTION_ARG_STRING, &command->depth,
         "where threads are preempted: ipc or sync (default: ipc)", "D"},
        {"bound", 0, 0, G_OPTION_ARG_INT, &command->bound,
         "largest number of preemptions in a run (default: 2)", "B"},
        {"strategy", 0, 0, G_OPTION_ARG_STRING, &command->strategy,
         "dfs: every plan, fewest preemptions first; random (default: dfs)", "NAME"},
        {"seed", 0, 0, G_OPTION_ARG_INT64, &command->seed, "seed of strategy random", "N"},
        {"runs", 0, 0, G_OPTION_ARG_INT64, &command->runs, "stop after so many runs", "N"},
        {"time", 0, 0, G_OPTION_ARG_DOUBLE, &command->time, "stop after so many seconds", "S"},
        {"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &command->params, "set a parameter",
         "NAME=VALUE"},
        {"all", 0, 0, G_OPTION_ARG_NONE, &command->all,
         "go on after a finding, and keep the first of each check", NULL},
        {"no-minimise", 0, 0, G_OPTION_ARG_NONE, &command->no_minimise,
         "keep a finding's plan as it was met", NULL},
        {"twice-every", 0, 0, G_OPTION_ARG_INT64, &command->twice_every,
         "run every N-th plan twice and compare the traces; 0: never (default: 100)", "N"},
        {"runs-dir", 0, 0, G_OPTION_ARG_FILENAME, &command->runs_dir,
         "where traces go (default: traces/runs)", "DIR"},
        {"audit", 0, 0, G_OPTION_ARG_NONE, &command->audit,
         "in each run, stop the guest whenever core is quiescent, and count its objects from "
         "outside",
         NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &command->json, "print a JSON object", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&command->subject_options, more);
    return cli_parse(argc, argv, "SCENARIO/VARIANT",
                     "Searches the schedules of a variant until a check is violated, nothing is "
                     "left, or the\nbudget is spent. What is found is shrunk to the fewest "
                     "preemptions and recorded.\nExit code: 0 nothing left, 1 found, 2 error, 3 "
                     "budget spent or interrupted.",
                     entries, more, status);
}

/* ---- progress ---- */

/* The lesser of two limits, of which 0 is none. */
static double lesser(double a, double b)
{
    return a == 0 || (b != 0 && b < a) ? b : a;
}

static void append_left(GString *line, const struct explore_state *state, double runs, double rate)
{
    double left = state->seconds_left;
    if (runs > (double)state->runs && rate > 0) {
        const double work = (runs - (double)state->runs) / rate;
        left = left < 0 ? work : MIN(left, work);
    }
    if (left >= 0)
        g_string_append_printf(line, " · %.0f s left", left);
}

static void show_progress(void *context, const struct explore_state *state)
{
    struct explore_command *command = context;
    if (!progress_due(&command->progress))
        return;
    g_autoptr(GString) line = g_string_new(NULL);
    g_autofree char *runs = cli_count(state->runs);
    g_string_append_printf(line, "run %s", runs);
    const double most = lesser((double)state->strategy.runs_known, (double)command->runs);
    if (most > 0) {
        g_autofree char *text = cli_count((uint64_t)most);
        g_string_append_printf(line, " of at most %s", text);
    }
    if (state->minimising) {
        g_string_append_printf(line, " · minimising: %u preemptions", state->strategy.bound);
    } else {
        const double rate = (double)state->runs / MAX(state->seconds, 1e-3);
        g_autofree char *rate_text = cli_count((uint64_t)rate);
        g_string_append_printf(line, " · %s runs/s · depth %s", rate_text,
                               trace_value_name(TRACE_DEPTH, command->options.depth));
        if (command->options.strategy != &strategy_random)
            g_string_append_printf(line, " · bound %u", state->strategy.bound);
        append_left(line, state, lesser(state->strategy.runs_estimated, (double)command->runs),
                    rate);
    }
    progress_draw(&command->progress, line->str);
}

/* ---- results ---- */

/* Nothing of a finding may be lost: what cannot be recorded is printed in full. */
static void record_findings(struct explore_command *command, struct explore_result *result)
{
    command->traces = g_new0(char *, result->findings->len);
    for (guint i = 0; i < result->findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(result->findings, i);
        g_autoptr(GError) error = NULL;
        const struct verdict *verdict =
            capture_judge(finding->capture, command->options.engine, command->subject.scenario);
        command->traces[i] =
            recorder_write(command->runs_dir, &command->subject, finding->capture, verdict, &error);
        if (error == NULL)
            continue;
        g_autoptr(GString) schedule = g_string_new(NULL);
        present_schedule(schedule, &command->subject, finding->capture);
        fprintf(stderr, "faultline explore: the trace is not recorded: %s\n%s", error->message,
                schedule->str);
    }
}

static void print_findings(struct explore_command *command, const struct explore_result *result)
{
    for (guint i = 0; i < result->findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(result->findings, i);
        const struct verdict *verdict =
            capture_judge(finding->capture, command->options.engine, command->subject.scenario);
        g_autoptr(GString) text = g_string_new(NULL);
        present_finding(text, &command->subject, finding->capture, verdict);
        g_autofree char *runs = cli_count(finding->runs_to_find);
        g_string_append_printf(text, "  found   in run %s, after %.2f s", runs,
                               finding->seconds_to_find);
        if (finding->runs_minimising > 0)
            g_string_append_printf(text, "; shrunk in %" G_GUINT64_FORMAT " more",
                                   finding->runs_minimising);
        g_string_append_c(text, '\n');
        if (command->traces[i] != NULL)
            present_commands(text, command->traces[i]);
        fputs(text->str, stdout);
    }
}

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
    g_string_append_printf(text, ", depth %s (%zu places), ",
                           trace_value_name(TRACE_DEPTH, command->options.depth), result->places);
    if (command->options.strategy == &strategy_random)
        g_string_append(text, "at random");
    else if (result->verdict == EXPLORE_NOTHING_LEFT)
        g_string_append_printf(text, "bound %u", command->options.bound);
    else
        g_string_append_printf(text, "bound %u reached, of %u", result->bound,
                               command->options.bound);
    g_string_append_printf(text, ": %s, %s (%.1f s)\n", runs, findings, result->seconds);
    if (result->inconclusive > 0)
        g_string_append_printf(text, "  %" G_GUINT64_FORMAT " runs could not be judged\n",
                               result->inconclusive);
    const struct audit_totals audits = session_audits(command->options.session);
    present_audits(text, &audits);
    fputs(text->str, stdout);
}

static json_t *finding_to_json(struct explore_command *command, const struct finding *finding,
                               const char *trace)
{
    const struct fl_scenario *scenario = command->subject.scenario;
    const struct fl_plan *plan = &finding->capture->plan;
    const struct verdict *verdict =
        capture_judge(finding->capture, command->options.engine, scenario);
    g_autofree char *schedule = plan_schedule(scenario, plan->preemptions, plan->n_preemptions);
    return json_pack("{s:s, s:s, s:I, s:I, s:f, s:o, s:s, s:s?, s:o, s:I}", "check", finding->check,
                     "message", verdict->violations[0].message, "preemptions",
                     (json_int_t)plan->n_preemptions, "runs_to_find",
                     (json_int_t)finding->runs_to_find, "seconds_to_find", finding->seconds_to_find,
                     "plan", plan_to_json(plan, scenario), "schedule", schedule, "trace", trace,
                     "event_hash", cli_json_hash(verdict->event_hash), "runs_minimising",
                     (json_int_t)finding->runs_minimising);
}

static void print_json(struct explore_command *command, const struct explore_result *result)
{
    const struct subject *subject = &command->subject;
    json_t *findings = json_array();
    for (guint i = 0; i < result->findings->len; i++)
        json_array_append_new(
            findings,
            finding_to_json(command, g_ptr_array_index(result->findings, i), command->traces[i]));
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s, s:i, s:s, s:I, s:f, s:f, s:I, s:o, s:n, s:I, s:I, s:s?}",
        "scenario", subject->scenario->id, "variant",
        subject->scenario->variants[subject->variant].id, "backend", subject->backend->id, "arch",
        subject->image->arch, "strategy", command->options.strategy->id, "depth",
        trace_value_name(TRACE_DEPTH, command->options.depth), "bound", command->bound, "verdict",
        endings[result->verdict].name, "runs", (json_int_t)result->runs, "seconds", result->seconds,
        "runs_per_second", (double)result->runs / MAX(result->seconds, 1e-6), "distinct",
        (json_int_t)result->distinct, "findings", findings, "certificate", "places",
        (json_int_t)result->places, "inconclusive", (json_int_t)result->inconclusive, "error",
        result->error);
    const struct audit_totals audits = session_audits(command->options.session);
    json_object_update_new(json, audits_to_json(&audits));
    cli_print_json(json);
}

/* Two runs of one plan that differ are kept, both: they are all there is to go by. */
static void record_divergence(struct explore_command *command, const struct explore_result *result)
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

static int tell(struct explore_command *command, struct explore_result *result)
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
    for (guint i = 0; i < result->findings->len; i++)
        g_free(command->traces[i]);
    g_free(command->traces);
    return endings[result->verdict].exit;
}

/* ---- going ---- */

static bool in_range(const struct explore_command *command, GError **error)
{
    const char *wrong = NULL;
    if (command->bound < 0 || command->bound > (int)FL_MAX_PREEMPTIONS)
        wrong = "--bound must be from 0 to 250";
    else if (command->runs < 0)
        wrong = "--runs must be a number of runs";
    else if (!(command->time >= 0))
        wrong = "--time must be a number of seconds";
    else if (command->twice_every < 0)
        wrong = "--twice-every must be a number of plans, or 0";
    if (wrong != NULL)
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_USAGE, wrong);
    return wrong == NULL;
}

static bool find_strategy(struct explore_command *command, GError **error)
{
    const char *id = command->strategy != NULL ? command->strategy : strategy_dfs.id;
    command->options.strategy = strategy_find(id);
    if (command->options.strategy != NULL)
        return true;
    g_autoptr(GPtrArray) ids = g_ptr_array_new();
    for (size_t i = 0; strategies[i] != NULL; i++)
        g_ptr_array_add(ids, (char *)strategies[i]->id);
    cli_unknown("strategy", id, ids, "faultline explore --help", error);
    return false;
}

static bool prepare(struct explore_command *command, const char *name, GError **error)
{
    struct explore_options *options = &command->options;
    const char *depth = command->depth != NULL ? command->depth : "ipc";
    if (!in_range(command, error) || !cli_depth(depth, &options->depth, error) ||
        !find_strategy(command, error) ||
        !subject_open(&command->subject, &command->subject_options, name, error))
        return false;
    plan_init(&command->base, command->subject.scenario, command->subject.scenario_index,
              command->subject.variant);
    if (command->audit)
        command->base.mode |= FL_MODE_AUDIT;
    if (command->runs_dir == NULL)
        command->runs_dir = g_strdup(RECORDER_DEFAULT_ROOT);
    options->scenario = command->subject.scenario;
    options->base = &command->base;
    options->bound = (unsigned)command->bound;
    options->seed = (uint64_t)command->seed;
    options->max_runs = (uint64_t)command->runs;
    options->max_seconds = command->time;
    options->twice_every = (uint64_t)command->twice_every;
    options->all = command->all;
    options->minimise = !command->no_minimise;
    options->interrupted = cli_interrupted;
    options->progress = show_progress;
    options->context = command;
    return subject_params(&command->subject, command->params, &command->base, error);
}

static int search(struct explore_command *command, const char *name, GError **error)
{
    if (!prepare(command, name, error))
        return EXIT_ERROR;
    struct session *session = subject_session(&command->subject, error);
    if (session == NULL)
        return EXIT_ERROR;
    command->options.session = session;
    command->options.engine = engine_new();
    cli_catch_interrupt();
    progress_begin(&command->progress, stderr);
    struct explore_result *result = explore(&command->options, error);
    int status = EXIT_ERROR;
    if (result != NULL) {
        status = tell(command, result);
        explore_free(result);
    }
    engine_free(command->options.engine);
    session_close(session);
    return status;
}

static void free_command(struct explore_command *command)
{
    subject_close(&command->subject);
    subject_options_free(&command->subject_options);
    g_strfreev(command->params);
    g_free(command->depth);
    g_free(command->strategy);
    g_free(command->runs_dir);
}

int cmd_explore(int argc, char **argv)
{
    struct explore_command command = {.bound = 2, .twice_every = TWICE_EVERY};
    GError *error = NULL;
    int status;
    if (!parse(&command, &argc, &argv, &status))
        return status;
    status = EXIT_ERROR;
    if (cli_words(argc, 1, 1, "expected one SCENARIO/VARIANT", &error))
        status = search(&command, argv[1], &error);
    if (error != NULL)
        status = cli_fail("faultline explore", error);
    free_command(&command);
    return status;
}
