/* QEMU as a domain of libvirt's: `virsh` sees it. All that has to do with libvirt is done by a
 * program of its own (monitor/libvirt/), which we tell by letters (libvirt/serve.h). */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "domain_xml.h"
#include "domain_note.h"
#include "parts.h"

#define NO_HELPER                                                                                  \
    "this faultline was built without libvirt: apt install libvirt-dev, then `make`; or leave "    \
    "out --spawn and --connect"
#define EMBEDDED   "qemu:///embed?root="
#define ROOT       "libvirt"
#define XML_FILE   "domain.xml"
#define START_MS   60000 /* the first probe of a QEMU takes 0.7 s; on a busy machine far more */
#define DESTROY_MS 30000

struct spawned {
    struct child helper;
    struct child qemu; /* its number alone; 0: libvirt does not tell */
    char *run_dir;
    int line; /* socket to the helper */
    bool parked, over;
    struct spawn_end end; /* once over */
    GString *heard;       /* of a line not yet whole */
};

static char *embedded_uri(const char *run_dir)
{
    g_autofree char *root = g_build_filename(run_dir, ROOT, NULL);
    g_autofree char *escaped = g_uri_escape_string(root, "/", TRUE);
    return g_strconcat(EMBEDDED, escaped, NULL);
}

static void tell(struct spawned *spawned, char letter)
{
    ssize_t sent;
    do {
        sent = send(spawned->line, &letter, 1, MSG_NOSIGNAL);
    } while (sent < 0 && errno == EINTR);
}

/* ---- what the helper says ---- */

/* Reads what is there, waiting for the first of it. false: nothing came, or nothing will. */
static bool listen_to(struct spawned *spawned, int timeout_ms)
{
    char text[256];
    struct pollfd ready = {.fd = spawned->line, .events = POLLIN};
    if (timeout_ms > 0 && poll(&ready, 1, timeout_ms) <= 0)
        return false;
    const ssize_t count = recv(spawned->line, text, sizeof text, MSG_DONTWAIT);
    if (count > 0)
        g_string_append_len(spawned->heard, text, count);
    return count > 0;
}

/* The next whole line, to be freed. NULL: none. */
static char *take_line(struct spawned *spawned)
{
    const char *newline = strchr(spawned->heard->str, '\n');
    if (newline == NULL)
        return NULL;
    const gssize length = newline - spawned->heard->str;
    char *line = g_strndup(spawned->heard->str, (gsize)length);
    g_string_erase(spawned->heard, 0, length + 1);
    return line;
}

static const struct {
    const char *how, *sentence;
} endings[] = {
    {"destroyed", "libvirt has destroyed the guest: somebody has told it so"},
    {"failed", "libvirt says that the guest has failed"},
    {"crashed", "libvirt says that QEMU has crashed"},
    {"lost", "libvirtd has hung up"},
};

/* "ended HOW STATUS LINE". What the guest did itself is told by its status. */
static void note_end(struct spawned *spawned, const char *line)
{
    g_auto(GStrv) words = g_strsplit(line, " ", 4);
    struct spawn_end *end = &spawned->end;
    spawned->over = true;
    if (g_strv_length(words) < 4 || strcmp(words[0], "ended") != 0) {
        g_snprintf(end->sentence, sizeof end->sentence, "%s says: %s", DOMAIN_HELPER, line);
        return;
    }
    end->status = strcmp(words[1], "shutdown") == 0 ? 0 : atoi(words[2]);
    g_strlcpy(end->line, words[3], sizeof end->line);
    for (size_t i = 0; i < G_N_ELEMENTS(endings); i++)
        if (strcmp(words[1], endings[i].how) == 0 &&
            (end->status == -1 || strcmp(words[1], "destroyed") == 0))
            g_strlcpy(end->sentence, endings[i].sentence, sizeof end->sentence);
}

static bool libvirt_alive(struct spawned *spawned, struct spawn_end *end)
{
    char reason[160];
    listen_to(spawned, 0);
    g_autofree char *line = take_line(spawned);
    if (!spawned->over && line != NULL) {
        note_end(spawned, line);
    } else if (!spawned->over && !child_alive(&spawned->helper, reason, sizeof reason)) {
        spawned->over = true;
        g_strlcpy(spawned->end.sentence, reason, sizeof spawned->end.sentence);
    }
    if (spawned->over)
        *end = spawned->end;
    return !spawned->over;
}

/* ---- start and stop ---- */

/* Waits for the helper to be gone, which is after the domain. */
static void stop(struct spawned *spawned)
{
    char rest[64];
    struct pollfd ready = {.fd = spawned->line, .events = POLLIN};
    while (poll(&ready, 1, DESTROY_MS) > 0 && recv(spawned->line, rest, sizeof rest, 0) > 0)
        continue;
    close(spawned->line);
    child_stop(&spawned->helper);
    domain_end_processes(spawned->run_dir); /* none, unless the helper came to harm */
    g_string_free(spawned->heard, TRUE);
    g_free(spawned->run_dir);
    g_free(spawned);
}

static void libvirt_stop(struct spawned *spawned)
{
    tell(spawned, 'd');
    stop(spawned);
}

static bool await_start(struct spawned *spawned, GError **error)
{
    const gint64 until = g_get_monotonic_time() + (gint64)START_MS * 1000;
    g_autofree char *line = NULL;
    while (line == NULL && g_get_monotonic_time() < until && listen_to(spawned, START_MS))
        line = take_line(spawned);
    if (line != NULL && sscanf(line, "started %d", &spawned->qemu.pid) == 1)
        return true;
    if (line != NULL && g_str_has_prefix(line, "error "))
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "libvirt: %s",
                    line + strlen("error "));
    else
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED,
                    "libvirt: " DOMAIN_HELPER
                    " has said nothing of the guest for %d s, or has ended; "
                    "try --spawn exec",
                    START_MS / 1000);
    return false;
}

