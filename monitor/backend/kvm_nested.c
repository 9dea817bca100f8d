/* The guest of a guest: QEMU's TCG plays an AMD processor with SVM, a small Linux boots on it, its
 * init (nested/init.c) starts faultline-vmm, and that runs our guest on the KVM module.
 *
 * The memory of QEMU's ivshmem device is the RAM file that the monitor maps. Linux shows it as a
 * PCI resource, which the VMM maps and gives to KVM as the guest's RAM: so plans, results and
 * events travel as with every other back end.
 *
 * Linux takes seconds to boot. It is the carrier, and outlives its guests: when one is ended, or
 * ended by itself, the init is told over a serial port to start another VMM on the same RAM. */
#include "kvm_nested.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "child.h"
#include "initrd.h"
#include "kvm.h"
#include "nested/control.h"
#include "parts.h"
#include "plugin.h"
#include "qemu.h"

#define QEMU         "qemu-system-x86_64"
#define CARRIER      "the Linux that carries the guest"
#define RAM_SIZE_MIB (FL_RAM_SIZE >> 20)
#define ANSWER_MS    10000 /* of an init that is alive; it takes some milliseconds */

/* What does not help to run the guest costs time to boot. A carrier is stopped for as long as its
 * guest has nothing to do, which is no reason to complain of lost time. */
#define BOOT_OPTIONS                                                                               \
    "console=ttyS0 quiet panic=-1 rdinit=/init mitigations=off nokaslr no_timer_check "            \
    "tsc=reliable cryptomgr.notests nowatchdog rcupdate.rcu_cpu_stall_suppress=1"
#define DEBUGGED_OPTIONS " -- --debug=/dev/ttyS2"

struct nested {
    struct backend base; /* first: a back end is cast back to this */
    struct child carrier;
    int orders, answers; /* the serial port */
    char line[CONTROL_LINE];
    size_t length;
    bool gone;   /* the guest, while its carrier lives */
    bool failed; /* the carrier is of no use */
    char reason[160];
};

/* ---- files ---- */

#define PART(file) "nested/" file, "lib/faultline/nested/" file

/* What the carrier boots from. Some kernels have a module more than others. */
static const struct {
    const char *name, *built, *installed;
    bool optional;
} parts[] = {
    {"vmlinuz", PART("vmlinuz"), false},
    {"init", PART("init"), false},
    {NESTED_VMM, KVM_VMM, KVM_VMM_INSTALLED, false},
    {"irqbypass.ko", PART("irqbypass.ko"), true},
    {"ccp.ko", PART("ccp.ko"), true},
    {"kvm.ko", PART("kvm.ko"), true},
    {"kvm-amd.ko", PART("kvm-amd.ko"), true},
};

#define KERNEL 0 /* the only one that is not for the initial file system */

static char *find_part(size_t i)
{
    return part_find(parts[i].built, parts[i].installed);
}

static bool all_there(char *reason, size_t size)
{
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++) {
        g_autofree char *path = find_part(i);
        if (path != NULL || parts[i].optional)
            continue;
        g_snprintf(reason, (gulong)size,
                   "%s of the Linux for nested KVM is not there: run `make nested` (it takes "
                   "27 MB from Debian once)",
                   parts[i].name);
        return false;
    }
    return true;
}

static bool write_initrd(const char *path, const char *image, GError **error)
{
    struct initrd_file files[G_N_ELEMENTS(parts)] = {{NESTED_GUEST, g_strdup(image)}};
    size_t n = 1;
    for (size_t i = KERNEL + 1; i < G_N_ELEMENTS(parts); i++) {
        files[n] = (struct initrd_file){parts[i].name, find_part(i)};
        n += files[n].path != NULL;
    }
    bool written = initrd_write(path, files, n, error);
    for (size_t i = 0; i < n; i++)
        g_free(files[i].path);
    return written;
}

/* ---- start ---- */

static void add(GPtrArray *argv, const char *option, char *value)
{
    g_ptr_array_add(argv, g_strdup(option));
    g_ptr_array_add(argv, value);
}

