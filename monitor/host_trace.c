#include "host_trace.h"

#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "backend/parts.h"
#include "lttng/control.h"
#include "main.h"

#define CONTROL  "lttng.so"
#define PROVIDER "lttng-ust.so"

#define GUEST_BYTES (256u << 20) /* of guest events; a search of a minute could fill a disk */

const struct host_events *host_events;

static struct {
    const struct lttng_control *control; /* NULL: not begun */
    char *directory;                     /* absolute */
    uint64_t base;                       /* CLOCK_MONOTONIC of time 0 */
    struct ctf_clock clock;
    unsigned guests;
    uint64_t bytes;
    bool full;
} host;

static bool fail(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool fail(GError **error, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    if (error != NULL)
        *error = g_error_new_valist(LTTNG_ERROR, LTTNG_ERROR_FAILED, format, args);
    va_end(args);
    return false;
}

/* ---- the plugins ---- */

static char *find(const char *name)
{
    g_autofree char *built = g_strdup_printf("plugin/%s", name);
    g_autofree char *installed = g_strdup_printf("lib/faultline/%s", name);
    return part_find(built, installed);
}

bool host_trace_available(void)
{
    g_autofree char *path = find(CONTROL);
    return path != NULL;
}

static const void *load(const char *name, const char *symbol, GError **error)
{
    g_autofree char *path = find(name);
    void *plugin = path != NULL ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    const void *found = plugin != NULL ? dlsym(plugin, symbol) : NULL;
    if (path == NULL)
        fail(error,
             "--lttng needs %s, which was not built: install liblttng-ust-dev, liblttng-ctl-dev "
             "and lttng-tools, and run `make`",
             name);
    else if (found == NULL)
        fail(error, "cannot load %s: %s", path, dlerror());
    return found;
}

/* Its library reads the environment while it is loaded: how long to wait for the daemon to know of
 * us, and that a channel may make us wait for room. */
bool host_trace_load(GError **error)
{
    g_setenv("LTTNG_UST_REGISTER_TIMEOUT", "10000", FALSE);
    g_setenv("LTTNG_UST_ALLOW_BLOCKING", "1", FALSE);
    host_events = load(PROVIDER, HOST_EVENTS_SYMBOL, error);
    return host_events != NULL;
}

/* ---- the clock ---- */

static uint64_t monotonic(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

uint64_t host_trace_now(void)
{
    return monotonic() - host.base;
}

/* The folder in which LTTng keeps what it records of processes of this user. */
static char *recorded_by_lttng(void)
{
    return g_strdup_printf("%s/ust/uid/%u/%d-bit", host.directory, (unsigned)geteuid(),
                           (int)sizeof(void *) * 8);
}

/* LTTng says in the metadata when its clock was 0. It is a stream of packets with TSDL inside,
 * whose clock comes within the first of them. */
static bool read_clock(void)
{
    g_autofree char *folder = recorded_by_lttng();
    g_autofree char *path = g_build_filename(folder, "metadata", NULL);
    g_autofree char *text = NULL;
    gsize size;
    if (!g_file_get_contents(path, &text, &size, NULL))
        return false;
    const char *clock = memmem(text, size, "\nclock {", 8);
    const char *uuid = clock != NULL ? strstr(clock, "uuid = \"") : NULL;
    const char *offset = clock != NULL ? strstr(clock, "offset = ") : NULL;
    if (uuid == NULL || offset == NULL)
        return false;
    g_strlcpy(host.clock.uuid, uuid + strlen("uuid = \""), sizeof host.clock.uuid);
    host.clock.offset = g_ascii_strtoll(offset + strlen("offset = "), NULL, 10) + (gint64)host.base;
    return true;
}

/* ---- begin ---- */

static bool make_directory(const char *name, GError **error)
{
    host.directory = g_canonicalize_filename(name, NULL);
    if (g_mkdir_with_parents(host.directory, 0777) != 0)
        return fail(error, "cannot make the folder %s for --lttng: %s", name, g_strerror(errno));
    g_autoptr(GDir) dir = g_dir_open(host.directory, 0, error);
    if (dir == NULL)
        return false;
    return g_dir_read_name(dir) == NULL ||
           fail(error, "%s is not empty: name another folder with --lttng", name);
}

/* Whether the event `command` is on disk: its two texts lie there as they are. */
static bool is_recorded(const char *verb, const char *subject)
{
    g_autofree char *folder = recorded_by_lttng();
    g_autoptr(GString) texts = g_string_new(verb);
    g_string_append_len(texts, "", 1);
    g_string_append_len(texts, subject, (gssize)strlen(subject) + 1);
    g_autoptr(GDir) dir = g_dir_open(folder, 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(folder, name, NULL);
        g_autofree char *data = NULL;
        gsize size;
        if (g_file_get_contents(path, &data, &size, NULL) &&
            memmem(data, size, texts->str, texts->len) != NULL)
            return true;
    }
    return false;
}

/* A channel for which there is no room makes LTTng record nothing, and it tells nobody. So the
 * first event must reach the disk before anything else is done. */
static bool try_out(const char *verb, const char *subject, GError **error)
{
    host_events->command(verb, subject);
    if (!host.control->flush(error))
        return false;
    return (read_clock() && is_recorded(verb, subject)) ||
           fail(error,
                "LTTng records nothing: most likely /dev/shm has no room for its buffers (64 kB "
                "for each processor); make room there, in a container by a larger --shm-size");
}

static void give_up(void)
{
    uint64_t lost;
    host.control->end(&lost, NULL);
    host.control->discard(host.directory);
    host.control = NULL;
    host_events = NULL;
}

bool host_trace_begin(const struct host_trace_options *options, const char *verb,
                      const char *subject, GError **error)
{
    if (options->directory == NULL)
        return options->kernel == NULL || fail(error, "--lttng-kernel goes with --lttng DIR");
    const struct lttng_control *control = load(CONTROL, LTTNG_CONTROL_SYMBOL, error);
    if (control == NULL || !make_directory(options->directory, error))
        return false;
    host.base = monotonic();
    /* A daemon that ends while it is spoken to is an error like any other. */
    signal(SIGPIPE, SIG_IGN);
    if (!control->begin(host.directory, options->kernel, error)) {
        control->discard(host.directory);
        return false;
    }
    host.control = control;
    if (host_trace_load(error) && try_out(verb, subject, error))
        return true;
    give_up();
    return false;
}

/* ---- end ---- */

static void say_end(const char *who, const char *directory, uint64_t lost)
{
    fprintf(stderr, "%s: host and guest in one timeline: babeltrace2 %s\n", who, directory);
    if (lost > 0)
        fprintf(stderr, "%s: LTTng had no room for %" PRIu64 " events of the host\n", who, lost);
    if (host.full)
        fprintf(stderr, "%s: the timeline has the guest's first %u MB of events only\n", who,
                GUEST_BYTES >> 20);
}

int host_trace_end(struct host_trace_options *options, const char *who, int status)
{
    if (host.control != NULL) {
        GError *error = NULL;
        uint64_t lost = 0;
        host_events = NULL;
        if (host.control->end(&lost, &error)) {
            say_end(who, options->directory, lost);
        } else {
            fprintf(stderr, "%s: %s\n", who, error->message);
            g_error_free(error);
            status = EXIT_ERROR;
        }
        host.control = NULL;
    }
    g_clear_pointer(&host.directory, g_free);
    g_clear_pointer(&options->directory, g_free);
    g_clear_pointer(&options->kernel, g_free);
    return status;
}

/* ---- guests ---- */

unsigned host_trace_guest(void)
{
    return ++host.guests;
}

struct timeline *host_trace_timeline(unsigned guest, const struct fl_scenario *scenario)
{
    if (host.control == NULL)
        return NULL;
    g_autoptr(GError) error = NULL;
    g_autofree char *name = g_strdup_printf("guest-%u", guest);
    g_autofree char *path = g_build_filename(host.directory, name, NULL);
    host.clock.number = (uint16_t)guest;
    struct timeline *timeline = timeline_open(path, scenario, &host.clock, &error);
    if (timeline == NULL)
        fprintf(stderr, "faultline: no guest events in the timeline: %s\n", error->message);
    return timeline;
}

bool host_trace_room(size_t bytes, bool *first)
{
    const bool was_full = host.full;
    host.bytes += bytes;
    host.full = was_full || host.bytes > GUEST_BYTES;
    *first = host.full && !was_full;
    return !host.full;
}
