/* faultline up: a guest that outlives the command, as a domain of libvirt's. */
#include <stdio.h>
#include <string.h>
#include "cli.h"
#include "lasting.h"
#include "main.h"
#include "plan.h"
#include "recording.h"
#include "samples.h"
#include "subject.h"
#include "verdict_json.h"

struct up {
    struct subject_options options;
    char **params;
    char *schedule, *name;
    gboolean json;

    struct subject subject;
    struct fl_plan plan;
    struct recording *recording; /* NULL: no trace */
};

static bool parse(struct up *up, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"name", 0, 0, G_OPTION_ARG_STRING, &up->name,
         "of the domain (default: after scenario and variant)", "NAME"},
        {"param", 0, 0, G_OPTION_ARG_STRING_ARRAY, &up->params, "set a parameter of the scenario",
         "NAME=VALUE"},
        {"schedule", 0, 0, G_OPTION_ARG_STRING, &up->schedule,
         "preemptions, for example 'main@4->t1'", "TEXT"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &up->json, "print a JSON object", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&up->options, more);
    return cli_parse(argc, argv, "TRACE|SCENARIO/VARIANT",
                     "Makes a run, and leaves its guest paused where the run ended: a domain for "
                     "virsh, until\n`faultline down NAME`. Exit code: 0 however the run ends; 2 "
                     "when there is no libvirt, or the run is\nnot the one that was recorded.",
                     entries, more, status);
}

/* ---- what is run ---- */

static bool open_trace(struct up *up, const char *trace, GError **error)
{
    if (up->schedule != NULL || up->params != NULL) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "%s has a plan of its own: --schedule and --param are for a variant", trace);
        return false;
    }
    up->recording = recording_read(trace, error);
    if (up->recording == NULL)
        return false;
    const struct trace_manifest *manifest = &up->recording->manifest;
    struct subject_options options = up->options;
    if (options.guest == NULL && g_file_test(manifest->image, G_FILE_TEST_EXISTS))
        options.guest = (char *)manifest->image;
    if (options.backend == NULL)
        options.backend = (char *)manifest->backend;
    g_autofree char *name = g_strdup_printf("%s/%s", manifest->scenario, manifest->variant);
    g_autofree char *path = g_build_filename(trace, "plan.json", NULL);
    g_autofree char *text = NULL;
    gsize size;
    return subject_open(&up->subject, &options, name, error) &&
           g_file_get_contents(path, &text, &size, error) &&
           plan_from_text(text, size, up->subject.scenario, up->subject.scenario_index, &up->plan,
                          NULL, error);
}

static bool open_variant(struct up *up, const char *name, GError **error)
{
    struct subject *subject = &up->subject;
    if (!subject_open(subject, &up->options, name, error))
        return false;
    plan_init(&up->plan, subject->scenario, subject->scenario_index, subject->variant);
    return (up->schedule == NULL ||
            plan_parse_schedule(&up->plan, subject->scenario, up->schedule, error)) &&
           subject_params(subject, up->params, &up->plan, error);
}

/* By its URI and name a domain is known to virsh, and by its name alone to `down`. */
static bool choose_name(struct up *up, GError **error)
{
    GPtrArray *entries = workdir_list();
    GPtrArray *list = lasting_list(entries);
    const bool given = up->name != NULL;
    for (unsigned n = 1; !given && (up->name == NULL || lasting_find(list, up->name) != NULL);
         n++) {
        g_autofree char *number = n > 1 ? g_strdup_printf("-%u", n) : g_strdup("");
        g_free(up->name);
        up->name = g_strdup_printf("%s-%s%s", up->subject.scenario->id,
                                   up->subject.scenario->variants[up->subject.variant].id, number);
    }
    const bool taken = given && lasting_find(list, up->name) != NULL;
    const bool good = up->name[0] != '\0' && strpbrk(up->name, "/\n\t") == NULL;
    if (taken)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "there is a guest %s already; `faultline down %s` ends it", up->name, up->name);
    else if (!good)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "a guest's name is a word without '/', not \"%s\"", up->name);
    g_ptr_array_unref(list);
    g_ptr_array_unref(entries);
    return good && !taken;
}

