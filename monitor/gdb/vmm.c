/* The VMM connects to a socket of ours; nested, the QEMU that carries it does, and keeps the line
 * for the VMMs that follow. */
#include "vmm.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>
#include "gdb.h"
#include "ring.h"

#define RUN_MS    60000
#define ANSWER_MS 120000
#define LOOK_MS   100

static bool fail(GError **error, const char *what)
{
    g_set_error(error, GDB_ERROR, GDB_ERROR_GUEST, "%s", what);
    return false;
}

static int listen_at(const char *path, GError **error)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd >= 0 &&
        g_strlcpy(address.sun_path, path, sizeof address.sun_path) < sizeof address.sun_path &&
        bind(fd, (const struct sockaddr *)&address, sizeof address) == 0 && listen(fd, 1) == 0)
        return fd;
    g_set_error(error, GDB_ERROR, GDB_ERROR_GUEST, "cannot make the socket %s: %s", path,
                g_strerror(errno));
    if (fd >= 0)
        close(fd);
    return -1;
}

static bool prepare(struct vmm *vmm, const struct gdb_target_config *config, GError **error)
{
    *vmm = (struct vmm){.ops = config->backend, .plan = *config->plan, .listener = -1, .fd = -1};
    vmm->workdir = workdir_open(error);
    if (vmm->workdir == NULL)
        return false;
    const char *dir = workdir_path(vmm->workdir);
    g_autofree char *ram = g_build_filename(dir, WORKDIR_RAM, NULL);
    vmm->image = g_build_filename(dir, WORKDIR_IMAGE, NULL);
    vmm->socket = g_build_filename(dir, "debugger", NULL);
    vmm->memory = guestmem_create(ram, FL_RAM_SIZE, error);
    if (vmm->memory == NULL ||
        !g_file_set_contents(vmm->image, config->image->data, (gssize)config->image->size, error))
        return false;
    vmm->listener = listen_at(vmm->socket, error);
    return vmm->listener >= 0;
}

static void stop(struct vmm *vmm)
{
    if (vmm->fd >= 0)
        close(vmm->fd);
    vmm->fd = -1;
    if (vmm->backend != NULL)
        vmm->ops->stop(vmm->backend);
    vmm->backend = NULL;
}

static bool start(struct vmm *vmm, const char *debugger, GError **error)
{
    const struct backend_config config = {
        .image = vmm->image,
        .run_dir = workdir_path(vmm->workdir),
        .memory = vmm->memory,
        .debugger = debugger,
    };
    ring_prepare(vmm->memory, &vmm->plan);
    vmm->backend = vmm->ops->start(&config, error);
    return vmm->backend != NULL;
}

/* A guest that dies has made a run, too. */
static bool make_run(struct vmm *vmm, GError **error)
{
    struct fl_result result;
    char reason[160];
    if (!start(vmm, NULL, error))
        return false;
    for (int waited = 0; waited < RUN_MS; waited += LOOK_MS / 10) {
        if (ring_result(vmm->memory, &result) ||
            !vmm->ops->alive(vmm->backend, reason, sizeof reason))
            return true;
        g_usleep(LOOK_MS * 100); /* results are polled for, as by sessions */
    }
    return fail(error, "the guest has not ended the run in time, and cannot be debugged");
}

bool vmm_open(struct vmm *vmm, const struct gdb_target_config *config, GError **error)
{
    const bool made = prepare(vmm, config, error) && make_run(vmm, error);
    stop(vmm);
    return made;
}

void vmm_close(struct vmm *vmm)
{
    stop(vmm);
    if (vmm->listener >= 0)
        close(vmm->listener);
    guestmem_free(vmm->memory);
    workdir_close(vmm->workdir);
    g_free(vmm->image);
    g_free(vmm->socket);
}

static bool await_line(struct vmm *vmm, GError **error)
{
    char reason[160];
    while (vmm->fd < 0) {
        struct pollfd ready = {.fd = vmm->listener, .events = POLLIN};
        if (poll(&ready, 1, LOOK_MS) > 0)
            vmm->fd = accept4(vmm->listener, NULL, NULL, SOCK_CLOEXEC);
        else if (!vmm->ops->alive(vmm->backend, reason, sizeof reason))
            return fail(error, reason);
    }
    return true;
}

bool vmm_is_gone(struct vmm *vmm, char *reason, size_t size)
{
    return !vmm->ops->alive(vmm->backend, reason, size);
}

/* Until the answer is whole. */
static bool await_answer(struct vmm *vmm)
{
    char reason[160];
    for (int waited = 0; waited < ANSWER_MS;) {
        struct pollfd ready = {.fd = vmm->fd, .events = POLLIN};
        const int n = poll(&ready, 1, LOOK_MS);
        if (n > 0 && vmm_receive(vmm))
            return true;
        if (n == 0)
            waited += LOOK_MS;
        if ((n == 0 || (ready.revents & POLLHUP) != 0) && vmm_is_gone(vmm, reason, sizeof reason))
            return false;
    }
    return false;
}

bool vmm_restart(struct vmm *vmm, GError **error)
{
    const bool carried =
        vmm->backend != NULL && vmm->ops->end_guest != NULL && vmm->ops->end_guest(vmm->backend);
    if (carried) {
        ring_prepare(vmm->memory, &vmm->plan);
        if (!vmm->ops->next_guest(vmm->backend))
            return fail(error, "no other guest can be started");
    } else {
        stop(vmm);
        if (!start(vmm, vmm->socket, error))
            return false;
    }
    vmm->received = 0;
    if (!await_line(vmm, error))
        return false;
    return await_answer(vmm) || fail(error, "the VMM does not answer its debugger");
}

bool vmm_send(struct vmm *vmm, const struct debug_order *order)
{
    struct debug_order sent = *order;
    sent.magic = DEBUG_MAGIC;
    return send(vmm->fd, &sent, sizeof sent, MSG_NOSIGNAL) == sizeof sent;
}

/* What is no answer, as of another program, makes the line worthless: it stays unanswered. */
bool vmm_receive(struct vmm *vmm)
{
    const ssize_t n =
        recv(vmm->fd, vmm->next + vmm->received, sizeof vmm->next - vmm->received, MSG_DONTWAIT);
    if (n > 0)
        vmm->received += (size_t)n;
    if (vmm->received < sizeof vmm->next)
        return false;
    vmm->received = 0;
    memcpy(&vmm->state, vmm->next, sizeof vmm->state);
    return vmm->state.magic == DEBUG_MAGIC;
}

bool vmm_order(struct vmm *vmm, const struct debug_order *order)
{
    return vmm_send(vmm, order) && await_answer(vmm) && vmm->state.reason != DEBUG_REFUSED;
}
