/* Root's daemon has its place in the system, of others everything lies below $LTTNG_HOME: a
 * directory of our own, so that this daemon and one of the user's never meet.
 *
 * When the monitor is killed the daemon gets SIGTERM, upon which it writes out what there is. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "control.h"
#include "tree.h"

#define PROGRAM    "lttng-sessiond"
#define ROOT_PID   "/var/run/lttng/lttng-sessiond.pid"
#define OURS       "FAULTLINE_MONITOR" /* in the daemon's environment: who started it */
#define PREFIX     "faultline-lttng-"
#define START_WAIT 20 /* seconds */

static struct {
    pid_t pid;  /* 0: none */
    char *home; /* NULL: root's */
} ours;

/* ---- the directory of a daemon that is not root's ---- */

/* Of monitors that were killed. */
static void sweep(void)
{
    g_autoptr(GDir) dir = g_dir_open(g_get_tmp_dir(), 0, NULL);
    for (const char *name; dir != NULL && (name = g_dir_read_name(dir)) != NULL;) {
        if (!g_str_has_prefix(name, PREFIX))
            continue;
        const long pid = strtol(name + strlen(PREFIX), NULL, 10);
        g_autofree char *path = g_build_filename(g_get_tmp_dir(), name, NULL);
        if (pid > 0 && kill((pid_t)pid, 0) != 0 && errno == ESRCH)
            remove_tree(path);
    }
}

static bool make_home(GError **error)
{
    if (geteuid() == 0)
        return true;
    sweep();
    g_autofree char *name = g_strdup_printf(PREFIX "%ld-XXXXXX", (long)getpid());
    ours.home = g_dir_make_tmp(name, error);
    return ours.home != NULL && g_setenv("LTTNG_HOME", ours.home, TRUE);
}

static void remove_home(void)
{
    if (ours.home != NULL)
        remove_tree(ours.home);
    g_clear_pointer(&ours.home, g_free);
}

/* ---- the process ---- */

/* Between fork and exec. Ctrl-C is for the monitor, hence a session of its own. */
static G_GNUC_NORETURN void become(char *const *argv, pid_t parent, int log)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGINT, SIG_DFL);
    signal(SIGTERM, SIG_DFL);
    setsid();
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != parent)
        _exit(1);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execvp(argv[0], argv);
    dprintf(STDERR_FILENO, "%s\n", strerror(errno));
    _exit(127);
}

/* It sends SIGUSR1 when it can be talked to (--sig-parent). */
static bool wait_until_ready(const sigset_t *awaited)
{
    const struct timespec limit = {.tv_sec = START_WAIT};
    for (;;) {
        siginfo_t info;
        const int number = sigtimedwait(awaited, &info, &limit);
        if (number == SIGUSR1 && info.si_pid == ours.pid)
            return true;
        if (number == SIGCHLD && waitpid(ours.pid, NULL, WNOHANG) == ours.pid) {
            ours.pid = 0;
            return false;
        }
        if (number < 0 && errno != EINTR)
            return false;
    }
}

/* What it wrote last. */
static char *last_words(int log)
{
    char text[4096];
    const off_t size = lseek(log, 0, SEEK_END);
    const ssize_t got = pread(log, text, sizeof text - 1, MAX(0, size - (off_t)sizeof text + 1));
    text[MAX(got, 0)] = '\0';
    g_strchomp(text);
    const char *newline = strrchr(text, '\n');
    return g_strdup(newline != NULL ? newline + 1 : text);
}

static bool start(bool kernel, GError **error)
{
    g_autofree char *marker = g_strdup_printf("%ld", (long)getpid());
    const int log = memfd_create(PROGRAM, MFD_CLOEXEC);
    char *const argv[] = {PROGRAM, "--sig-parent", kernel ? NULL : "--no-kernel", NULL};
    sigset_t awaited, before;
    sigemptyset(&awaited);
    sigaddset(&awaited, SIGUSR1);
    sigaddset(&awaited, SIGCHLD);
    g_setenv(OURS, marker, TRUE);
    sigprocmask(SIG_BLOCK, &awaited, &before);
    const pid_t parent = getpid();
    ours.pid = fork();
    if (ours.pid == 0)
        become(argv, parent, log);
    const bool ready = ours.pid > 0 && wait_until_ready(&awaited);
    sigprocmask(SIG_SETMASK, &before, NULL);
    g_unsetenv(OURS);
    g_autofree char *why = last_words(log);
    close(log);
    if (ready)
        return true;
    g_set_error(error, LTTNG_ERROR, LTTNG_ERROR_FAILED,
                PROGRAM " does not start: %s; install lttng-tools, or start it by hand", why);
    return false;
}

bool daemon_start(bool kernel, GError **error)
{
    if (make_home(error) && start(kernel, error))
        return true;
    daemon_end();
    return false;
}

void daemon_end(void)
{
    if (ours.pid > 0) {
        kill(ours.pid, SIGTERM);
        while (waitpid(ours.pid, NULL, 0) < 0 && errno == EINTR)
            continue;
        ours.pid = 0;
    }
    remove_home();
}

bool daemon_is_of_another(long *pid)
{
    g_autofree char *text = NULL;
    if (geteuid() != 0 || !g_file_get_contents(ROOT_PID, &text, NULL, NULL))
        return false;
    g_autofree char *path = g_strdup_printf("/proc/%ld/environ", strtol(text, NULL, 10));
    g_autofree char *variables = NULL;
    gsize size;
    if (!g_file_get_contents(path, &variables, &size, NULL))
        return false;
    const char *word = memmem(variables, size, "\0" OURS "=", strlen(OURS) + 2);
    *pid = word != NULL ? strtol(word + strlen(OURS) + 2, NULL, 10) : 0;
    return *pid > 0;
}
