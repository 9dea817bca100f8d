/* faultline replay: run a trace's plan again, and compare what happens, event by event. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "anchor.h"
#include "check.h"
#include "cli.h"
#include "explore/drive.h"
#include "host_trace.h"
#include "main.h"
#include "plan.h"
#include "progress.h"
#include "recording.h"
#include "report_text.h"
#include "subject.h"
#include "trace.h"

struct replay {
    struct subject_options subject_options;
    struct host_trace_options host_trace;
    int times;
    gboolean online, any_image, reanchor, json;

    const char *trace;
    struct recording *recording;
    struct subject subject;
    struct fl_plan plan;
    struct plan_anchors anchors;
    bool foreign;        /* recorded on another architecture than that of the replay */
    bool anew;           /* the plan was anchored anew: only the verdict can be compared */
    uint64_t event_hash; /* of the trace */
    uint32_t outcome;
    const struct check *violated; /* the first check; NULL: none */
    struct session *session;
    struct engine *engine;
    struct progress progress;
    gint64 began;
    unsigned runs;
    unsigned equal;
    GString *difference; /* how the first run that differs does; empty: none did */
};

static bool parse(struct replay *replay, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"times", 0, 0, G_OPTION_ARG_INT, &replay->times, "how often (default: 1)", "N"},
        {"online", 0, 0, G_OPTION_ARG_NONE, &replay->online,
         "decide at each place while the guest waits, instead of posting the plan", NULL},
        {"any-image", 0, 0, G_OPTION_ARG_NONE, &replay->any_image,
         "also with another guest image than the one that was recorded", NULL},
        {"reanchor", 0, 0, G_OPTION_ARG_NONE, &replay->reanchor,
         "also on another architecture, for a plan that preempts between instructions", NULL},
        {"json", 0, 0, G_OPTION_ARG_NONE, &replay->json, "print a JSON object", NULL},
        HOST_TRACE_ENTRIES(&replay->host_trace),
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&replay->subject_options, more);
    return cli_parse(
        argc, argv, "TRACE",
        "Runs the plan of a recorded trace again and compares the events, on any back end. A plan "
        "that\nneeds other places for its preemptions, on an edited image (--any-image) or between "
        "the instructions\nof another architecture (--reanchor), is compared by its verdict. Exit "
        "code: 0 when every run was\nequal to the trace, 2 when one was not (its first differing "
        "event is named), 3 interrupted.",
        entries, more, status);
}

/* ---- the trace ---- */

static bool read_plan(struct replay *replay, GError **error)
{
    g_autofree char *path = g_build_filename(replay->trace, "plan.json", NULL);
    g_autofree char *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, error))
        return false;
    if (!plan_from_text(text, size, replay->subject.scenario, replay->subject.scenario_index,
                        &replay->plan, &replay->anchors, error)) {
        g_prefix_error(error, "%s: ", path);
        return false;
    }
    if (replay->online)
        replay->plan.mode |= FL_MODE_ONLINE;
    return true;
}

static const struct check *first_violated(const struct verdict *verdict)
{
    return verdict->kind == VERDICT_VIOLATION ? verdict->violations[0].check : NULL;
}

static bool comparable(struct replay *replay, GError **error)
{
    const struct verdict *verdict = recording_judge(replay->recording, replay->engine);
    if (verdict->reason[0] != '\0') {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "%s is not whole (%s): there is nothing to compare a replay with",
                    replay->trace, verdict->reason);
        return false;
    }
    replay->event_hash = verdict->event_hash;
    replay->outcome = verdict->outcome;
    replay->violated = first_violated(verdict);
    return true;
}

static bool same_image(const struct replay *replay, GError **error)
{
    const struct image *image = replay->subject.image;
    if (replay->any_image || replay->foreign ||
        strcmp(image->hash, replay->recording->manifest.image_hash) == 0)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "%s is not the image that was recorded (SHA-256 %.12s..., now %.12s...); name that "
                "one with --guest, or use --any-image",
                image->path, replay->recording->manifest.image_hash, image->hash);
    return false;
}

/* What lies between the instructions of one architecture is no place on another. */
static bool portable(const struct replay *replay, GError **error)
{
    uint32_t i = 0;
    while (i < replay->plan.n_preemptions && replay->plan.preemptions[i].k == 0)
        i++;
    if (!replay->foreign || i == replay->plan.n_preemptions)
        return true;
    if (replay->reanchor && anchors_know(&replay->anchors, &replay->plan))
        return true;
    g_autofree char *text =
        plan_schedule(replay->subject.scenario, &replay->plan.preemptions[i], 1);
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "%s preempts between instructions of %s (%s), which mean nothing on %s; %s",
                replay->trace, replay->recording->manifest.arch, text, replay->subject.image->arch,
                replay->reanchor ? "its plan does not say in which line of the source"
                                 : "--reanchor looks for the line of the source");
    return false;
}

/* The image and the back end that recorded are the ones to run on, as far as nothing else is asked
 * for and they are where they were. */
