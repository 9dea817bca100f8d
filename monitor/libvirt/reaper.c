#include "reaper.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

struct ended {
    pid_t pid;
    int status;
};

static int told = -1; /* pipe of struct ended */

static G_GNUC_NORETURN void reap(pid_t worker, int tell)
{
    bool stays = false;
    for (;;) {
        struct ended ended;
        ended.pid = wait(&ended.status);
        if (ended.pid < 0 && errno == EINTR)
            continue;
        if (ended.pid < 0) /* ECHILD */
            _exit(0);
        if (ended.pid == worker) {
            stays = WIFEXITED(ended.status) && WEXITSTATUS(ended.status) == REAPER_STAY;
            if (!stays)
                _exit(WIFEXITED(ended.status) ? WEXITSTATUS(ended.status) : 2);
        } else if (!stays && write(tell, &ended, sizeof ended) != sizeof ended) {
            _exit(2); /* non-blocking, and nobody has read thousands of them */
        }
    }
}

void reaper_begin(void)
{
    int ends[2];
    if (prctl(PR_SET_CHILD_SUBREAPER, 1) != 0 || pipe2(ends, O_CLOEXEC | O_NONBLOCK) != 0)
        return; /* slow then, but not wrong */
    const pid_t worker = fork();
    if (worker > 0) {
        close(STDIN_FILENO); /* the monitor is to see the worker's end, and the worker its */
        close(ends[0]);
        reap(worker, ends[1]);
    }
    prctl(PR_SET_CHILD_SUBREAPER, 0);
    close(ends[1]);
    told = ends[0];
}

bool reaper_status(pid_t pid, int timeout_ms, int *status)
{
    const gint64 until = g_get_monotonic_time() + (gint64)timeout_ms * 1000;
    struct ended ended = {.pid = 0};
    while (told >= 0 && pid > 0 && ended.pid != pid) {
        const int left = (int)((until - g_get_monotonic_time()) / 1000);
        struct pollfd ready = {.fd = told, .events = POLLIN};
        if (left < 0 || poll(&ready, 1, left) <= 0 || read(told, &ended, sizeof ended) <= 0)
            return false;
    }
    *status = ended.status;
    return ended.pid == pid && pid > 0;
}
