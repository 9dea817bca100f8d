/* Process 1 of the Linux that carries the guest where the host's KVM cannot (kvm_nested.c): loads
 * KVM, starts faultline-vmm on the RAM that the monitor shares, starts it again when told to, and
 * tells how it ended. Linked statically, and alone in its initial file system. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>
#include "control.h"

#define CONTROL  "/dev/ttyS1"
#define MAX_ARGS 16

/* ivshmem-plain: Red Hat's PCI vendor, its device number; memory is BAR 2 (QEMU, docs/specs). */
#define DEVICES        "/sys/bus/pci/devices/*"
#define IVSHMEM_VENDOR 0x1af4
#define IVSHMEM_DEVICE 0x1110
#define IVSHMEM_MEMORY "resource2"

struct vmm {
    pid_t pid;               /* 0: none */
    int said;                /* what it writes */
    char line[CONTROL_LINE]; /* its last one */
    size_t length;
    bool whole; /* the line is ended: what comes is another */
};

static int open_control(void)
{
    int fd = open(CONTROL, O_RDWR | O_NOCTTY | O_CLOEXEC);
    struct termios raw;
    if (fd < 0 || tcgetattr(fd, &raw) != 0)
        return -1;
    cfmakeraw(&raw);
    return tcsetattr(fd, TCSANOW, &raw) == 0 ? fd : -1;
}

/* Says why, and waits to be ended. */
static _Noreturn void give_up(const char *format, ...)
{
    char why[CONTROL_LINE / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(why, sizeof why, format, args);
    va_end(args);
    printf("%s\n", why);
    dprintf(open_control(), CONTROL_FAILED "%s\n", why);
    for (;;)
        pause();
}

static void mount_all(void)
{
    static const char *const mounts[][2] = {
        {"devtmpfs", "/dev"},
        {"proc", "/proc"},
        {"sysfs", "/sys"},
    };
    for (size_t i = 0; i < sizeof mounts / sizeof mounts[0]; i++) {
        mkdir(mounts[i][1], 0755);
        if (mount("none", mounts[i][1], mounts[i][0], 0, "") != 0)
            give_up("cannot mount %s: %s", mounts[i][1], strerror(errno));
    }
    int console = open("/dev/console", O_RDWR);
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++)
        dup2(console, fd);
    setvbuf(stdout, NULL, _IOLBF, 0);
}

/* Those that this kernel has built in are not there. */
static void load_modules(void)
{
    static const char *const names[] = {"irqbypass", "ccp", "kvm", "kvm-amd"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[64];
        snprintf(path, sizeof path, "/%s.ko", names[i]);
        int fd = open(path, O_RDONLY | O_CLOEXEC);
        if (fd >= 0 && syscall(SYS_finit_module, fd, "", 0) != 0)
            give_up("cannot load the module %s: %s", names[i], strerror(errno));
        if (fd >= 0)
            close(fd);
    }
    if (access("/dev/kvm", R_OK | W_OK) != 0)
        give_up("no /dev/kvm with the modules of this kernel: %s", strerror(errno));
}

static unsigned long number_in(const char *folder, const char *name)
{
    char path[256], text[32];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd >= 0 ? read(fd, text, sizeof text - 1) : 0;
    if (fd >= 0)
        close(fd);
    text[n > 0 ? n : 0] = '\0';
    return strtoul(text, NULL, 16);
}

/* The file whose pages are the guest RAM of the monitor. */
static char *find_ram(void)
{
    glob_t found;
    char *path = NULL;
    if (glob(DEVICES, 0, NULL, &found) != 0)
        give_up("no PCI devices");
    for (size_t i = 0; i < found.gl_pathc && path == NULL; i++) {
        const char *folder = found.gl_pathv[i];
        if (number_in(folder, "vendor") == IVSHMEM_VENDOR &&
            number_in(folder, "device") == IVSHMEM_DEVICE &&
            asprintf(&path, "%s/" IVSHMEM_MEMORY, folder) < 0)
            give_up("out of memory");
    }
    if (path == NULL)
        give_up("no ivshmem device");
    globfree(&found);
    return path;
}

/* ---- the VMM ---- */

static void start(struct vmm *vmm, char *const *argv)
{
    int said[2];
    if (pipe2(said, O_CLOEXEC) != 0)
        give_up("no pipe: %s", strerror(errno));
    *vmm = (struct vmm){.said = said[0]};
    vmm->pid = fork();
    if (vmm->pid < 0)
        give_up("no process: %s", strerror(errno));
    if (vmm->pid == 0) {
        dup2(said[1], STDOUT_FILENO);
        dup2(said[1], STDERR_FILENO);
        execv(argv[0], argv);
        dprintf(STDERR_FILENO, "cannot be started: %s\n", strerror(errno));
        _exit(127);
    }
    close(said[1]);
}

/* Everything goes to the log, the last line to the monitor too. false: it has closed its output. */
static bool listen_to(struct vmm *vmm)
{
    char text[256];
    ssize_t n = read(vmm->said, text, sizeof text);
    if (n <= 0)
        return n < 0 && errno == EINTR;
    fwrite(text, 1, (size_t)n, stdout);
    for (ssize_t i = 0; i < n; i++) {
        if (vmm->whole)
            vmm->length = 0;
        vmm->whole = text[i] == '\n';
        if (!vmm->whole && vmm->length < sizeof vmm->line - sizeof CONTROL_GONE - 16)
            vmm->line[vmm->length++] = text[i];
    }
    return true;
}

static int bury(struct vmm *vmm)
{
    int status = 0;
    while (waitpid(vmm->pid, &status, 0) < 0 && errno == EINTR)
        continue;
    close(vmm->said);
    vmm->pid = 0;
    return status;
}

static void end(struct vmm *vmm)
{
    if (vmm->pid == 0)
        return;
    kill(vmm->pid, SIGKILL);
    bury(vmm);
}

static void serve(int control, struct vmm *vmm, char *const *argv)
{
    char order;
    if (read(control, &order, 1) != 1)
        return;
    if (order == CONTROL_END) {
        end(vmm);
        dprintf(control, CONTROL_ENDED "\n");
    } else if (order == CONTROL_TELL && vmm->pid != 0) {
        kill(vmm->pid, SIGTERM); /* the rest is as if it had ended by itself */
    } else if (order == CONTROL_START && vmm->pid == 0) {
        start(vmm, argv);
    }
}

int main(int argc, char **argv)
{
    mount_all();
    load_modules();
    /* what the kernel was given after "--" is for the VMM; also its own words that it forgot */
    char *args[MAX_ARGS] = {"/" NESTED_VMM, "--ram", find_ram(), "--image", "/" NESTED_GUEST};
    for (int from = 1, to = 5; from < argc && to < MAX_ARGS - 1; from++)
        if (argv[from][0] == '-')
            args[to++] = argv[from];
    int control = open_control();
    if (control < 0)
        give_up("no " CONTROL);
    struct vmm vmm;
    start(&vmm, args);
    for (;;) {
        struct pollfd polled[] = {
            {.fd = control, .events = POLLIN},
            {.fd = vmm.pid != 0 ? vmm.said : -1, .events = POLLIN},
        };
        if (poll(polled, 2, -1) < 0)
            continue;
        if (polled[0].revents != 0)
            serve(control, &vmm, args);
        else if (polled[1].revents != 0 && !listen_to(&vmm)) {
            int status = bury(&vmm);
            tcdrain(STDOUT_FILENO); /* all that it said is told before that it is gone */
            dprintf(control, CONTROL_GONE "%d %.*s\n", status, (int)vmm.length, vmm.line);
        }
    }
}
