/* faultline step: one run, a point at a time, forwards and backwards. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "anchor.h"
#include "cli.h"
#include "main.h"
#include "plan.h"
#include "recording.h"
#include "step/commands.h"
#include "subject.h"
#include "trace.h"

struct step_options {
    struct subject_options subject;
    char **params;
    char *schedule, *plan_file, *batch;
    gboolean json;
};

/* What is stepped through: a recorded trace's plan, or a plan for a variant. */
struct work {
    const struct step_options *options;
    struct recording *recording; /* NULL: no trace */
    struct subject subject;
    struct fl_plan plan;
    struct plan_anchors anchors;
};

static bool parse(struct step_options *options, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"batch", 0, 0, G_OPTION_ARG_STRING, &options->batch,
         "do these commands, separated by ';', and end", "TEXT"},
        {"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->params,
         "set a parameter of the scenario", "NAME=VALUE"},
        {"schedule", 0, 0, G_OPTION_ARG_STRING, &options->schedule,
         "preemptions, for example 'main@4->t1'", "TEXT"},
        {"plan", 0, 0, G_OPTION_ARG_FILENAME, &options->plan_file, "a plan.json", "FILE"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "print an object for each command", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&options->subject, more);
    return cli_parse(
        argc, argv, "TRACE|SCENARIO/VARIANT",
        "Steps through one run: a recorded one, or that of a variant under a schedule or a plan. "
        "Reads\ncommands, `help` lists them. Exit code: 0 however the run ends, since a finding is "
        "what one\ncomes to look at; 2 when a command of --batch, or of an input that is no "
        "terminal, cannot be\ndone, or when the run is not the one that was recorded.",
        entries, more, status);
}

static void free_options(struct step_options *options)
{
    subject_options_free(&options->subject);
    g_strfreev(options->params);
    g_free(options->schedule);
    g_free(options->plan_file);
    g_free(options->batch);
}

/* ---- what is stepped through ---- */

static bool read_plan(struct work *work, const char *path, GError **error)
{
    g_autofree char *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, error))
        return false;
    if (plan_from_text(text, size, work->subject.scenario, work->subject.scenario_index,
                       &work->plan, &work->anchors, error))
        return true;
    g_prefix_error(error, "%s: ", path);
    return false;
}

static bool whole(const struct work *work, const char *trace, GError **error)
{
    const struct recording *recording = work->recording;
    if (recording->damage[0] != '\0')
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "%s is not whole (%s): the run could not be compared with it", trace,
                    recording->damage);
    else if (strcmp(work->subject.image->hash, recording->manifest.image_hash) != 0)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "%s is not the image that was recorded (SHA-256 %.12s..., now %.12s...); name "
                    "that one with --guest",
                    work->subject.image->path, recording->manifest.image_hash,
                    work->subject.image->hash);
    else
        return true;
    return false;
}

static bool open_trace(struct work *work, const char *trace, GError **error)
{
    const struct step_options *given = work->options;
    if (given->schedule != NULL || given->plan_file != NULL || given->params != NULL) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "%s has a plan of its own: --schedule, --plan and --param are for a variant",
                    trace);
        return false;
    }
    work->recording = recording_read(trace, error);
    if (work->recording == NULL)
        return false;
    struct trace_manifest *manifest = &work->recording->manifest;
    struct subject_options options = given->subject;
    if (options.guest == NULL && g_file_test(manifest->image, G_FILE_TEST_EXISTS))
        options.guest = manifest->image;
    if (options.backend == NULL)
        options.backend = manifest->backend;
    g_autofree char *name = g_strdup_printf("%s/%s", manifest->scenario, manifest->variant);
    g_autofree char *plan = g_build_filename(trace, "plan.json", NULL);
    return subject_open(&work->subject, &options, name, error) && whole(work, trace, error) &&
           read_plan(work, plan, error) && subject_takes(&work->subject, &work->plan, error);
}

static bool open_variant(struct work *work, const char *name, GError **error)
{
    const struct step_options *options = work->options;
    struct subject *subject = &work->subject;
    if (!subject_open(subject, &options->subject, name, error))
        return false;
    plan_init(&work->plan, subject->scenario, subject->scenario_index, subject->variant);
    if (options->plan_file != NULL && !read_plan(work, options->plan_file, error))
        return false;
    if (work->plan.variant != subject->variant) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "%s is a plan for variant %s, not for %s",
                    options->plan_file, subject->scenario->variants[work->plan.variant].id,
                    subject->scenario->variants[subject->variant].id);
        return false;
    }
    return (options->schedule == NULL ||
            plan_parse_schedule(&work->plan, subject->scenario, options->schedule, error)) &&
           subject_params(subject, options->params, &work->plan, error) &&
           subject_takes(subject, &work->plan, error);
}

static bool is_trace(const char *name)
{
    g_autofree char *manifest = g_build_filename(name, "manifest.json", NULL);
    return g_file_test(manifest, G_FILE_TEST_EXISTS);
}

/* A plan from a file was made for some image, perhaps not for this one. */
static bool fit_plan(struct work *work, const struct samples *samples, GError **error)
{
    if (work->options->plan_file == NULL || work->options->schedule != NULL)
        return true;
    g_autoptr(GString) notes = g_string_new(NULL);
    const bool fits = anchors_apply(samples, work->subject.image, NULL, &work->plan, &work->anchors,
                                    notes, error);
    fputs(notes->str, stderr);
    return fits;
}

