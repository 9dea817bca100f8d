/* ARMv7 on QEMU's `virt` board under TCG, as a child process that dies with this one.
 *
 * With icount and a counter of 1 GHz one timer tick is one instruction, and nothing in the guest
 * depends on the host's time: SIGSTOP and SIGCONT are a pause that the guest cannot notice. */
#include "qemu.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
#include "plugin.h"
#include "workdir.h"

#define NOT_THERE    QEMU " is not installed: apt install qemu-system-arm (or run `make setup`)"
#define LEAST_MAJOR  7
#define LEAST_MINOR  2
#define RAM_SIZE_MIB (FL_RAM_SIZE >> 20)
#define RAM_BASE     0x40000000u /* of `virt` (hw/arm/virt.c) */

struct qemu {
    struct backend base; /* first: a back end is cast back to this */
    pid_t pid;
    bool ended;
    bool parked;
    int status; /* as of waitpid, once ended */
    char *log;
};

static GPtrArray *command_line(const struct backend_config *config)
{
    char *ram = plugin_escape(guestmem_path(config->memory));
    const char *const fixed[] = {
        QEMU,
        "-M",
        "virt,memory-backend=ram",
        "-cpu",
        "cortex-a15,pmu=off,cntfrq=1000000000",
        "-icount",
        "shift=0,sleep=off,align=off",
        "-display",
        "none",
        "-serial",
        "none",
        "-monitor",
        "none",
        "-nodefaults",
        "-no-user-config",
        "-no-reboot",
    };
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    for (size_t i = 0; i < G_N_ELEMENTS(fixed); i++)
        g_ptr_array_add(argv, g_strdup(fixed[i]));
    g_ptr_array_add(argv, g_strdup("-m"));
    g_ptr_array_add(argv, g_strdup_printf("%uM", RAM_SIZE_MIB));
    g_ptr_array_add(argv, g_strdup("-kernel"));
    g_ptr_array_add(argv, g_strdup(config->image));
    g_ptr_array_add(argv, g_strdup("-object"));
    g_ptr_array_add(argv,
                    g_strdup_printf("memory-backend-file,id=ram,size=%uM,mem-path=%s,share=on",
                                    RAM_SIZE_MIB, ram));
    if (config->accesses != NULL)
        plugin_options(argv, config->accesses, RAM_BASE);
    g_ptr_array_add(argv, NULL);
    g_free(ram);
    return argv;
}

/* Between fork and exec: only what is safe there. Ends in exec, or writes errno to `report`.
 *
 * The death signal is sent when the *thread* that forked ends, so guests are started by the thread
 * that lives as long as the monitor. A parent that ended before prctl is found by getppid. A group
 * of its own keeps the terminal's Ctrl-C, which is for the monitor, from the guest. */
static G_GNUC_NORETURN void become_qemu(char **argv, pid_t parent, int log, int report)
{
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    setpgid(0, 0);
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    int null = open("/dev/null", O_RDWR);
    dup2(null, STDIN_FILENO);
    dup2(log, STDOUT_FILENO);
    dup2(log, STDERR_FILENO);
    execvp(argv[0], argv);
    int code = errno;
    ssize_t written = write(report, &code, sizeof code);
    _exit(written == sizeof code ? 127 : 126);
}

/* Forks and waits for the exec to have happened. Returns 0 or its errno. */
static int spawn(struct qemu *qemu, char **argv, int log)
{
    int report[2];
    if (pipe2(report, O_CLOEXEC) != 0)
        return errno;
    pid_t parent = getpid();
    qemu->pid = fork();
    if (qemu->pid == 0)
        become_qemu(argv, parent, log, report[1]);
    int code = qemu->pid < 0 ? errno : 0;
    close(report[1]);
    ssize_t n;
    do {
        n = read(report[0], &code, sizeof code); /* 0 bytes: exec closed the pipe */
    } while (n < 0 && errno == EINTR);
    close(report[0]);
    if (code != 0 && qemu->pid > 0)
        waitpid(qemu->pid, NULL, 0);
    return code;
}

static void free_qemu(struct qemu *qemu)
{
    g_free(qemu->log);
    g_free(qemu);
}

