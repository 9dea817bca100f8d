/* faultline run: one run of a variant, recorded. */
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include "anchor.h"
#include "cli.h"
#include "explore/explore.h"
#include "host_trace.h"
#include "main.h"
#include "plan.h"
#include "present.h"
#include "recorder.h"
#include "subject.h"
#include "verdict_json.h"

struct run_options {
    struct subject_options subject;
    struct host_trace_options host_trace;
    char **params;
    char *schedule;
    char *plan_file;
    char *runs_dir;
    gboolean online;
    gboolean audit;
    gboolean events;
    gboolean json;
};

static void free_options(struct run_options *options)
{
    subject_options_free(&options->subject);
    g_strfreev(options->params);
    g_free(options->schedule);
    g_free(options->plan_file);
    g_free(options->runs_dir);
}

static bool parse(struct run_options *options, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &options->params, "set a parameter",
         "NAME=VALUE"},
        {"schedule", 0, 0, G_OPTION_ARG_STRING, &options->schedule,
         "preemptions, for example 'main@4->t1', and failures, as 'fail:frame@7'", "TEXT"},
        {"plan", 0, 0, G_OPTION_ARG_FILENAME, &options->plan_file, "a plan.json", "FILE"},
        {"online", 0, 0, G_OPTION_ARG_NONE, &options->online,
         "decide at each place while the guest waits, instead of posting the plan", NULL},
        {"audit", 0, 0, G_OPTION_ARG_NONE, &options->audit,
         "stop the guest whenever core is quiescent, and count core's objects from outside", NULL},
        {"events", 0, 0, G_OPTION_ARG_NONE, &options->events, "print every event", NULL},
        {"runs-dir", 0, 0, G_OPTION_ARG_FILENAME, &options->runs_dir,
         "where traces go (default: traces/runs)", "DIR"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &options->json, "print a JSON object", NULL},
        HOST_TRACE_ENTRIES(&options->host_trace),
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&options->subject, more);
    return cli_parse(argc, argv, "SCENARIO/VARIANT",
                     "Runs a variant once and records the run as a trace. Without a schedule or a "
                     "plan it is the\ndefault schedule. Exit code: 0 clean, 1 violation, 3 "
                     "inconclusive.",
                     entries, more, status);
}

static bool read_plan(const struct run_options *options, const struct subject *subject,
                      struct fl_plan *plan, struct plan_anchors *anchors, GError **error)
{
    plan_init(plan, subject->scenario, subject->scenario_index, subject->variant);
    if (options->plan_file != NULL) {
        g_autofree char *text = NULL;
        gsize size;
        if (!g_file_get_contents(options->plan_file, &text, &size, error))
            return false;
        if (!plan_from_text(text, size, subject->scenario, subject->scenario_index, plan, anchors,
                            error)) {
            g_prefix_error(error, "%s: ", options->plan_file);
            return false;
        }
        if (plan->variant != subject->variant) {
            g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                        "%s is a plan for variant %s, not for %s", options->plan_file,
                        subject->scenario->variants[plan->variant].id,
                        subject->scenario->variants[subject->variant].id);
            return false;
        }
    }
    if (options->schedule != NULL &&
        !plan_parse_schedule(plan, subject->scenario, options->schedule, error))
        return false;
    if (options->online)
        plan->mode |= FL_MODE_ONLINE;
    if (options->audit)
        plan->mode |= FL_MODE_AUDIT;
    return subject_params(subject, options->params, plan, error);
}

/* Whether it was refused as planned. */
static bool was_refused(const struct fl_failure *failure, const struct fl_event *events,
                        size_t count)
{
    bool refused = false;
    for (size_t i = 0; i < count; i++)
        refused |= fl_event_id(&events[i]) == FL_EVENT_REFUSE && events[i].arg == failure->kind &&
                   events[i].aux == failure->nth;
    return refused;
}

/* The preemptions and failures that were asked for and did not take place. */
static char *missed(const struct subject *subject, const struct capture *capture)
{
    size_t count;
    g_autofree struct fl_event *events = capture_events(capture, &count);
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    events_preemptions(events, count, 0, taken, NULL);
    g_autoptr(GArray) left = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    for (uint32_t i = 0; i < capture->plan.n_preemptions; i++) {
        const struct fl_preemption *wanted = &capture->plan.preemptions[i];
        bool met = false;
        for (guint j = 0; j < taken->len; j++)
            met |= memcmp(wanted, &g_array_index(taken, struct fl_preemption, j),
                          sizeof(*wanted)) == 0;
        if (!met)
            g_array_append_vals(left, wanted, 1);
    }
    struct fl_plan missed = {.n_preemptions = left->len};
    for (guint i = 0; i < left->len; i++)
        missed.preemptions[i] = g_array_index(left, struct fl_preemption, i);
    for (uint32_t i = 0; i < capture->plan.n_failures; i++)
        if (!was_refused(&capture->plan.failures[i], events, count))
            missed.failures[missed.n_failures++] = capture->plan.failures[i];
    return plan_whole_schedule(subject->scenario, &missed);
}

static void print_run(const struct run_options *options, const struct subject *subject,
                      const struct capture *capture, const struct verdict *verdict,
                      const struct audit_totals *audits, const char *trace)
{
    g_autoptr(GString) text = g_string_new(NULL);
    if (options->events)
        present_events(text, subject->scenario, capture);
    if (verdict->kind == VERDICT_VIOLATION)
        present_finding(text, subject, capture, verdict);
    else
        present_verdict(text, subject, capture, verdict);
    present_audits(text, audits);
    present_commands(text, trace);
    fputs(text->str, stdout);
}