/* ---- commands ---- */

static bool is_fatal(const GError *error)
{
    return g_error_matches(error, STEP_ERROR, STEP_ERROR_RUN) || error->domain == SESSION_ERROR;
}

static void print_json(const struct step *step, const char *line, const char *text)
{
    const struct stepper *stepper = &step->stepper;
    const struct fl_preemption place = rehearsal_place(stepper->run, stepper->at);
    char name[TRACE_NAME_MAX];
    json_t *json = json_pack("{s:s, s:I, s:i, s:s, s:i, s:s, s:b, s:s}", "command", line, "event",
                             (json_int_t)stepper->at.event, "k", (int)stepper->at.k, "thread",
                             trace_thread_name(stepper->subject->scenario, place.thread, name), "n",
                             (int)place.n, "point",
                             trace_point_name(rehearsal_point(stepper->run, stepper->at)), "ended",
                             stepper->ended, "text", text);
    if (stepper->ended)
        json_object_set_new(json, "event_hash",
                            cli_json_hash(stepper->run->report.verdict->event_hash));
    cli_print_json(json);
}

static bool do_line(struct step *step, const struct step_options *options, const char *line,
                    GError **error)
{
    g_autoptr(GString) out = g_string_new(NULL);
    const bool done = step_command(step, line, out, error);
    if (done && options->json)
        print_json(step, line, out->str);
    else
        fputs(out->str, stdout);
    fflush(stdout);
    return done;
}

static bool do_batch(struct step *step, const struct step_options *options, GError **error)
{
    g_auto(GStrv) lines = g_strsplit(options->batch, ";", -1);
    for (char **line = lines; *line != NULL && !step->quit; line++) {
        g_strstrip(*line);
        if (line[0][0] == '\0')
            continue;
        if (!options->json)
            printf("> %s\n", *line);
        if (!do_line(step, options, *line, error)) {
            g_prefix_error(error, "%s: ", *line);
            return false;
        }
    }
    return true;
}

static bool do_input(struct step *step, const struct step_options *options, GError **error)
{
    const bool terminal = isatty(STDIN_FILENO);
    g_autofree char *line = NULL;
    size_t size = 0;
    while (!step->quit) {
        GError *refused = NULL;
        if (terminal)
            fputs("> ", stdout);
        fflush(stdout);
        if (getline(&line, &size, stdin) < 0)
            break;
        if (do_line(step, options, line, &refused))
            continue;
        if (!terminal || is_fatal(refused)) {
            g_propagate_error(error, refused);
            return false;
        }
        printf("%s\n", refused->message);
        g_error_free(refused);
    }
    return true;
}

static bool step_through(struct work *work, const struct samples *samples, GError **error)
{
    const struct step_options *options = work->options;
    struct step step = {.quit = false};
    const GArray *recorded = work->recording != NULL ? work->recording->events : NULL;
    bool done = fit_plan(work, samples, error) &&
                stepper_begin(&step.stepper, samples, &work->subject, &work->plan, recorded, error);
    if (done) {
        model_init(&step.model);
        if (options->batch == NULL) {
            g_autoptr(GString) out = g_string_new(NULL);
            step_show(&step, out);
            fputs(options->json ? "" : out->str, stdout);
        }
        done = options->batch != NULL ? do_batch(&step, options, error)
                                      : do_input(&step, options, error);
        model_free(&step.model);
        g_autoptr(GString) out = g_string_new(NULL);
        attach_end(&step.gdb, out);
        fputs(options->json ? "" : out->str, stdout);
    }
    stepper_end(&step.stepper);
    g_free(step.last);
    return done;
}

static int go(const struct step_options *options, const char *name, GError **error)
{
    g_autofree struct work *work = g_new0(struct work, 1);
    work->options = options;
    int status = EXIT_ERROR;
    if (is_trace(name) ? open_trace(work, name, error) : open_variant(work, name, error)) {
        subject_prefer_libvirt(&work->subject, &options->subject, "faultline step");
        struct samples samples = {
            .session = subject_session(&work->subject, error),
            .engine = engine_new(),
            .scenario = work->subject.scenario,
            .interrupted = cli_interrupted,
        };
        if (samples.session != NULL && step_through(work, &samples, error))
            status = EXIT_CLEAN;
        engine_free(samples.engine);
        session_close(samples.session);
    }
    g_clear_pointer(&work->recording, recording_free);
    subject_close(&work->subject);
    return status;
}

int cmd_step(int argc, char **argv)
{
    struct step_options options = {.json = FALSE};
    GError *error = NULL;
    int status;
    if (!parse(&options, &argc, &argv, &status))
        return status;
    status = EXIT_ERROR;
    if (cli_words(argc, 1, 1, "expected the directory of one TRACE, or one SCENARIO/VARIANT",
                  &error)) {
        cli_catch_interrupt();
        status = go(&options, argv[1], &error);
    }
    if (error != NULL)
        status = cli_fail("faultline step", error);
    free_options(&options);
    return status;
}
