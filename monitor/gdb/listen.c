#include "listen.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>
#include "gdb.h"

#define BACKLOG 4

static int fail(const char *where, const char *why, GError **error)
{
    g_set_error(error, GDB_ERROR, GDB_ERROR_ADDRESS, "cannot listen at %s: %s", where, why);
    return -1;
}

/* ---- a path ---- */

static int listen_at_path(const char *path, char **address, GError **error)
{
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof name.sun_path)
        return fail(path, "the path is too long", error);
    g_strlcpy(name.sun_path, path, sizeof name.sun_path);
    const int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert(fd >= 0);
    const mode_t mask = umask(077); /* for nobody else */
    const bool bound = bind(fd, (const struct sockaddr *)&name, sizeof name) == 0;
    const int code = errno;
    umask(mask);
    if (bound && listen(fd, BACKLOG) == 0) {
        *address = g_strdup(path);
        return fd;
    }
    close(fd);
    return fail(path, code == EADDRINUSE ? "it is there already" : g_strerror(code), error);
}

/* ---- a port ---- */

static bool is_loopback(const struct addrinfo *info)
{
    if (info->ai_family == AF_INET)
        return ntohl(((const struct sockaddr_in *)(const void *)info->ai_addr)->sin_addr.s_addr) >>
                   24 ==
               IN_LOOPBACKNET;
    return info->ai_family == AF_INET6 &&
           IN6_IS_ADDR_LOOPBACK(
               &((const struct sockaddr_in6 *)(const void *)info->ai_addr)->sin6_addr);
}

static int bind_port(const struct addrinfo *info)
{
    const int one = 1;
    const int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0)
        return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    if (bind(fd, info->ai_addr, info->ai_addrlen) == 0 && listen(fd, BACKLOG) == 0)
        return fd;
    close(fd);
    return -1;
}

/* "localhost:4321": the port may have been chosen by the system. */
static char *name_of(int fd, const char *host)
{
    struct sockaddr_storage name;
    socklen_t size = sizeof name;
    g_assert(getsockname(fd, (struct sockaddr *)&name, &size) == 0);
    const in_port_t port = name.ss_family == AF_INET
                               ? ((const struct sockaddr_in *)(const void *)&name)->sin_port
                               : ((const struct sockaddr_in6 *)(const void *)&name)->sin6_port;
    return g_strdup_printf("%s:%u", host, ntohs(port));
}

static int listen_at_port(const char *where, char **address, GError **error)
{
    const char *colon = strrchr(where, ':');
    g_autofree char *host = g_strndup(where, (gsize)(colon - where));
    const bool bracketed = host[0] == '[' && g_str_has_suffix(host, "]");
    g_autofree char *bare = bracketed ? g_strndup(host + 1, strlen(host) - 2) : g_strdup(host);
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    const int code = getaddrinfo(bare[0] != '\0' ? bare : NULL, colon + 1, &hints, &found);
    if (code != 0)
        return fail(where, gai_strerror(code), error);
    int fd = -1;
    const bool loopback = is_loopback(found);
    if (loopback)
        fd = bind_port(found);
    const int why = errno;
    freeaddrinfo(found);
    if (!loopback)
        return fail(
            where,
            "only this host's loopback is listened on (localhost:PORT); from elsewhere, use "
            "a tunnel of ssh",
            error);
    if (fd < 0)
        return fail(where, g_strerror(why), error);
    *address = name_of(fd, host[0] != '\0' ? host : "localhost");
    return fd;
}

int listen_for_gdb(const char *where, char **address, GError **error)
{
    const bool port = strchr(where, '/') == NULL && strrchr(where, ':') != NULL;
    return port ? listen_at_port(where, address, error) : listen_at_path(where, address, error);
}
