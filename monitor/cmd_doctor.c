/* faultline doctor: what the rig needs, whether it is there, and how to mend it if not. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>
#include "backend/backend.h"
#include "backend/spawn.h"
#include "cli.h"
#include "host_trace.h"
#include "main.h"
#include "plan.h"
#include "recorder.h"
#include "session.h"
#include "subject.h"
#include "workdir.h"

#define SMOKE          "smoke"
#define SMOKE_LIMIT_MS 20000
#define ROOM_NEEDED    (2ull * FL_RAM_SIZE) /* a session, and another beside it */
#define TRACE_ROOM     (16ull << 20)

enum state { STATE_OK, STATE_OPTIONAL, STATE_BAD };

static const struct {
    const char *label, *json;
} states[] = {
    [STATE_OK] = {"ok", "ok"},
    [STATE_OPTIONAL] = {"--", "missing-but-optional"},
    [STATE_BAD] = {"BAD", "bad"},
};

/* What was looked at, and what was found. */
struct visit {
    const char *guest; /* NULL: those that came with the program */
    const char *runs_dir;
    GPtrArray *images; /* struct image; those that can be used */
    json_t *list;      /* NULL: lines are printed as they come */
    bool healthy;
};

static void note(struct visit *visit, const char *id, enum state state, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static void note(struct visit *visit, const char *id, enum state state, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *text = g_strdup_vprintf(format, args);
    va_end(args);
    visit->healthy = visit->healthy && state != STATE_BAD;
    if (visit->list == NULL) {
        printf("%-4s %-20s %s\n", states[state].label, id, text);
        fflush(stdout);
    } else {
        json_array_append_new(visit->list, json_pack("{s:s, s:s, s:s}", "id", id, "state",
                                                     states[state].json, "text", text));
    }
}

static void note_error(struct visit *visit, const char *id, GError *error)
{
    note(visit, id, STATE_BAD, "%s", error->message);
    g_error_free(error);
}

/* ---- one function a requirement ---- */

static void look_for_leftovers(struct visit *visit)
{
    g_autofree char *count = cli_plural(workdir_sweep(), "session");
    note(visit, "leftovers", STATE_OK, "%s whose monitor was killed swept away", count);
}

static void look_for_room(struct visit *visit)
{
    GError *error = NULL;
    g_autofree char *root = workdir_root(&error);
    if (root == NULL) {
        note_error(visit, "guest-ram", error);
        return;
    }
    g_autofree char *place = g_path_get_dirname(root);
    struct statvfs status;
    if (statvfs(place, &status) != 0) {
        note(visit, "guest-ram", STATE_BAD, "%s: %s", place, g_strerror(errno));
        return;
    }
    unsigned long long room = (unsigned long long)status.f_bavail * status.f_frsize;
    if (room < ROOM_NEEDED)
        note(visit, "guest-ram", STATE_BAD,
             "%llu MiB free in %s, %llu are needed: make room, or set XDG_RUNTIME_DIR to a "
             "directory with room (in a container: --shm-size=1g)",
             room >> 20, place, ROOM_NEEDED >> 20);
    else
        note(visit, "guest-ram", STATE_OK, "%llu MiB free in %s, %u a session", room >> 20, place,
             FL_RAM_SIZE >> 20);
}

/* The directory is made when there is a first trace: what counts until then is where it will be. */
static void look_at_traces(struct visit *visit)
{
    g_autofree char *place = g_canonicalize_filename(visit->runs_dir, NULL);
    while (access(place, F_OK) != 0 && errno == ENOENT) {
        char *above = g_path_get_dirname(place);
        g_free(place);
        place = above;
    }
    struct statvfs status;
    if (access(place, W_OK | X_OK) != 0 || statvfs(place, &status) != 0)
        note(visit, "traces", STATE_BAD,
             "%s cannot be written: %s; name another directory with --runs-dir", place,
             g_strerror(errno));
    else if ((unsigned long long)status.f_bavail * status.f_frsize < TRACE_ROOM)
        note(visit, "traces", STATE_BAD, "no room for traces in %s: less than %llu MiB", place,
             TRACE_ROOM >> 20);
    else
        note(visit, "traces", STATE_OK, "%s can be written", place);
}

static void look_at_image(struct visit *visit, const char *path, enum state missing)
{
    GError *error = NULL;
    struct image *image = image_open(path, &error);
    if (image == NULL) {
        note(visit, "guest-image", missing, "%s", error->message);
        g_error_free(error);
        return;
    }
    note(visit, "guest-image", STATE_OK, "%s: %s, ABI version %u, %zu scenarios", path, image->arch,
         image->header.abi_version, image->n_scenarios);
    g_ptr_array_add(visit->images, image);
}

/* Only what the first back end needs must be there: it is taken when none is named. */
static enum state without(const struct backend_ops *backend)
{
    return backend == backends[0] ? STATE_BAD : STATE_OPTIONAL;
}

static void look_at_images(struct visit *visit)
{
    if (visit->guest != NULL)
        look_at_image(visit, visit->guest, STATE_BAD);
    for (size_t i = 0; visit->guest == NULL && backends[i] != NULL; i++) {
        g_autofree char *path = subject_default_guest(backends[i]->arch);
        if (backend_for(backends[i]->arch) == backends[i])
            look_at_image(visit, path, without(backends[i]));
    }
}

/* NULL: there is none. */
static const struct image *image_for(const struct visit *visit, const struct backend_ops *ops)
{
    for (guint i = 0; i < visit->images->len; i++) {
        const struct image *image = g_ptr_array_index(visit->images, i);
        if (strcmp(image->arch, ops->arch) == 0)
            return image;
    }
    return NULL;
}

static double ms_since(gint64 before)
{
    return (double)(g_get_monotonic_time() - before) / 1000;
}

static void run_smoke(struct visit *visit, const char *id, const struct image *image,
                      struct session *session, double boot_ms)
{
    GError *error = NULL;
    struct fl_plan plan;
    struct run run;
    int index = image_scenario(image, SMOKE);
    if (index < 0) {
        note(visit, id, STATE_OK, "boots in %.0f ms; the image has no scenario " SMOKE " to run",
             boot_ms);
        return;
    }
    plan_init(&plan, &image->scenarios[index], (unsigned)index, 0);
    gint64 before = g_get_monotonic_time();
    session_post(session, &plan);
    switch (session_wait(session, SMOKE_LIMIT_MS, &run, NULL, &error)) {
    case SESSION_RUN:
        break;
    case SESSION_FAILED:
        note_error(visit, id, error);
        return;
    default:
        note(visit, id, STATE_BAD, "boots, but has not run " SMOKE " in %u s: is the machine busy?",
             SMOKE_LIMIT_MS / 1000);
        return;
    }
    if (run.result.outcome == FL_OUTCOME_EXITED)
        note(visit, id, STATE_OK, "boots in %.0f ms, runs " SMOKE " in %.0f ms", boot_ms,
             ms_since(before));
    else
        note(visit, id, STATE_BAD, "boots, but " SMOKE " ends with outcome %u %s",
             run.result.outcome, run.death);
    session_release(session);
}

static void boot(struct visit *visit, const struct backend_ops *ops, const struct image *image)
{
    g_autofree char *id = g_strdup_printf("boot-%s", ops->id);
    GError *error = NULL;
    struct session_options options = {.backend = ops, .image = image};
    gint64 before = g_get_monotonic_time();
    struct session *session = session_open(&options, &error);
    if (session == NULL)
        note_error(visit, id, error);
    else
        run_smoke(visit, id, image, session, ms_since(before));
    session_close(session);
}

/* Without it depth access is not to be had; the other depths are. */
static void look_for_plugin(struct visit *visit, const struct backend_ops *ops)
{
    char reason[200];
    g_autofree char *id = g_strdup_printf("accesses-%s", ops->id);
    bool there = ops->probe_accesses(reason, sizeof reason);
    note(visit, id, there ? STATE_OK : STATE_OPTIONAL, "%s", reason);
}

static void look_at_backends(struct visit *visit)
{
    for (size_t i = 0; backends[i] != NULL; i++) {
        char reason[600]; /* a KVM that is not good enough is a long story */
        g_autofree char *id = g_strdup_printf("backend-%s", backends[i]->id);
        const struct image *image = image_for(visit, backends[i]);
        const bool there = backends[i]->probe(reason, sizeof reason);
        note(visit, id, there ? STATE_OK : without(backends[i]), "%s", reason);
        if (there && (backends[i]->capabilities & BACKEND_ACCESSES) != 0)
            look_for_plugin(visit, backends[i]);
        if (there && image != NULL)
            boot(visit, backends[i], image);
    }
}

/* Without it guests are started as children, and `up` is not to be had. */
static void look_for_libvirt(struct visit *visit)
{
    char reason[256];
    const bool there = spawn_libvirt.probe(reason, sizeof reason);
    note(visit, spawn_libvirt.id, there ? STATE_OK : STATE_OPTIONAL, "%s", reason);
}

static void look_for_tools(struct visit *visit)
{
    static const struct {
        const char *program, *package, *what_for;
    } tools[] = {
        {"babeltrace2", "babeltrace2", "lists a trace with names"},
        {"gdb-multiarch", "gdb-multiarch", "goes through a recorded run"},
        {"qemu-img", "qemu-utils", "keeps a recorded run's begin for gdb"},
        {"arm-none-eabi-gcc", "gcc-arm-none-eabi", "builds guests"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(tools); i++) {
        g_autofree char *path = g_find_program_in_path(tools[i].program);
        if (path != NULL)
            note(visit, tools[i].program, STATE_OK, "%s", path);
        else
            note(visit, tools[i].program, STATE_OPTIONAL,
                 "not installed; it %s: apt install %s (or run `make setup`)", tools[i].what_for,
                 tools[i].package);
    }
}

static void look_for_lttng(struct visit *visit)
{
    g_autofree char *daemon = g_find_program_in_path("lttng-sessiond");
    if (!host_trace_available())
        note(visit, "lttng", STATE_OPTIONAL,
             "no option --lttng: apt install liblttng-ust-dev liblttng-ctl-dev lttng-tools, then "
             "`make`");
    else if (daemon == NULL)
        note(visit, "lttng", STATE_OPTIONAL,
             "no lttng-sessiond for option --lttng: apt install lttng-tools");
    else
        note(visit, "lttng", STATE_OK, "%s", daemon);
}

static int examine(struct visit *visit, bool json)
{
    visit->list = json ? json_array() : NULL;
    visit->healthy = true;
    visit->images = g_ptr_array_new_with_free_func((GDestroyNotify)image_close);
    look_for_leftovers(visit);
    look_for_room(visit);
    look_at_traces(visit);
    look_at_images(visit);
    look_at_backends(visit);
    look_for_libvirt(visit);
    look_for_tools(visit);
    look_for_lttng(visit);
    g_ptr_array_free(visit->images, TRUE);
    if (json)
        cli_print_json(
            json_pack("{s:b, s:o}", "healthy", visit->healthy, "requirements", visit->list));
    else
        printf("\n%s\n", visit->healthy ? "The rig can work."
                                        : "The rig cannot work until what is BAD is mended.");
    return visit->healthy ? EXIT_CLEAN : EXIT_ERROR;
}

/* For tests of KVM: on this machine's own, or else on one that is good everywhere. */
static int name_kvm_lane(void)
{
    static const char *const lanes[] = {"kvm", "kvm-nested"};
    char reason[600] = "";
    for (size_t i = 0; i < G_N_ELEMENTS(lanes); i++) {
        const struct backend_ops *ops = backend_find(lanes[i]);
        if (ops->probe(reason, sizeof reason)) {
            printf("%s\n", ops->id);
            return EXIT_CLEAN;
        }
        fprintf(stderr, "faultline doctor: no %s: %s\n", ops->id, reason);
    }
    return EXIT_ERROR;
}

int cmd_doctor(int argc, char **argv)
{
    gboolean json = FALSE;
    gboolean kvm_lane = FALSE;
    g_autofree char *guest = NULL;
    g_autofree char *runs_dir = NULL;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print a JSON object", NULL},
        {"kvm-lane", 0, 0, G_OPTION_ARG_NONE, &kvm_lane,
         "print the back end on which KVM can be tried here, kvm or kvm-nested, and no more", NULL},
        {"guest", 0, 0, G_OPTION_ARG_FILENAME, &guest,
         "guest image (default: those that came with this program)", "FILE"},
        {"runs-dir", 0, 0, G_OPTION_ARG_FILENAME, &runs_dir,
         "where traces will go (default: " RECORDER_DEFAULT_ROOT ")", "DIR"},
        G_OPTION_ENTRY_NULL,
    };
    int status;
    if (!cli_parse(&argc, &argv, "",
                   "Looks at all that the rig needs, boots a guest, and says how to mend what is "
                   "wrong. Exit code:\n0 the rig can work, 2 it cannot.",
                   entries, NULL, &status))
        return status;
    GError *error = NULL;
    if (!cli_words(argc, 0, 0, "takes no words", &error))
        return cli_fail("faultline doctor", error);
    if (kvm_lane)
        return name_kvm_lane();
    struct visit visit = {
        .guest = guest,
        .runs_dir = runs_dir != NULL ? runs_dir : RECORDER_DEFAULT_ROOT,
    };
    return examine(&visit, json);
}
