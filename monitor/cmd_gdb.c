/* faultline gdb: a recorded run under gdb, parked at an event. */
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "check.h"
#include "cli.h"
#include "gdb/gdb.h"
#include "main.h"
#include "plan.h"
#include "recording.h"
#include "subject.h"
#include "trace.h"

#define UNSET G_MAXINT64

struct gdb_command {
    struct subject_options subject_options;
    gint64 at;
    gboolean serve;
    char *listen;

    const char *trace;
    struct recording *recording;
    struct subject subject;
    struct fl_plan plan;
    char **words; /* for gdb; NULL: none */
};

static bool parse(struct gdb_command *command, int *argc, char ***argv, int *status)
{
    const GOptionEntry entries[] = {
        {"at", 0, 0, G_OPTION_ARG_INT64, &command->at,
         "park right after that event (default: the first violation's, else the first)", "EVENT"},
        {"serve", 0, 0, G_OPTION_ARG_NONE, &command->serve,
         "start no gdb: print where one can attach, and wait", NULL},
        {"listen", 0, 0, G_OPTION_ARG_STRING, &command->listen,
         "where: localhost:PORT, or the path of a socket (default: a socket of its own)",
         "ADDRESS"},
        G_OPTION_ENTRY_NULL,
    };
    GOptionEntry more[SUBJECT_ENTRIES];
    subject_entries(&command->subject_options, more);
    return cli_parse(argc, argv, "TRACE [-- WORD...]",
                     "Makes the run of a recorded trace again, for gdb to go through forwards and "
                     "backwards, and "
                     "starts\ngdb parked at an event of it (numbers as `run --events` prints "
                     "them). The words go "
                     "to gdb. In gdb,\n`help fl` lists what the rig adds. Exit code: 0, or 2 when "
                     "the run is not "
                     "the one recorded or gdb\nended with an error.",
                     entries, more, status);
}

/* ---- the trace ---- */

static bool same_image(const struct gdb_command *command, GError **error)
{
    const struct image *image = command->subject.image;
    const char *recorded = command->recording->manifest.image_hash;
    if (strcmp(image->hash, recorded) == 0)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "%s is not the image that was recorded (SHA-256 %.12s..., now %.12s...); name that "
                "one with --guest",
                image->path, recorded, image->hash);
    return false;
}

static bool read_plan(struct gdb_command *command, GError **error)
{
    g_autofree char *path = g_build_filename(command->trace, "plan.json", NULL);
    g_autofree char *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, error))
        return false;
    if (plan_from_text(text, size, command->subject.scenario, command->subject.scenario_index,
                       &command->plan, NULL, error))
        return true;
    g_prefix_error(error, "%s: ", path);
    return false;
}

static bool open_trace(struct gdb_command *command, GError **error)
{
    command->recording = recording_read(command->trace, error);
    if (command->recording == NULL)
        return false;
    const struct trace_manifest *manifest = &command->recording->manifest;
    struct subject_options options = command->subject_options;
    if (options.guest == NULL && g_file_test(manifest->image, G_FILE_TEST_EXISTS))
        options.guest = (char *)manifest->image;
    if (options.backend == NULL)
        options.backend = (char *)manifest->backend;
    g_autofree char *name = g_strdup_printf("%s/%s", manifest->scenario, manifest->variant);
    return subject_open(&command->subject, &options, name, error) && same_image(command, error) &&
           read_plan(command, error);
}

/* The finding's event, unless one was named. */
static size_t event_of(const struct gdb_command *command)
{
    if (command->at != UNSET)
        return (size_t)command->at;
    struct engine *engine = engine_new();
    const struct verdict *verdict = recording_judge(command->recording, engine);
    const size_t event = verdict->n_violations > 0 ? (size_t)verdict->violations[0].event : 0;
    engine_free(engine);
    return MIN(event, MAX(command->recording->events->len, 1) - 1);
}

/* ---- gdb, or whoever comes ---- */

static void heed_interrupts(gpointer data)
{
    (void)data;
    signal(SIGINT, SIG_DFL);
}