static void print_json(const struct subject *subject, const struct capture *capture,
                       const struct verdict *verdict, const struct audit_totals *audits,
                       const char *trace)
{
    json_t *json = verdict_to_json(verdict);
    json_object_set_new(json, "scenario", json_string(subject->scenario->id));
    json_object_set_new(json, "variant",
                        json_string(subject->scenario->variants[subject->variant].id));
    json_object_set_new(json, "backend", json_string(subject->backend->id));
    json_object_set_new(json, "arch", json_string(subject->image->arch));
    json_object_set_new(json, "plan", plan_to_json(&capture->plan, subject->scenario));
    json_object_set_new(json, "trace", json_string(trace));
    json_object_update_new(json, audits_to_json(audits));
    cli_print_json(json);
}

static int finish(const struct run_options *options, const struct subject *subject,
                  const struct audit_totals *audits, struct engine *engine,
                  struct recorder *recorder, const struct capture *capture)
{
    GError *error = NULL;
    const struct verdict *verdict = capture_judge(capture, engine, subject->scenario);
    g_autofree char *trace = g_strdup(recorder_path(recorder));
    if (!recorder_capture(recorder, capture, &error)) {
        recorder_discard(recorder);
        return cli_fail("faultline run", error);
    }
    if (!recorder_close(recorder, verdict, &error))
        return cli_fail("faultline run", error);
    if (options->json)
        print_json(subject, capture, verdict, audits, trace);
    else
        print_run(options, subject, capture, verdict, audits, trace);
    g_autofree char *left = missed(subject, capture);
    if (left[0] == '\0' || verdict->kind == VERDICT_VIOLATION)
        return verdict_exit(verdict->kind);
    return cli_fail("faultline run",
                    g_error_new(CLI_ERROR, CLI_ERROR_USAGE,
                                "these did not take place, as the thread did not get there, its "
                                "target could not run, or so much was not asked for: %s",
                                left));
}

struct follower {
    struct recorder *recorder;
    struct session *session;
};

/* What is recorded so far is on disk while the run goes on, whatever becomes of this program. */
static void follow(void *context, const struct explore_state *state)
{
    (void)state;
    const struct follower *follower = context;
    recorder_follow(follower->recorder, follower->session);
}

/* There is no run to judge: no guest could be had, or it was interrupted. */
static int give_up(struct recorder *recorder)
{
    if (!cli_interrupted()) {
        recorder_discard(recorder);
        return EXIT_ERROR;
    }
    g_autofree char *trace = g_strdup(recorder_path(recorder));
    if (recorder_leave(recorder))
        fprintf(stderr, "faultline run: interrupted, recorded so far: %s\n", trace);
    else
        fputs("faultline run: interrupted, nothing recorded\n", stderr);
    return EXIT_INCOMPLETE;
}

static int run(const struct run_options *options, const struct subject *subject,
               struct session *session, const struct fl_plan *plan, GError **error)
{
    const char *root = options->runs_dir != NULL ? options->runs_dir : RECORDER_DEFAULT_ROOT;
    struct recorder *recorder = recorder_open(root, subject, plan, error);
    if (recorder == NULL)
        return EXIT_ERROR;
    struct engine *engine = engine_new();
    struct follower follower = {.recorder = recorder, .session = session};
    struct crew *crew = crew_of(session);
    const struct explore_options explore_options = {
        .crew = crew,
        .engine = engine,
        .scenario = subject->scenario,
        .base = plan,
        .interrupted = cli_interrupted,
        .progress = follow,
        .context = &follower,
    };
    struct capture *capture = explore_once(&explore_options, plan, error);
    const struct audit_totals audits = session_audits(session);
    const int status = capture != NULL
                           ? finish(options, subject, &audits, engine, recorder, capture)
                           : give_up(recorder);
    capture_free(capture);
    crew_free(crew);
    engine_free(engine);
    return status;
}

/* A plan from a file was made for some image, perhaps not for this one. */
static bool fit_plan(const struct subject *subject, struct session *session, struct fl_plan *plan,
                     const struct plan_anchors *anchors, GError **error)
{
    struct engine *engine = engine_new();
    const struct samples samples = {
        .session = session,
        .engine = engine,
        .scenario = subject->scenario,
        .interrupted = cli_interrupted,
    };
    g_autoptr(GString) notes = g_string_new(NULL);
    const bool fits = anchors_apply(&samples, subject->image, NULL, plan, anchors, notes, error);
    fputs(notes->str, stderr);
    engine_free(engine);
    return fits;
}

static int open_and_run(const struct run_options *options, const char *name, GError **error)
{
    struct subject subject;
    struct fl_plan plan;
    g_autofree struct plan_anchors *anchors = g_new0(struct plan_anchors, 1);
    int status = EXIT_ERROR;
    if (subject_open(&subject, &options->subject, name, error) &&
        read_plan(options, &subject, &plan, anchors, error) &&
        subject_takes(&subject, &plan, error)) {
        struct session *session = subject_session(&subject, error);
        if (session != NULL) {
            if (options->schedule != NULL || fit_plan(&subject, session, &plan, anchors, error))
                status = run(options, &subject, session, &plan, error);
            session_close(session);
        }
    }
    subject_close(&subject);
    return status;
}

int cmd_run(int argc, char **argv)
{
    struct run_options options = {.json = FALSE};
    GError *error = NULL;
    int status;
    if (!parse(&options, &argc, &argv, &status))
        return status;
    if (cli_words(argc, 1, 1, "expected one SCENARIO/VARIANT", &error) &&
        host_trace_begin(&options.host_trace, "run", argv[1], &error)) {
        cli_catch_interrupt();
        status = open_and_run(&options, argv[1], &error);
    }
    if (error != NULL)
        status = cli_fail("faultline run", error);
    status = host_trace_end(&options.host_trace, "faultline run", status);
    free_options(&options);
    return status;
}