static struct backend *qemu_start(const struct backend_config *config, GError **error)
{
    struct qemu *qemu = g_new0(struct qemu, 1);
    qemu->base.ops = &backend_qemu;
    qemu->log = g_build_filename(config->run_dir, WORKDIR_LOG, NULL);
    int log = open(qemu->log, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    GPtrArray *argv = command_line(config);
    int code = log >= 0 ? spawn(qemu, (char **)argv->pdata, log) : errno;
    g_ptr_array_free(argv, TRUE);
    if (log >= 0)
        close(log);
    if (code == 0) {
        workdir_note_process(config->run_dir, qemu->pid);
        return &qemu->base;
    }
    if (code == ENOENT)
        g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT, NOT_THERE);
    else
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "cannot start " QEMU ": %s",
                    g_strerror(code));
    free_qemu(qemu);
    return NULL;
}

/* The last line that QEMU wrote, "" when it wrote none. To be freed. */
static char *last_line(const char *log)
{
    char *text = NULL;
    if (!g_file_get_contents(log, &text, NULL, NULL))
        return g_strdup("");
    g_strchomp(text);
    const char *newline = strrchr(text, '\n');
    char *line = g_strdup(newline != NULL ? newline + 1 : text);
    g_free(text);
    return line;
}

static void say_why(const struct qemu *qemu, char *reason, size_t size)
{
    if (WIFSIGNALED(qemu->status)) {
        int number = WTERMSIG(qemu->status);
        g_snprintf(reason, (gulong)size, "QEMU was ended by signal %d (%s)", number,
                   g_strsignal(number));
    } else if (WEXITSTATUS(qemu->status) == 0) {
        g_snprintf(reason, (gulong)size, "the guest powered off");
    } else {
        char *line = last_line(qemu->log);
        g_snprintf(reason, (gulong)size, "QEMU ended with status %d%s%s", WEXITSTATUS(qemu->status),
                   line[0] != '\0' ? ": " : "", line);
        g_free(line);
    }
}

static bool qemu_alive(struct backend *backend, char *reason, size_t size)
{
    struct qemu *qemu = (struct qemu *)backend;
    if (!qemu->ended && waitpid(qemu->pid, &qemu->status, WNOHANG) == qemu->pid)
        qemu->ended = true;
    if (qemu->ended)
        say_why(qemu, reason, size);
    return !qemu->ended;
}

static void qemu_unpark(struct backend *backend)
{
    struct qemu *qemu = (struct qemu *)backend;
    if (qemu->parked && !qemu->ended)
        kill(qemu->pid, SIGCONT);
    qemu->parked = false;
}

static void qemu_park(struct backend *backend)
{
    struct qemu *qemu = (struct qemu *)backend;
    if (!qemu->parked && !qemu->ended)
        kill(qemu->pid, SIGSTOP);
    qemu->parked = true;
}

static void qemu_stop(struct backend *backend)
{
    struct qemu *qemu = (struct qemu *)backend;
    if (!qemu->ended) {
        kill(qemu->pid, SIGKILL);
        while (waitpid(qemu->pid, &qemu->status, 0) < 0 && errno == EINTR)
            continue;
    }
    free_qemu(qemu);
}

static bool qemu_probe(char *reason, size_t size)
{
    char *out = NULL;
    unsigned major = 0, minor = 0;
    char *argv[] = {QEMU, "--version", NULL};
    bool ran = g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                            NULL, NULL, &out, NULL, NULL, NULL);
    bool told = ran && sscanf(out, "QEMU emulator version %u.%u", &major, &minor) == 2;
    bool enough = major > LEAST_MAJOR || (major == LEAST_MAJOR && minor >= LEAST_MINOR);
    if (!ran)
        g_snprintf(reason, (gulong)size, "%s", NOT_THERE);
    else if (!told)
        g_snprintf(reason, (gulong)size, QEMU " does not say its version: is it QEMU's?");
    else if (!enough)
        g_snprintf(reason, (gulong)size, QEMU " %u.%u is too old: %u.%u or later is needed", major,
                   minor, LEAST_MAJOR, LEAST_MINOR);
    else
        g_snprintf(reason, (gulong)size, QEMU " %u.%u", major, minor);
    g_free(out);
    return enough;
}

const struct backend_ops backend_qemu = {
    .id = "qemu",
    .arch = "armv7",
    .capabilities = BACKEND_POSTED | BACKEND_ONLINE | BACKEND_INSN | BACKEND_GDB | BACKEND_ACCESSES,
    .start = qemu_start,
    .alive = qemu_alive,
    .unpark = qemu_unpark,
    .park = qemu_park,
    .stop = qemu_stop,
    .probe = qemu_probe,
    .probe_accesses = plugin_probe,
};
