#include "qmp.h"

#include <errno.h>
#include <jansson.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include "gdb.h"

#define ANSWER_MS 20000

struct qmp {
    int fd;
    GString *input; /* not taken yet */
};

/* The next line, which is a JSON object; NULL: QEMU is gone, or says nothing. */
static json_t *next(struct qmp *qmp)
{
    char *newline;
    while ((newline = strchr(qmp->input->str, '\n')) == NULL) {
        char bytes[1024];
        struct pollfd ready = {.fd = qmp->fd, .events = POLLIN};
        const int polled = poll(&ready, 1, ANSWER_MS);
        if (polled < 0 && errno == EINTR)
            continue;
        const ssize_t n = polled > 0 ? read(qmp->fd, bytes, sizeof bytes) : 0;
        if (n <= 0)
            return NULL;
        g_string_append_len(qmp->input, bytes, n);
    }
    json_t *object = json_loadb(qmp->input->str, (size_t)(newline - qmp->input->str), 0, NULL);
    g_string_erase(qmp->input, 0, newline + 1 - qmp->input->str);
    return object;
}

/* What the command returns, a new reference; NULL: an error. Events in between are not looked at.
 */
static json_t *run(struct qmp *qmp, json_t *command)
{
    g_autofree char *text = json_dumps(command, JSON_COMPACT);
    json_decref(command);
    json_t *answer, *returned = NULL;
    if (send(qmp->fd, text, strlen(text), MSG_NOSIGNAL) != (ssize_t)strlen(text))
        return NULL;
    while ((answer = next(qmp)) != NULL) {
        returned = json_incref(json_object_get(answer, "return"));
        const bool last = returned != NULL || json_object_get(answer, "error") != NULL;
        json_decref(answer);
        if (last)
            break;
    }
    return returned;
}

static bool run_only(struct qmp *qmp, json_t *command)
{
    json_t *returned = run(qmp, command);
    const bool done = returned != NULL;
    json_decref(returned);
    return done;
}

struct qmp *qmp_open(int fd, GError **error)
{
    struct qmp *qmp = g_new0(struct qmp, 1);
    qmp->fd = fd;
    qmp->input = g_string_new(NULL);
    json_t *greeting = next(qmp);
    const bool greeted = greeting != NULL && json_object_get(greeting, "QMP") != NULL;
    json_decref(greeting);
    if (greeted && run_only(qmp, json_pack("{s:s}", "execute", "qmp_capabilities")))
        return qmp;
    g_set_error_literal(error, GDB_ERROR, GDB_ERROR_GUEST,
                        "QEMU does not answer on its QMP socket");
    qmp_close(qmp);
    return NULL;
}

void qmp_close(struct qmp *qmp)
{
    if (qmp == NULL)
        return;
    close(qmp->fd);
    g_string_free(qmp->input, TRUE);
    g_free(qmp);
}

bool qmp_position(struct qmp *qmp, uint64_t *icount)
{
    json_t *returned = run(qmp, json_pack("{s:s}", "execute", "query-replay"));
    const json_t *number = json_object_get(returned, "icount");
    const bool told = json_is_integer(number);
    *icount = (uint64_t)json_integer_value(number);
    json_decref(returned);
    return told;
}

bool qmp_seek(struct qmp *qmp, uint64_t icount)
{
    return run_only(qmp, json_pack("{s:s, s:{s:I}}", "execute", "replay-seek", "arguments",
                                   "icount", (json_int_t)icount));
}

bool qmp_quit(struct qmp *qmp)
{
    return run_only(qmp, json_pack("{s:s}", "execute", "quit"));
}
