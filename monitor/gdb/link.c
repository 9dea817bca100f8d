#include "link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define ANSWER_MS 20000

void link_open(struct link *link, int fd)
{
    *link = (struct link){.fd = fd};
}

void link_close(struct link *link)
{
    if (link->fd >= 0)
        close(link->fd);
    link->fd = -1;
}

static void send_bytes(struct link *link, const void *bytes, size_t size)
{
    while (size > 0 && !link->gone) {
        const ssize_t n = send(link->fd, bytes, size, MSG_NOSIGNAL);
        if (n < 0 && errno != EINTR)
            link->gone = true;
        if (n > 0) {
            bytes = (const char *)bytes + n;
            size -= (size_t)n;
        }
    }
}

void link_send(struct link *link, const char *request)
{
    g_autoptr(GByteArray) packet = g_byte_array_new();
    rsp_packet(packet, request, strlen(request));
    send_bytes(link, packet->data, packet->len);
}

void link_interrupt(struct link *link)
{
    const uint8_t byte = RSP_INTERRUPT;
    send_bytes(link, &byte, 1);
}

/* Takes bytes in up to the end of a packet. What follows stays in the socket, which is then seen to
 * be readable. */
static enum rsp_news take(struct link *link)
{
    uint8_t bytes[1024];
    const ssize_t n = recv(link->fd, bytes, sizeof bytes, MSG_PEEK);
    if (n <= 0) {
        link->gone = n == 0 || errno != EINTR;
        return RSP_NOTHING;
    }
    enum rsp_news news = RSP_NOTHING;
    size_t used = 0;
    while (used < (size_t)n && news != RSP_PACKET && news != RSP_DAMAGED)
        news = rsp_byte(&link->reader, bytes[used++]);
    link->gone = recv(link->fd, bytes, used, 0) != (ssize_t)used;
    return news;
}

const char *link_receive(struct link *link, int timeout_ms)
{
    while (!link->gone) {
        struct pollfd ready = {.fd = link->fd, .events = POLLIN};
        const int polled = poll(&ready, 1, timeout_ms);
        if (polled < 0 && errno == EINTR)
            continue;
        if (polled <= 0)
            return NULL;
        const enum rsp_news news = take(link);
        if (news == RSP_PACKET || news == RSP_DAMAGED)
            send_bytes(link, news == RSP_PACKET ? "+" : "-", 1);
        if (news == RSP_PACKET)
            return (const char *)link->reader.data;
    }
    return NULL;
}

const char *link_ask(struct link *link, const char *request)
{
    link_send(link, request);
    return link_receive(link, ANSWER_MS);
}

bool link_order(struct link *link, const char *request)
{
    const char *answer = link_ask(link, request);
    return answer != NULL && strcmp(answer, "OK") == 0;
}
