/* faultline explain: a recorded run in lanes, and the two accesses or events whose order decides.
 */
#include <stdio.h>
#include <string.h>
#include "capture.h"
#include "cli.h"
#include "main.h"
#include "plan.h"
#include "present.h"
#include "recording.h"
#include "report_lanes.h"
#include "subject.h"
#include "verdict_json.h"

struct explain {
    struct subject_options subject_options;
    gboolean full;

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
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&explain->subject_options, more);
    return cli_parse(argc, argv, "TRACE",
                     "Prints a recorded run in lanes, one column a thread. Exit code: 0 clean, 1 "
                     "violation,\n3 inconclusive.",
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
    return verdict_exit(report.verdict->kind);
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
        explain->trace = argv[1];
        status = go(explain, &error);
    }
    if (error != NULL)
        status = cli_fail("faultline explain", error);
    subject_options_free(&explain->subject_options);
    return status;
}