static bool open_subject(struct replay *replay, GError **error)
{
    struct trace_manifest *manifest = &replay->recording->manifest;
    struct subject_options options = replay->subject_options;
    const struct backend_ops *asked =
        options.backend != NULL ? backend_find(options.backend) : NULL;
    const bool other = asked != NULL && strcmp(asked->arch, manifest->arch) != 0;
    if (options.guest == NULL && !other && g_file_test(manifest->image, G_FILE_TEST_EXISTS))
        options.guest = manifest->image;
    if (options.backend == NULL && replay->subject_options.guest == NULL)
        options.backend = manifest->backend;
    g_autofree char *name = g_strdup_printf("%s/%s", manifest->scenario, manifest->variant);
    if (!subject_open(&replay->subject, &options, name, error))
        return false;
    replay->foreign = strcmp(replay->subject.image->arch, manifest->arch) != 0;
    const struct backend_ops *was = backend_find(manifest->backend);
    if (options.backend == NULL && !replay->foreign && was != NULL)
        replay->subject.backend = was;
    return true;
}

static bool open_trace(struct replay *replay, GError **error)
{
    replay->recording = recording_read(replay->trace, error);
    return replay->recording != NULL && open_subject(replay, error) && same_image(replay, error) &&
           read_plan(replay, error) && portable(replay, error) &&
           subject_takes(&replay->subject, &replay->plan, error) && comparable(replay, error);
}

/* ---- the runs ---- */

static void append_event(GString *text, const struct replay *replay, const struct fl_event *events,
                         size_t count, size_t i)
{
    if (i < count)
        report_event(text, replay->subject.scenario, &events[i]);
    else
        g_string_append(text, "the end");
}

static void describe_difference(struct replay *replay, const struct run_report *report,
                                const struct fl_event *events, size_t count, size_t at)
{
    const GArray *recorded = replay->recording->events;
    const struct fl_event *expected = (const struct fl_event *)(const void *)recorded->data;
    GString *text = replay->difference;
    g_string_append_printf(text, "run %u differs from the trace ", replay->runs);
    if (at == SIZE_MAX) {
        g_string_append_printf(text, "in its outcome: %s, where the trace has %s",
                               trace_value_name(TRACE_OUTCOME, report->result->outcome),
                               trace_value_name(TRACE_OUTCOME, replay->outcome));
        return;
    }
    g_string_append_printf(text, "at event %zu: ", at);
    append_event(text, replay, events, count, at);
    g_string_append(text, ", where the trace has ");
    append_event(text, replay, expected, recorded->len, at);
}

/* An edited source makes other events; the finding is the same when the check is. */
static bool same_verdict(struct replay *replay, const struct run_report *report)
{
    const struct check *violated = first_violated(report->verdict);
    if (violated == replay->violated && report->result->outcome == replay->outcome)
        return true;
    g_string_append_printf(replay->difference,
                           "run %u, anchored anew, ends %s and violates %s, where the trace ends "
                           "%s and violates %s",
                           replay->runs, trace_value_name(TRACE_OUTCOME, report->result->outcome),
                           violated != NULL ? violated->id : "nothing",
                           trace_value_name(TRACE_OUTCOME, replay->outcome),
                           replay->violated != NULL ? replay->violated->id : "nothing");
    return false;
}

/* Runs that were cut short are equal as far as the shorter one goes. */
static bool equal(struct replay *replay, const struct run_report *report, const struct run *run)
{
    const bool same_outcome = report->result->outcome == replay->outcome;
    const bool gone = outcome_is_cut_short(replay->outcome);
    if (replay->anew)
        return same_verdict(replay, report);
    if (same_outcome && !gone && report->verdict->event_hash == replay->event_hash)
        return true;
    const GArray *recorded = replay->recording->events;
    const struct fl_event *expected = (const struct fl_event *)(const void *)recorded->data;
    struct capture *capture = capture_take(replay->session, run);
    size_t count;
    g_autofree struct fl_event *events = capture_events(capture, &count);
    const size_t common = MIN(count, recorded->len);
    const size_t at = gone ? events_differ(expected, common, events, common)
                           : events_differ(expected, recorded->len, events, count);
    const bool same = gone && same_outcome && at == SIZE_MAX;
    if (!same)
        describe_difference(replay, report, events, count, at);
    capture_free(capture);
    return same;
}

static bool on_run(void *context, const struct driven *driven)
{
    struct replay *replay = context;
    replay->runs++;
    const bool same = equal(replay, driven->report, driven->run);
    replay->equal += same;
    return same;
}

static bool on_wait(void *context)
{
    struct replay *replay = context;
    if (progress_due(&replay->progress)) {
        const double seconds = (double)(g_get_monotonic_time() - replay->began) / G_USEC_PER_SEC;
        g_autofree char *line =
            g_strdup_printf("run %u of %d · %.0f runs/s · %u equal", replay->runs, replay->times,
                            replay->runs / seconds, replay->equal);
        progress_draw(&replay->progress, line);
    }
    return !cli_interrupted();
}

/* Another image than the one that was recorded may have the plan's places elsewhere. One of
 * another architecture has those with k = 0 where they were: its programs make the same entries. */