static GPtrArray *command_line(const struct backend_config *config, const char *initrd,
                               const char *control)
{
    g_autofree char *ram = plugin_escape(guestmem_path(config->memory));
    g_autofree char *pipe = plugin_escape(control);
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup(QEMU));
    add(argv, "-M", g_strdup("q35,smm=off,vmport=off,hpet=off,sata=off,usb=off,smbus=off"));
    add(argv, "-accel", g_strdup("tcg,thread=single,tb-size=128"));
    add(argv, "-cpu", g_strdup("max"));
    add(argv, "-m", g_strdup("128M"));
    add(argv, "-display", g_strdup("none"));
    add(argv, "-monitor", g_strdup("none"));
    add(argv, "-serial", g_strdup("stdio")); /* the log */
    add(argv, "-chardev", g_strdup_printf("pipe,id=control,path=%s", pipe));
    add(argv, "-serial", g_strdup("chardev:control"));
    add(argv, "-kernel", find_part(KERNEL));
    add(argv, "-initrd", g_strdup(initrd));
    add(argv, "-append",
        g_strconcat(BOOT_OPTIONS, config->debugger != NULL ? DEBUGGED_OPTIONS : NULL, NULL));
    if (config->debugger != NULL) {
        g_autofree char *socket = plugin_escape(config->debugger);
        add(argv, "-chardev", g_strdup_printf("socket,id=debugger,path=%s", socket));
        add(argv, "-serial", g_strdup("chardev:debugger"));
    }
    add(argv, "-object",
        g_strdup_printf("memory-backend-file,id=ram,size=%uM,mem-path=%s,share=on", RAM_SIZE_MIB,
                        ram));
    add(argv, "-device", g_strdup("ivshmem-plain,memdev=ram"));
    g_ptr_array_add(argv, g_strdup("-nodefaults"));
    g_ptr_array_add(argv, g_strdup("-no-user-config"));
    g_ptr_array_add(argv, g_strdup("-no-reboot"));
    g_ptr_array_add(argv, NULL);
    return argv;
}

/* One end of QEMU's "pipe" character device. Opened for both ways, so that it never waits for the
 * other end to be there. */
static int open_fifo(const char *control, const char *way)
{
    g_autofree char *path = g_strconcat(control, way, NULL);
    if (mkfifo(path, 0600) != 0 && errno != EEXIST)
        return -1;
    return open(path, O_RDWR | O_NONBLOCK | O_CLOEXEC);
}

static void free_nested(struct nested *nested)
{
    if (nested->orders >= 0)
        close(nested->orders);
    if (nested->answers >= 0)
        close(nested->answers);
    g_free(nested);
}

static int start_carrier(struct nested *nested, const struct backend_config *config,
                         const char *initrd)
{
    g_autofree char *control = g_build_filename(config->run_dir, "control", NULL);
    nested->orders = open_fifo(control, ".in");
    nested->answers = nested->orders >= 0 ? open_fifo(control, ".out") : -1;
    if (nested->answers < 0)
        return errno;
    g_autoptr(GPtrArray) argv = command_line(config, initrd, control);
    return child_start(&nested->carrier, CARRIER, config->run_dir, (char *const *)argv->pdata);
}

static struct backend *nested_start(const struct backend_config *config, GError **error)
{
    char reason[160];
    if (!all_there(reason, sizeof reason)) {
        g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT, reason);
        return NULL;
    }
    g_autofree char *initrd = g_build_filename(config->run_dir, "initrd", NULL);
    if (!write_initrd(initrd, config->image, error))
        return NULL;
    struct nested *nested = g_new0(struct nested, 1);
    nested->base.ops = &backend_kvm_nested;
    nested->orders = nested->answers = -1;
    int code = start_carrier(nested, config, initrd);
    if (code == 0)
        return &nested->base;
    if (code != ENOENT || backend_qemu_x86_64.probe(reason, sizeof reason))
        g_snprintf(reason, sizeof reason, "cannot start " QEMU ": %s", g_strerror(code));
    g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, reason);
    free_nested(nested);
    return NULL;
}

/* ---- what the init says ---- */

/* One more line, if there is one; a longer one than there can be is cut. */
static bool next_line(struct nested *nested)
{
    char byte;
    while (read(nested->answers, &byte, 1) == 1) {
        if (byte == '\n') {
            nested->line[nested->length] = '\0';
            nested->length = 0;
            return true;
        }
        if (nested->length < sizeof nested->line - 1)
            nested->line[nested->length++] = byte;
    }
    return false;
}

