/* QEMU is given sockets that we listen on, so that its having come up is an event: it connects.
 *
 * Measured on QEMU 7.2: a recording takes 60 ms for a run of 300,000 instructions, half of it
 * QEMU's start. While the guest spins, QEMU's main loop starves, and a request to quit took 9 s; so
 * the guest is stopped by a watchpoint where it gives the run's result. From there it must not go
 * on: with sleep=off a stop moves the clock to the next timer (icount_start_warp_timer), which may
 * be none, and then QEMU goes round in circles. So a replay's end is a little before that. */
#include "replayed.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "gdb.h"
#include "ring.h"

#define START_MS      20000
#define RUN_MS        20000
#define NO_QEMU_IMG   "qemu-img is not installed: apt install qemu-utils (or run `make setup`)"
#define SNAPSHOT_DISK "1M"

static int listen_at(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (strlen(path) < sizeof address.sun_path)
        g_strlcpy(address.sun_path, path, sizeof address.sun_path);
    if (fd >= 0 && address.sun_path[0] != '\0' &&
        bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0)
        return fd;
    g_set_error(error, GDB_ERROR, GDB_ERROR_GUEST, "cannot make the socket %s: %s", path,
                address.sun_path[0] == '\0' ? "the path is too long" : g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool make_snapshots(const char *path, GError **error)
{
    char *argv[] = {"qemu-img", "create", "-q", "-f", "qcow2", (char *)path, SNAPSHOT_DISK, NULL};
    int status;
    g_autofree char *said = NULL;
    if (!g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, &said, &status,
                      NULL)) {
        g_set_error_literal(error, GDB_ERROR, GDB_ERROR_UNABLE, NO_QEMU_IMG);
        return false;
    }
    if (g_spawn_check_wait_status(status, NULL))
        return true;
    g_set_error(error, GDB_ERROR, GDB_ERROR_GUEST, "qemu-img: %s", g_strchomp(said));
    return false;
}

static char *file_in(const struct replayed *replayed, const char *name)
{
    return g_build_filename(workdir_path(replayed->workdir), name, NULL);
}

static bool prepare(struct replayed *replayed, const struct gdb_target_config *config,
                    GError **error)
{
    replayed->arch = config->arch;
    replayed->ops = config->backend;
    replayed->stub.fd = replayed->gdb_listener = replayed->control_listener = -1;
    replayed->workdir = workdir_open(error);
    if (replayed->workdir == NULL)
        return false;
    g_autofree char *ram = file_in(replayed, WORKDIR_RAM);
    replayed->image = file_in(replayed, WORKDIR_IMAGE);
    replayed->files = (struct backend_replay){
        .log = file_in(replayed, "replay"),
        .snapshots = file_in(replayed, "snapshots"),
        .gdb = file_in(replayed, "stub"),
        .control = file_in(replayed, "control"),
    };
    replayed->memory = guestmem_create(ram, FL_RAM_SIZE, error);
    if (replayed->memory == NULL || !make_snapshots(replayed->files.snapshots, error) ||
        !g_file_set_contents(replayed->image, config->image->data, (gssize)config->image->size,
                             error))
        return false;
    replayed->gdb_listener = listen_at(replayed->files.gdb, error);
    if (replayed->gdb_listener < 0)
        return false;
    replayed->control_listener = listen_at(replayed->files.control, error);
    return replayed->control_listener >= 0;
}

/* Waits for QEMU to connect, or to end. */
static int await(struct replayed *replayed, int listener, GError **error)
{
    char reason[160] = "it does not connect to our socket";
    for (int waited = 0; waited < START_MS; waited += 100) {
        struct pollfd ready = {.fd = listener, .events = POLLIN};
        if (poll(&ready, 1, 100) > 0)
            return accept4(listener, NULL, NULL, SOCK_CLOEXEC);
        if (!replayed->ops->alive(replayed->backend, reason, sizeof reason))
            break;
    }
    g_set_error(error, GDB_ERROR, GDB_ERROR_GUEST, "QEMU does not start: %s", reason);
    return -1;
}

/* QEMU's registers are what its description says only to one who has read that. */
static bool greet(struct replayed *replayed, GError **error)
{
    const char *description = NULL;
    if (link_ask(&replayed->stub, "qSupported:xmlRegisters=arm,i386") != NULL)
        description = link_ask(&replayed->stub, "qXfer:features:read:target.xml:0,ffb");
    if (description != NULL && description[0] == 'l')
        return true;
    g_set_error_literal(error, GDB_ERROR, GDB_ERROR_GUEST, "QEMU's gdb stub does not answer");
    return false;
}

static void stop(struct replayed *replayed)
{
    link_close(&replayed->stub);
    qmp_close(replayed->qmp);
    replayed->qmp = NULL;
    if (replayed->backend != NULL)
        replayed->ops->stop(replayed->backend);
    replayed->backend = NULL;
}

static bool start(struct replayed *replayed, const struct fl_plan *plan, GError **error)
{
    const struct backend_config config = {
        .image = replayed->image,
        .run_dir = workdir_path(replayed->workdir),
        .memory = replayed->memory,
        .replay = &replayed->files,
    };
    ring_prepare(replayed->memory, plan);
    replayed->backend = replayed->ops->start(&config, error);
    const int stub =
        replayed->backend != NULL ? await(replayed, replayed->gdb_listener, error) : -1;
    if (stub < 0)
        return false;
    link_open(&replayed->stub, stub);
    const int control = await(replayed, replayed->control_listener, error);
    replayed->qmp = control >= 0 ? qmp_open(control, error) : NULL;
    return replayed->qmp != NULL && greet(replayed, error);
}

/* Runs until the word is written. false: the guest is gone, or goes on and on. */
static bool run_to(struct replayed *replayed, uint64_t offset)
{
    char request[64];
    const uint64_t address = replayed->arch->kernel + offset;
    g_snprintf(request, sizeof request, "Z2,%" G_GINT64_MODIFIER "x,4", address);
    if (!link_order(&replayed->stub, request))
        return false;
    link_send(&replayed->stub, "c");
    const char *stopped = link_receive(&replayed->stub, RUN_MS);
    return stopped != NULL && strstr(stopped, "watch:") != NULL;
}

/* A guest that died has ended the recording itself. */
static bool finish(struct replayed *replayed, GError **error)
{
    if (!run_to(replayed, ring_given_offset()) && !replayed->stub.gone) {
        g_set_error(error, GDB_ERROR, GDB_ERROR_GUEST,
                    "the guest has not ended the run after %d s, and cannot be debugged",
                    RUN_MS / 1000);
        return false;
    }
    qmp_position(replayed->qmp, &replayed->length);
    qmp_quit(replayed->qmp);
    link_receive(&replayed->stub, START_MS); /* its end is all that comes */
    return true;
}

bool replayed_record(struct replayed *replayed, const struct gdb_target_config *config,
                     GError **error)
{
    if (!prepare(replayed, config, error))
        return false;
    replayed->files.record = true;
    const bool recorded = start(replayed, config->plan, error) && finish(replayed, error);
    stop(replayed);
    replayed->files.record = false;
    return recorded;
}

bool replayed_begin(struct replayed *replayed, const struct fl_plan *plan, GError **error)
{
    return start(replayed, plan, error);
}

void replayed_end(struct replayed *replayed, char *reason, size_t size)
{
    if (replayed->ops->alive(replayed->backend, reason, size))
        g_strlcpy(reason, "QEMU does not answer", size);
}

void replayed_close(struct replayed *replayed)
{
    stop(replayed);
    if (replayed->gdb_listener >= 0)
        close(replayed->gdb_listener);
    if (replayed->control_listener >= 0)
        close(replayed->control_listener);
    guestmem_free(replayed->memory);
    workdir_close(replayed->workdir);
    g_free(replayed->image);
    g_free((char *)replayed->files.log);
    g_free((char *)replayed->files.snapshots);
    g_free((char *)replayed->files.gdb);
    g_free((char *)replayed->files.control);
}