static bool fit_plan(struct replay *replay, GError **error)
{
    if (strcmp(replay->subject.image->hash, replay->recording->manifest.image_hash) == 0 ||
        (replay->foreign && !replay->reanchor && !replay->any_image))
        return true;
    const struct samples samples = {
        .session = replay->session,
        .engine = replay->engine,
        .scenario = replay->subject.scenario,
        .interrupted = cli_interrupted,
    };
    const char *check = replay->foreign && replay->violated != NULL ? replay->violated->id : NULL;
    g_autoptr(GString) notes = g_string_new(NULL);
    const bool fits = anchors_apply(&samples, replay->subject.image, check, &replay->plan,
                                    &replay->anchors, notes, error);
    replay->anew = notes->len > 0;
    if (fits && replay->reanchor && !replay->anew)
        g_string_append(notes, "anchored anew: every preemption is where it was\n");
    fputs(notes->str, stderr);
    return fits;
}

static bool run_all(struct replay *replay, GError **error)
{
    const struct strategy_config config = {
        .scenario = replay->subject.scenario,
        .base = replay->plan,
        .given = &replay->plan,
        .times = (unsigned)replay->times,
    };
    struct strategy *strategy = strategy_replay.open(&config, error);
    struct crew *crew = crew_of(replay->session);
    struct drive drive = {
        .crew = crew,
        .engine = replay->engine,
        .scenario = replay->subject.scenario,
        .ops = &strategy_replay,
        .strategy = strategy,
        .on_run = on_run,
        .on_wait = on_wait,
        .context = replay,
    };
    cli_catch_interrupt();
    progress_begin(&replay->progress, stderr);
    replay->began = g_get_monotonic_time();
    const enum drive_end end = drive_run(&drive, error);
    progress_end(&replay->progress);
    strategy_replay.close(strategy);
    crew_free(crew);
    return end != DRIVE_FAILED;
}

static const char *verdict_of(const struct replay *replay)
{
    if (replay->difference->len > 0)
        return "different";
    return replay->equal == (unsigned)replay->times ? "equal" : "interrupted";
}

static void tell(const struct replay *replay)
{
    const double seconds = (double)(g_get_monotonic_time() - replay->began) / G_USEC_PER_SEC;
    if (replay->json) {
        cli_print_json(json_pack("{s:s, s:s, s:s, s:s, s:i, s:I, s:o, s:f}", "trace", replay->trace,
                                 "scenario", replay->recording->manifest.scenario, "variant",
                                 replay->recording->manifest.variant, "verdict", verdict_of(replay),
                                 "times", replay->times, "equal", (json_int_t)replay->equal,
                                 "event_hash", cli_json_hash(replay->event_hash), "seconds",
                                 seconds));
    } else {
        printf("%s  %u of %d runs equal to %s, event hash %016" G_GINT64_MODIFIER "x (%.1f s)\n",
               replay->difference->len > 0 ? "DIFFERENT" : "EQUAL", replay->equal, replay->times,
               replay->trace, replay->event_hash, seconds);
    }
    if (replay->difference->len > 0)
        fprintf(stderr, "faultline replay: %s\n", replay->difference->str);
}

/* The trace is ours while we replay it; nobody writes to it meanwhile. */
static int locked(struct replay *replay, GError **error)
{
    int status = EXIT_ERROR;
    if (!open_trace(replay, error))
        return status;
    replay->session = subject_session(&replay->subject, error);
    if (replay->session == NULL)
        return status;
    if (fit_plan(replay, error) && run_all(replay, error)) {
        tell(replay);
        if (replay->equal == (unsigned)replay->times)
            status = EXIT_CLEAN;
        else if (replay->difference->len == 0)
            status = EXIT_INCOMPLETE;
    }
    session_close(replay->session);
    return status;
}

static int go(struct replay *replay, GError **error)
{
    if (replay->times < 1) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "--times must be at least 1, not %d",
                    replay->times);
        return EXIT_ERROR;
    }
    const int lock = rundir_lock(replay->trace, error);
    if (lock < 0)
        return EXIT_ERROR;
    replay->engine = engine_new();
    replay->difference = g_string_new(NULL);
    const int status = locked(replay, error);
    g_string_free(replay->difference, TRUE);
    g_clear_pointer(&replay->recording, recording_free);
    engine_free(replay->engine);
    subject_close(&replay->subject);
    rundir_unlock(lock);
    return status;
}

int cmd_replay(int argc, char **argv)
{
    g_autofree struct replay *replay = g_new0(struct replay, 1);
    replay->times = 1;
    GError *error = NULL;
    int status;
    if (!parse(replay, &argc, &argv, &status))
        return status;
    status = EXIT_ERROR;
    if (cli_words(argc, 1, 1, "expected the directory of one TRACE", &error) &&
        host_trace_begin(&replay->host_trace, "replay", argv[1], &error)) {
        replay->trace = argv[1];
        status = go(replay, &error);
    }
    if (error != NULL)
        status = cli_fail("faultline replay", error);
    status = host_trace_end(&replay->host_trace, "faultline replay", status);
    subject_options_free(&replay->subject_options);
    return status;
}