static void hear_line(struct nested *nested)
{
    if (g_str_has_prefix(nested->line, CONTROL_GONE)) {
        char *said;
        int status = (int)strtol(nested->line + strlen(CONTROL_GONE), &said, 10);
        nested->gone = true;
        kvm_say_end(status, g_strchug(said), nested->reason, sizeof nested->reason);
    } else if (g_str_has_prefix(nested->line, CONTROL_FAILED)) {
        nested->gone = nested->failed = true;
        g_snprintf(nested->reason, sizeof nested->reason, CARRIER ": %s",
                   nested->line + strlen(CONTROL_FAILED));
    }
}

static void hear(struct nested *nested)
{
    while (!nested->gone && next_line(nested))
        hear_line(nested);
}

/* The guest's end is told by the init, the carrier's by the host's kernel. A carrier that ends with
 * status 0 switched itself off; its last line says why. */
static bool nested_alive(struct backend *backend, char *reason, size_t size)
{
    struct nested *nested = (struct nested *)backend;
    if (!child_alive(&nested->carrier, reason, size)) {
        if (WIFEXITED(nested->carrier.status) && WEXITSTATUS(nested->carrier.status) == 0) {
            g_autofree char *line = child_last_line(&nested->carrier);
            g_snprintf(reason, (gulong)size, CARRIER " ended: %s", line);
        }
        return false;
    }
    hear(nested);
    if (nested->gone)
        g_strlcpy(reason, nested->reason, size);
    return !nested->gone;
}

static bool order(const struct nested *nested, char byte)
{
    return write(nested->orders, &byte, 1) == 1;
}

static bool has_ended(struct nested *nested)
{
    while (next_line(nested))
        if (strcmp(nested->line, CONTROL_ENDED) == 0)
            return true;
    return false;
}

static bool is_gone(struct nested *nested)
{
    hear(nested);
    return nested->gone;
}

/* Waits for what the init is to say. false: it does not. */
static bool await(struct nested *nested, bool (*said)(struct nested *nested))
{
    const gint64 limit = g_get_monotonic_time() + ANSWER_MS * 1000;
    char ignored[160];
    while (!said(nested)) {
        struct pollfd line = {.fd = nested->answers, .events = POLLIN};
        if (!child_alive(&nested->carrier, ignored, sizeof ignored) ||
            g_get_monotonic_time() > limit)
            return false;
        poll(&line, 1, 100);
    }
    return true;
}

/* ---- the rest ---- */

static void nested_end_telling(struct backend *backend, char *text, size_t size)
{
    struct nested *nested = (struct nested *)backend;
    child_unpark(&nested->carrier);
    if (order(nested, CONTROL_TELL) && await(nested, is_gone))
        g_strlcpy(text, nested->reason, size);
}

static bool nested_end_guest(struct backend *backend)
{
    struct nested *nested = (struct nested *)backend;
    if (nested->failed)
        return false;
    child_unpark(&nested->carrier);
    bool ended = order(nested, CONTROL_END) && await(nested, has_ended);
    child_park(&nested->carrier);
    return ended;
}

static bool nested_next_guest(struct backend *backend)
{
    struct nested *nested = (struct nested *)backend;
    nested->gone = false;
    nested->length = 0;
    child_unpark(&nested->carrier);
    return order(nested, CONTROL_START);
}

static void nested_unpark(struct backend *backend)
{
    child_unpark(&((struct nested *)backend)->carrier);
}

static void nested_park(struct backend *backend)
{
    child_park(&((struct nested *)backend)->carrier);
}

static double nested_waited(struct backend *backend)
{
    return child_waited(&((struct nested *)backend)->carrier);
}

static void nested_stop(struct backend *backend)
{
    struct nested *nested = (struct nested *)backend;
    child_stop(&nested->carrier);
    free_nested(nested);
}

static bool nested_probe(char *reason, size_t size)
{
    if (!backend_qemu_x86_64.probe(reason, size) || !all_there(reason, size))
        return false;
    g_strlcat(reason, ", with a Linux of its own", size);
    return true;
}

const struct backend_ops backend_kvm_nested = {
    .id = "kvm-nested",
    .arch = "x86_64",
    .capabilities = BACKEND_POSTED | BACKEND_ONLINE | BACKEND_INSN | BACKEND_GDB,
    .start = nested_start,
    .alive = nested_alive,
    .unpark = nested_unpark,
    .park = nested_park,
    .waited = nested_waited,
    .end_telling = nested_end_telling,
    .stop = nested_stop,
    .end_guest = nested_end_guest,
    .next_guest = nested_next_guest,
    .probe = nested_probe,
};