/* All that a later monitor needs, to find the domain and end it. */
static bool write_files(const struct spawn *spawn, const struct spawn_machine *machine,
                        const char *emulator, const char *run_dir, GError **error)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *base = g_path_get_basename(run_dir);
    g_autofree char *name =
        spawn->name != NULL ? g_strdup(spawn->name) : g_strconcat("faultline-", base, NULL);
    const struct domain domain = {
        .name = name, .uuid = uuid, .emulator = emulator, .machine = machine};
    g_autofree char *xml = domain_xml(&domain);
    g_autofree char *path = g_build_filename(run_dir, XML_FILE, NULL);
    g_autofree char *uri =
        spawn->connect != NULL ? g_strdup(spawn->connect) : embedded_uri(run_dir);
    const struct domain_note note = {.uri = uri, .uuid = uuid, .name = name};
    return g_file_set_contents(path, xml, -1, error) && domain_note_write(run_dir, &note, error);
}

static struct spawned *start_helper(const struct spawn *spawn, const char *helper,
                                    const char *run_dir, GError **error)
{
    int ends[2];
    struct spawned *spawned = g_new0(struct spawned, 1);
    struct domain_note note;
    g_autofree char *xml = g_build_filename(run_dir, XML_FILE, NULL);
    g_assert(domain_note_read(run_dir, &note));
    char *const argv[] = {
        (char *)helper, "serve", note.uri, xml, spawn->lasts ? "last" : "die", NULL};
    g_assert(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) == 0);
    const int code = child_start_on(&spawned->helper, DOMAIN_HELPER, run_dir, argv, ends[1]);
    close(ends[1]);
    domain_note_free(&note);
    if (code != 0) {
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "cannot start %s: %s", helper,
                    g_strerror(code));
        close(ends[0]);
        g_free(spawned);
        return NULL;
    }
    spawned->line = ends[0];
    spawned->run_dir = g_strdup(run_dir);
    spawned->heard = g_string_new(NULL);
    return spawned;
}

static struct spawned *libvirt_start(const struct spawn *spawn, const struct spawn_machine *machine,
                                     const char *run_dir, GError **error)
{
    g_autofree char *helper = part_find(DOMAIN_HELPER, DOMAIN_HELPER_INSTALLED);
    g_autofree char *emulator = g_find_program_in_path(machine->program);
    if (helper == NULL) {
        g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT, NO_HELPER);
        return NULL;
    }
    if (emulator == NULL) {
        spawn_missing(machine, error);
        return NULL;
    }
    if (!write_files(spawn, machine, emulator, run_dir, error))
        return NULL;
    struct spawned *spawned = start_helper(spawn, helper, run_dir, error);
    if (spawned != NULL && !await_start(spawned, error)) {
        stop(spawned);
        return NULL;
    }
    if (spawned != NULL)
        tell(spawned, 'r');
    return spawned;
}

/* The helper's first process stays to collect QEMU, whenever that ends. */
static bool libvirt_leave(struct spawned *spawned, GError **error)
{
    struct spawn_end end;
    const bool alive = libvirt_alive(spawned, &end);
    char rest[64];
    tell(spawned, alive ? 'l' : 'd');
    while (recv(spawned->line, rest, sizeof rest, 0) > 0)
        continue;
    if (!alive)
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "the guest has ended: %s",
                    end.sentence[0] != '\0' ? end.sentence : "by itself");
    close(spawned->line);
    child_forget(&spawned->helper);
    g_string_free(spawned->heard, TRUE);
    g_free(spawned->run_dir);
    g_free(spawned);
    return alive;
}

/* ---- the rest ---- */

static void libvirt_unpark(struct spawned *spawned)
{
    if (spawned->parked)
        tell(spawned, 'r');
    spawned->parked = false;
}

static void libvirt_park(struct spawned *spawned)
{
    if (!spawned->parked)
        tell(spawned, 's');
    spawned->parked = true;
}

static double libvirt_waited(struct spawned *spawned)
{
    return spawned->over ? 0 : child_waited(&spawned->qemu);
}

static bool libvirt_probe(char *reason, size_t size)
{
    g_autofree char *helper = part_find(DOMAIN_HELPER, DOMAIN_HELPER_INSTALLED);
    g_autofree char *out = NULL;
    char *argv[] = {helper, "probe", NULL};
    int status = 1;
    if (helper == NULL) {
        g_strlcpy(reason, NO_HELPER, size);
        return false;
    }
    if (g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, &out, NULL, &status,
                     NULL) &&
        status == 0) {
        g_strlcpy(reason, g_strchomp(out), size);
        return true;
    }
    g_snprintf(reason, (gulong)size,
               "%s does not run: apt install libvirt0 libvirt-daemon-driver-qemu", helper);
    return false;
}

bool spawn_libvirt_built(void)
{
    g_autofree char *helper = part_find(DOMAIN_HELPER, DOMAIN_HELPER_INSTALLED);
    return helper != NULL;
}

const struct spawn_ops spawn_libvirt = {
    .id = "libvirt",
    .start = libvirt_start,
    .alive = libvirt_alive,
    .unpark = libvirt_unpark,
    .park = libvirt_park,
    .waited = libvirt_waited,
    .stop = libvirt_stop,
    .leave = libvirt_leave,
    .probe = libvirt_probe,
};