/* Ctrl-C is for gdb. */
static bool run_gdb(const struct gdb_command *command, struct gdb_session *session, GError **error)
{
    int n_words, status = 0;
    g_auto(GStrv) words = NULL;
    g_autofree char *program = g_find_program_in_path(GDB_PROGRAM);
    if (program == NULL) {
        g_set_error(error, GDB_ERROR, GDB_ERROR_UNABLE,
                    GDB_PROGRAM " is not installed: apt install " GDB_PROGRAM
                                ", or attach a debugger of yours with --serve");
        return false;
    }
    g_assert(g_shell_parse_argv(gdb_attach_line(session), &n_words, &words, NULL));
    g_autoptr(GPtrArray) argv = g_ptr_array_new();
    for (char **word = words; *word != NULL; word++)
        g_ptr_array_add(argv, *word);
    for (char **word = command->words; word != NULL && *word != NULL; word++)
        g_ptr_array_add(argv, *word);
    g_ptr_array_add(argv, NULL);
    void (*before)(int) = signal(SIGINT, SIG_IGN);
    const bool ran = g_spawn_sync(NULL, (char **)argv->pdata, NULL,
                                  G_SPAWN_SEARCH_PATH | G_SPAWN_CHILD_INHERITS_STDIN,
                                  heed_interrupts, NULL, NULL, NULL, &status, error) &&
                     g_spawn_check_wait_status(status, error);
    signal(SIGINT, before);
    if (!ran)
        g_prefix_error(error, GDB_PROGRAM ": ");
    return ran;
}

static void block_end(sigset_t *ends)
{
    sigemptyset(ends);
    sigaddset(ends, SIGINT);
    sigaddset(ends, SIGTERM);
    pthread_sigmask(SIG_BLOCK, ends, NULL);
}

static void wait_for_end(struct gdb_session *session, const sigset_t *ends)
{
    int number;
    printf("attach   %s\naddress  %s\n", gdb_attach_line(session), gdb_address(session));
    fflush(stdout);
    sigwait(ends, &number);
}

static void tell(struct gdb_session *session)
{
    const struct gdb_status status = gdb_status(session);
    if (status.diverged)
        fputs("faultline gdb: the debugged run diverged from the recorded one: registers or memory "
              "were written\n",
              stderr);
    if (status.end[0] != '\0')
        fprintf(stderr, "faultline gdb: %s\n", status.end);
}

static bool go(struct gdb_command *command, GError **error)
{
    sigset_t ends;
    if (!open_trace(command, error))
        return false;
    if (command->subject.spawn.ops != spawns[0]) {
        g_set_error_literal(error, CLI_ERROR, CLI_ERROR_USAGE,
                            "gdb's guests are recorded and replayed, and that only as children: "
                            "leave out --spawn and --connect");
        return false;
    }
    const struct gdb_options options = {
        .image = command->subject.image,
        .backend = command->subject.backend,
        .scenario = command->subject.scenario,
        .plan = &command->plan,
        .event = event_of(command),
        .events = (const struct fl_event *)(const void *)command->recording->events->data,
        .n_events = command->recording->events->len,
        .listen = command->listen,
    };
    if (command->serve)
        block_end(&ends); /* also in the thread that serves */
    struct gdb_session *session = gdb_open(&options, error);
    if (session == NULL)
        return false;
    bool done = true;
    if (command->serve)
        wait_for_end(session, &ends);
    else
        done = run_gdb(command, session, error);
    tell(session);
    gdb_close(session);
    return done;
}

static bool check_words(struct gdb_command *command, int argc, char **argv, GError **error)
{
    if (!cli_words(argc, 1, command->serve ? 1 : G_MAXINT, "expected the directory of one TRACE",
                   error))
        return false;
    if (command->at < 0) {
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "--at counts events from 0, not %" G_GINT64_FORMAT, command->at);
        return false;
    }
    command->trace = argv[1];
    if (argc > 2)
        command->words = argv + (strcmp(argv[2], "--") == 0 ? 3 : 2);
    return true;
}

int cmd_gdb(int argc, char **argv)
{
    struct gdb_command command = {.at = UNSET};
    GError *error = NULL;
    int status;
    if (!parse(&command, &argc, &argv, &status))
        return status;
    status = EXIT_CLEAN;
    if (!check_words(&command, argc, argv, &error) || !go(&command, &error))
        status = cli_fail("faultline gdb", error);
    g_clear_pointer(&command.recording, recording_free);
    subject_close(&command.subject);
    subject_options_free(&command.subject_options);
    g_free(command.listen);
    return status;
}
