/* A client that vanishes leaves nothing behind: the guest is stopped if it was going, breakpoints
 * go, and the next client finds the guest where this one found it. */
#include "server.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>
#include "rsp.h"

#define NOBODY    (-1)
#define GLANCE_MS 100 /* not every way in which a guest stops going is told */
#define BUSY      "E.another debugger is attached: one at a time"

/* One who has come too late, and has not noticed yet. */
struct refused {
    int fd; /* NOBODY: none */
    struct rsp_reader reader;
};
#define REFUSED_MAX 4u

struct server {
    int listener;
    int client; /* NOBODY: none */
    int stop;   /* an eventfd */
    struct stub *stub;
    struct rsp_reader reader;
    struct refused refused[REFUSED_MAX];
    GByteArray *sent; /* the last packet, should the client ask for it again */
    bool running;     /* the guest */
    GMutex mutex;     /* of what follows */
    struct gdb_status status;
};

struct server *server_new(int listener, struct stub *stub)
{
    struct server *server = g_new0(struct server, 1);
    server->listener = listener;
    server->client = NOBODY;
    for (unsigned i = 0; i < REFUSED_MAX; i++)
        server->refused[i].fd = NOBODY;
    server->stub = stub;
    server->stop = eventfd(0, EFD_CLOEXEC);
    g_assert(server->stop >= 0);
    server->sent = g_byte_array_new();
    g_mutex_init(&server->mutex);
    return server;
}

void server_free(struct server *server)
{
    close(server->stop);
    g_byte_array_free(server->sent, TRUE);
    g_mutex_clear(&server->mutex);
    g_free(server);
}

void server_stop(struct server *server)
{
    const uint64_t one = 1;
    const ssize_t written = write(server->stop, &one, sizeof one);
    g_assert(written == sizeof one);
}

struct gdb_status server_status(struct server *server)
{
    g_mutex_lock(&server->mutex);
    const struct gdb_status status = server->status;
    g_mutex_unlock(&server->mutex);
    return status;
}

static void note(struct server *server, unsigned more_clients)
{
    g_mutex_lock(&server->mutex);
    server->status.attached = server->client != NOBODY;
    server->status.clients += more_clients;
    server->status.diverged = stub_has_diverged(server->stub);
    g_strlcpy(server->status.end, stub_end(server->stub), sizeof server->status.end);
    g_mutex_unlock(&server->mutex);
}

/* ---- a client ---- */

/* What cannot be sent finds its reason when the socket is read next. */
static void send_all(int fd, const void *bytes, size_t size)
{
    while (size > 0) {
        const ssize_t n = send(fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            return;
        if (n > 0) {
            bytes = (const char *)bytes + n;
            size -= (size_t)n;
        }
    }
}

static void send_packets(struct server *server, GByteArray *out)
{
    send_all(server->client, out->data, out->len);
    g_byte_array_set_size(server->sent, 0);
    g_byte_array_append(server->sent, out->data, out->len);
}

/* gdb speaks first, and a connection that is closed before it has is only "Broken pipe" to it: the
 * reason is what it gets for an answer, whatever it asks. Should too many come, the last go
 * without. */
static void refuse(struct server *server)
{
    const int fd = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    for (unsigned i = 0; i < REFUSED_MAX && fd >= 0; i++) {
        if (server->refused[i].fd != NOBODY)
            continue;
        server->refused[i] = (struct refused){.fd = fd};
        return;
    }
    if (fd >= 0)
        close(fd);
}

static void send_away(struct refused *refused)
{
    close(refused->fd);
    refused->fd = NOBODY;
}

static void tell_why(struct refused *refused)
{
    uint8_t bytes[1024];
    const ssize_t n = recv(refused->fd, bytes, sizeof bytes, 0);
    for (ssize_t i = 0; i < n; i++) {
        if (rsp_byte(&refused->reader, bytes[i]) != RSP_PACKET)
            continue;
        g_autoptr(GByteArray) out = g_byte_array_new();
        g_byte_array_append(out, (const guint8 *)"+", 1);
        rsp_packet(out, BUSY, strlen(BUSY));
        send_all(refused->fd, out->data, out->len);
    }
    if (n == 0 || (n < 0 && errno != EINTR))
        send_away(refused);
}

static void welcome(struct server *server)
{
    server->client = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    if (server->client < 0) {
        server->client = NOBODY;
        return;
    }
    memset(&server->reader, 0, sizeof server->reader);
    g_byte_array_set_size(server->sent, 0);
    stub_attach(server->stub);
    note(server, 1);
}

/* It may be another one each time. */
static int guest_fd(const struct server *server)
{
    return history_target(stub_history(server->stub))->fd;
}

/* Whether the guest stands still; the client is told. */
static void look_at_guest(struct server *server)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    if (!stub_stopped(server->stub, out))
        return;
    server->running = false;
    if (server->client != NOBODY)
        send_packets(server, out);
}