static bool open_subject(struct up *up, const char *name, GError **error)
{
    g_autofree char *manifest = g_build_filename(name, "manifest.json", NULL);
    const bool is_trace = g_file_test(manifest, G_FILE_TEST_EXISTS);
    struct subject *subject = &up->subject;
    if (!(is_trace ? open_trace(up, name, error) : open_variant(up, name, error)) ||
        !subject_takes(subject, &up->plan, error) || !choose_name(up, error))
        return false;
    subject->spawn.name = up->name;
    subject->spawn.lasts = true;
    if (up->options.spawn != NULL && subject->spawn.ops != &spawn_libvirt)
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_USAGE,
                            "a child of this command would end with it: leave out --spawn exec");
    else if (subject->backend->leave == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "guests of back end %s end with their monitor; those of qemu and qemu-x86_64 "
                    "need not",
                    subject->backend->id);
    else {
        subject->spawn.ops = &spawn_libvirt;
        return true;
    }
    return false;
}

/* ---- the run, and what is kept with its guest ---- */

static bool same_run(struct up *up, const struct sample *sample, GError **error)
{
    size_t n = up->recording != NULL ? up->recording->events->len : 0;
    if (up->recording == NULL ||
        events_differ((const struct fl_event *)(const void *)up->recording->events->data, n,
                      sample->events, sample->n_events) == SIZE_MAX)
        return true;
    g_set_error_literal(
        error, CLI_ERROR, CLI_ERROR_USAGE,
        "the run is not the one that was recorded: is it the same image? `faultline "
        "replay` says where they differ");
    return false;
}

static json_t *about(const struct up *up, const struct verdict *verdict)
{
    const struct subject *subject = &up->subject;
    g_autofree char *schedule = plan_whole_schedule(subject->scenario, &up->plan);
    json_t *json = json_pack(
        "{s:s, s:s, s:s, s:s, s:s, s:s}", "name", up->name, "scenario", subject->scenario->id,
        "variant", subject->scenario->variants[subject->variant].id, "backend",
        subject->backend->id, "schedule", schedule, "verdict", verdict_name(verdict->kind));
    json_object_set_new(json, "event_hash", cli_json_hash(verdict->event_hash));
    return json;
}

static void say(const struct up *up, json_t *json, bool as_json)
{
    GPtrArray *entries = workdir_list();
    GPtrArray *list = lasting_list(entries);
    const struct lasting *lasting = lasting_find(list, up->name);
    const char *uri = lasting != NULL ? lasting->note.uri : "";
    json_object_set_new(json, "uri", json_string(uri));
    if (as_json)
        cli_print_json(json_incref(json));
    else
        printf("UP  %s: %s/%s, paused at its run's end, %s, event hash %s\n"
               "  list      virsh -c '%s' list\n"
               "  console   virsh -c '%s' console %s\n"
               "  QEMU      virsh -c '%s' qemu-monitor-command %s --hmp 'info registers'\n"
               "  end       faultline down %s\n",
               up->name, json_string_value(json_object_get(json, "scenario")),
               json_string_value(json_object_get(json, "variant")),
               json_string_value(json_object_get(json, "verdict")),
               json_string_value(json_object_get(json, "event_hash")), uri, uri, up->name, uri,
               up->name, up->name);
    g_ptr_array_unref(list);
    g_ptr_array_unref(entries);
}

static bool run_and_leave(struct up *up, struct session *session, GError **error)
{
    struct samples samples = {
        .session = session,
        .engine = engine_new(),
        .scenario = up->subject.scenario,
        .interrupted = cli_interrupted,
    };
    struct sample *sample = sample_keep(&samples, &up->plan, error);
    bool left = sample != NULL && same_run(up, sample, error);
    if (left) {
        json_t *json = about(up, sample->verdict);
        g_autofree char *text = json_dumps(json, JSON_INDENT(2));
        left = session_leave(session, text, error);
        if (left)
            say(up, json, up->json);
        json_decref(json);
    }
    sample_free(sample);
    engine_free(samples.engine);
    return left;
}

static bool go(struct up *up, const char *name, GError **error)
{
    if (!open_subject(up, name, error))
        return false;
    struct session *session = subject_session(&up->subject, error);
    const bool left = session != NULL && run_and_leave(up, session, error);
    session_close(session);
    return left;
}

int cmd_up(int argc, char **argv)
{
    struct up up = {.json = FALSE};
    GError *error = NULL;
    int status;
    if (!parse(&up, &argc, &argv, &status))
        return status;
    status = EXIT_CLEAN;
    cli_catch_interrupt();
    if (!cli_words(argc, 1, 1, "expected the directory of one TRACE, or one SCENARIO/VARIANT",
                   &error) ||
        !go(&up, argv[1], &error))
        status = cli_fail("faultline up", error);
    g_clear_pointer(&up.recording, recording_free);
    subject_close(&up.subject);
    subject_options_free(&up.options);
    g_strfreev(up.params);
    g_free(up.schedule);
    g_free(up.name);
    return status;
}
