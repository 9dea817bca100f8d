#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "workdir.h"

/* Between fork and exec: only what is safe there. Ends in exec, or writes errno to `report`.
 *
 * The death signal is sent when the *thread* that forked ends, so guests are started by the thread
 * that lives as long as the monitor. A parent that ended before prctl is found by getppid. A group
 * of its own keeps the terminal's Ctrl-C, which is for the monitor, from the guest. */
static G_GNUC_NORETURN void become(char *const *argv, pid_t parent, int input, int log, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    dup2(input >= 0 ? input : open("/dev/null", O_RDWR), STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execvp(argv[0], argv);
    int code = errno;
    ssize_t written = write(report, &code, sizeof code);
    _exit(written == sizeof code ? 127 : 126);
}

/* Forks and waits for the exec to have happened. Returns 0 or its errno. */
static int spawn(struct child *child, char *const *argv, int input, int log)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    pid_t parent = getpid();
    child->pid = fork();
    if (child->pid == 0)
        become(argv, parent, input, log, report[1]);
    int code = child->pid < 0 ? errno : 0;
    close(report[1]);
    ssize_t n;
    do {
        n = read(report[0], &code, sizeof code); /* 0 bytes: exec closed the pipe */
    } while (n < 0 && errno == EINTR);
    close(report[0]);
    if (code != 0 && child->pid > 0)
        waitpid(child->pid, NULL, 0);
    return code;
}

int child_start(struct child *child, const char *name, const char *run_dir, char *const *argv)
{
    return child_start_on(child, name, run_dir, argv, -1);
}

int child_start_on(struct child *child, const char *name, const char *run_dir, char *const *argv,
                   int input)
{
    *child = (struct child){.name = name};
    child->log = g_build_filename(run_dir, WORKDIR_LOG, NULL);
    int log = open(child->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    int code = log >= 0 ? spawn(child, argv, input, log) : errno;
    if (log >= 0)
        close(log);
    if (code == 0)
        workdir_note_process(run_dir, child->pid);
    else
        g_free(child->log);
    return code;
}

char *child_last_line(const struct child *child)
{
    char *text = NULL;
    if (!g_file_get_contents(child->log, &text, NULL, NULL))
        return g_strdup("");
    g_strchomp(text);
    const char *newline = strrchr(text, '\n');
    char *line = g_strdup(newline != NULL ? newline + 1 : text);
    g_free(text);
    return line;
}

void child_say_end(const char *name, int status, const char *line, char *reason, size_t size)
{
    if (WIFSIGNALED(status)) {
        int number = WTERMSIG(status);
        g_snprintf(reason, (gulong)size, "%s was ended by signal %d (%s)", name, number,
                   g_strsignal(number));
    } else if (WEXITSTATUS(status) == 0) {
        g_snprintf(reason, (gulong)size, "the guest powered off");
    } else {
        g_snprintf(reason, (gulong)size, "%s ended with status %d%s%s", name, WEXITSTATUS(status),
                   line[0] != '\0' ? ": " : "", line);
    }
}

bool child_alive(struct child *child, char *reason, size_t size)
{
    if (!child->ended && waitpid(child->pid, &child->status, WNOHANG) == child->pid)
        child->ended = true;
    if (child->ended) {
        g_autofree char *line = child_last_line(child);
        child_say_end(child->name, child->status, line, reason, size);
    }
    return !child->ended;
}

void child_unpark(struct child *child)
{
    if (child->parked && !child->ended)
        kill(child->pid, SIGCONT);
    child->parked = false;
}

void child_park(struct child *child)
{
    if (!child->parked && !child->ended)
        kill(child->pid, SIGSTOP);
    child->parked = true;
}

/* Linux, Documentation/scheduler/sched-stats.rst: time on the processor, time waiting for it, in
 * nanoseconds. */
static double thread_waited(const char *tasks, const char *id)
{
    g_autofree char *path = g_build_filename(tasks, id, "schedstat", NULL);
    g_autofree char *text = NULL;
    unsigned long long ran, waited = 0;
    if (!g_file_get_contents(path, &text, NULL, NULL) ||
        sscanf(text, "%llu %llu", &ran, &waited) != 2)
        return 0;
    return (double)waited / 1e9;
}

double child_waited(const struct child *child)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%ld/task", (long)child->pid);
    GDir *threads = child->ended ? NULL : g_dir_open(tasks, 0, NULL);
    double waited = 0;
    const char *id;
    while (threads != NULL && (id = g_dir_read_name(threads)) != NULL)
        waited += thread_waited(tasks, id);
    if (threads != NULL)
        g_dir_close(threads);
    return waited;
}

bool child_wait(struct child *child, int timeout_ms)
{
    char ignored[160];
    const int fd = child->ended ? -1 : pidfd_open(child->pid, 0);
    struct pollfd end = {.fd = fd, .events = POLLIN};
    if (fd >= 0) {
        poll(&end, 1, timeout_ms);
        close(fd);
    }
    return !child_alive(child, ignored, sizeof ignored);
}

void child_stop(struct child *child)
{
    if (!child->ended) {
        kill(child->pid, SIGKILL);
        while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
            continue;
    }
    g_free(child->log);
}

void child_forget(struct child *child)
{
    g_free(child->log);
}