static void wait_for_guest(struct server *server)
{
    while (server->running) {
        struct pollfd ready = {.fd = guest_fd(server), .events = POLLIN};
        if (poll(&ready, 1, GLANCE_MS) >= 0 || errno == EINTR)
            look_at_guest(server);
    }
}

static void send_home(struct server *server)
{
    close(server->client);
    server->client = NOBODY;
    if (server->running) {
        stub_interrupt(server->stub);
        wait_for_guest(server);
    }
    stub_detach(server->stub);
    note(server, 0);
}

/* While the guest goes, gdb sends nothing but an interrupt; whoever does is not answered. false:
 * the client is done. */
static bool take_packet(struct server *server)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    if (!stub_is_quiet(server->stub))
        send_all(server->client, "+", 1);
    if (server->running)
        return true;
    const enum stub_next next =
        stub_packet(server->stub, server->reader.data, server->reader.size, out);
    send_packets(server, out);
    note(server, 0);
    server->running = next == STUB_RUN;
    if (server->running)
        look_at_guest(server);
    return next != STUB_BYE;
}

static bool take_byte(struct server *server, uint8_t byte)
{
    switch (rsp_byte(&server->reader, byte)) {
    case RSP_PACKET:
        return take_packet(server);
    case RSP_DAMAGED:
        if (!stub_is_quiet(server->stub))
            send_all(server->client, "-", 1);
        return true;
    case RSP_NAK:
        if (!stub_is_quiet(server->stub))
            send_all(server->client, server->sent->data, server->sent->len);
        return true;
    case RSP_INTERRUPTS:
        if (server->running)
            stub_interrupt(server->stub);
        return true;
    default:
        return true;
    }
}

static void hear(struct server *server)
{
    uint8_t bytes[4096];
    const ssize_t n = recv(server->client, bytes, sizeof bytes, 0);
    if (n < 0 && errno == EINTR)
        return;
    bool stays = n > 0;
    for (ssize_t i = 0; i < n && stays; i++)
        stays = take_byte(server, bytes[i]);
    if (!stays)
        send_home(server);
}

/* Whether it has gone, perhaps with something left to be read. */
static bool has_hung_up(const struct server *server)
{
    struct pollfd gone = {.fd = server->client, .events = POLLRDHUP};
    return poll(&gone, 1, 0) > 0;
}

static void meet(struct server *server)
{
    if (server->client != NOBODY && has_hung_up(server))
        send_home(server);
    if (server->client == NOBODY)
        welcome(server);
    else
        refuse(server);
}

/* ---- the loop ---- */

enum { STOP, LISTENER, CLIENT, GUEST, REFUSED, SOURCES = REFUSED + REFUSED_MAX };

void server_run(struct server *server)
{
    for (;;) {
        struct pollfd sources[SOURCES] = {
            [STOP] = {.fd = server->stop, .events = POLLIN},
            [LISTENER] = {.fd = server->listener, .events = POLLIN},
            [CLIENT] = {.fd = server->client, .events = POLLIN},
            [GUEST] = {.fd = server->running ? guest_fd(server) : -1, .events = POLLIN},
        };
        for (unsigned i = 0; i < REFUSED_MAX; i++)
            sources[REFUSED + i] = (struct pollfd){.fd = server->refused[i].fd, .events = POLLIN};
        if (poll(sources, SOURCES, server->running ? GLANCE_MS : -1) < 0)
            continue;
        if (sources[STOP].revents != 0)
            break;
        if (server->running)
            look_at_guest(server);
        if (sources[CLIENT].revents != 0)
            hear(server);
        for (unsigned i = 0; i < REFUSED_MAX; i++)
            if (sources[REFUSED + i].revents != 0)
                tell_why(&server->refused[i]);
        if (sources[LISTENER].revents != 0)
            meet(server);
    }
    if (server->client != NOBODY)
        send_home(server);
    for (unsigned i = 0; i < REFUSED_MAX; i++)
        if (server->refused[i].fd != NOBODY)
            send_away(&server->refused[i]);
}
