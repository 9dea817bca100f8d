/* faultline explain: a recorded run in lanes, and the two accesses or events whose order decides.
 */
#include <stdio.h>
#include <string.h>
#include "capture.h"
#include "check.h"
#include "cli.h"
#include "explain.h"
#include "main.h"
#include "plan.h"
#include "present.h"
#include "recording.h"
#include "report_lanes.h"
#include "subject.h"
#include "verdict_json.h"

struct explain {
    struct subject_options subject_options;
    gboolean full, no_runs;

    const char *trace;
    struct recording *recording;
    struct subject subject; /* its image may be NULL: then there are no source lines, and no runs */
    struct engine *engine;
    char *no_image; /* why there is none */
};

static bool parse(struct explain *explain, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"full", 0, 0, G_OPTION_ARG_NONE, &explain->full, "every entry of every thread", NULL},
        {"no-runs", 0, 0, G_OPTION_ARG_NONE, &explain->no_runs,
         "only what the trace holds; run nothing to find what decides", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&explain->subject_options, more);
    return cli_parse(argc, argv, "TRACE",
                     "Prints a recorded run in lanes, one column a thread; then, from runs of its "
                     "neighbours,\nthe two accesses or events whose order decides. Exit code: 0 "
                     "clean, 1 violation,\n3 inconclusive.",
                     entries, more, status);
}

/* ---- the trace, and the image that it was recorded with ---- */

static void open_image(struct explain *explain)
{
    const struct trace_manifest *manifest = &explain->recording->manifest;
    struct subject_options options = explain->subject_options;
    if (options.guest == NULL)
        options.guest = (char *)manifest->image;
    if (options.backend == NULL)
        options.backend = (char *)manifest->backend;
    g_autofree char *name = g_strdup_printf("%s/%s", manifest->scenario, manifest->variant);
    g_autoptr(GError) error = NULL;
    if (!subject_open(&explain->subject, &options, name, &error)) {
        subject_close(&explain->subject);
        explain->no_image = g_strdup(error->message);
    } else if (strcmp(explain->subject.image->hash, manifest->image_hash) != 0) {
        explain->no_image = g_strdup_printf("%s is not the image that was recorded; name that one "
                                            "with --guest",
                                            options.guest);
        subject_close(&explain->subject);
    }
}

/* ---- what is printed ---- */

static void print_head(const struct explain *explain, const struct report *report)
{
    const struct trace_manifest *manifest = &explain->recording->manifest;
    g_autoptr(GString) text = g_string_new(NULL);
    g_autofree char *schedule =
        plan_schedule(&manifest->scenario_copy, report->taken, report->n_taken);
    g_autofree char *title =
        g_strdup_printf("%s/%s, schedule '%s'", manifest->scenario, manifest->variant, schedule);
    report_wrap(text, title, LANES_WIDTH, "  ");
    g_string_append_c(text, '\n');
    g_autoptr(GString) verdict = g_string_new(NULL);
    report_verdict(verdict, report);
    report_wrap(text, verdict->str, LANES_WIDTH, "  ");
    g_string_append(text, "\n");
    g_string_truncate(verdict, 0);
    report_preemptions(verdict, report, 2);
    g_auto(GStrv) lines = g_strsplit(verdict->str, "\n", -1);
    for (char **line = lines; *line != NULL; line++) {
        report_wrap(text, g_strchug(*line), LANES_WIDTH, "  ");
        g_string_append_c(text, '\n');
    }
    puts(text->str);
}

static void print_notes(const struct explain *explain)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (explain->recording->damage[0] != '\0')
        g_string_append_printf(text, "The trace is damaged: %s.\n", explain->recording->damage);
    if (explain->no_image != NULL) {
        g_autofree char *note = g_strdup_printf("No source lines: %s.", explain->no_image);
        report_wrap(text, note, LANES_WIDTH, "  ");
        g_string_append_c(text, '\n');
    }
    fputs(text->str, stdout);
}

/* ---- what decides ---- */

static bool read_plan(const struct explain *explain, struct fl_plan *plan, GError **error)
{
    g_autofree char *path = g_build_filename(explain->trace, "plan.json", NULL);
    g_autofree char *text = NULL;
    gsize size;
    return g_file_get_contents(path, &text, &size, error) &&
           plan_from_text(text, size, explain->subject.scenario, explain->subject.scenario_index,
                          plan, NULL, error);
}

static struct explanation *decide(const struct explain *explain, const char *check, GError **error)
{
    struct fl_plan plan;
    if (!read_plan(explain, &plan, error))
        return NULL;
    subject_say_telling(&explain->subject, "faultline explain");
    return explain_finding(&explain->subject, &plan, check, cli_interrupted, error);
}

static void print_decision(struct explain *explain, const char *check)
{
    const struct fl_scenario *scenario = explain->subject.scenario;
    g_autoptr(GError) error = NULL;
    g_autoptr(GString) text = g_string_new("\n");
    struct explanation *explanation = decide(explain, check, &error);
    if (explanation != NULL) {
        explanation_text(text, explanation, scenario);
        explanation_schedules(text, explanation);
        explanation_write(explanation, scenario, explain->trace, &error);
    } else if (error == NULL) {
        g_string_append(text, "  decided by  nothing that a later preemption would change\n");
    }
    if (error != NULL) {
        g_autofree char *note = g_strdup_printf("  not known what decides: %s", error->message);
        report_wrap(text, note, LANES_WIDTH, "    ");
        g_string_append_c(text, '\n');
    }
    fputs(text->str, stdout);
    explanation_free(explanation);
}

static int print(struct explain *explain)
{
    const struct recording *recording = explain->recording;
    const struct fl_event *events = (const struct fl_event *)(const void *)recording->events->data;
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    events_preemptions(events, recording->events->len, 0, taken, NULL);
    struct report report = {
        .scenario = &recording->manifest.scenario_copy,
        .verdict = recording_judge(recording, explain->engine),
        .events = events,
        .n_events = recording->events->len,
        .taken = (const struct fl_preemption *)(const void *)taken->data,
        .n_taken = taken->len,
    };
    if (explain->subject.image != NULL)
        present_lookups(&report, &explain->subject);
    print_head(explain, &report);
    g_autoptr(GString) lanes = g_string_new(NULL);
    report_lanes(lanes, &report, explain->full);
    fputs(lanes->str, stdout);
    print_notes(explain);
    const int status = verdict_exit(report.verdict->kind);
    if (status == EXIT_FOUND && taken->len > 0 && explain->subject.image != NULL &&
        !explain->no_runs) {
        g_autofree char *check = g_strdup(report.verdict->violations[0].check->id);
        print_decision(explain, check);
    }
    return status;
}

static int go(struct explain *explain, GError **error)
{
    explain->recording = recording_read(explain->trace, error);
    if (explain->recording == NULL)
        return EXIT_ERROR;
    explain->engine = engine_new();
    open_image(explain);
    const int status = print(explain);
    subject_close(&explain->subject);
    engine_free(explain->engine);
    recording_free(explain->recording);
    g_free(explain->no_image);
    return status;
}

int cmd_explain(int argc, char **argv)
{
    g_autofree struct explain *explain = g_new0(struct explain, 1);
    GError *error = NULL;
    int status;
    if (!parse(explain, &argc, &argv, &status))
        return status;
    status = EXIT_ERROR;
    if (cli_words(argc, 1, 1, "expected the directory of one TRACE", &error)) {
        cli_catch_interrupt();
        explain->trace = argv[1];
        status = go(explain, &error);
    }
    if (error != NULL)
        status = cli_fail("faultline explain", error);
    subject_options_free(&explain->subject_options);
    return status;
}
