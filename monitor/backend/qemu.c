/* QEMU's TCG as a child process that dies with this one: one implementation, and a description of
 * each machine.
 *
 * With icount nothing in the guest depends on the host's time: SIGSTOP and SIGCONT are a pause that
 * the guest cannot notice. On ARM a counter of 1 GHz makes one timer tick one instruction. */
#include "qemu.h"

#include <errno.h>
#include <stdio.h>
#include <sys/wait.h>
#include "child.h"
#include "plugin.h"

#define LEAST_MAJOR  7
#define LEAST_MINOR  2
#define RAM_SIZE_MIB (FL_RAM_SIZE >> 20)

struct qemu_machine {
    const struct backend_ops *ops;
    const char *program, *package;
    const char *machine, *cpu;
    const char *device;   /* NULL: none but the machine's own */
    const char *replayed; /* -global of a run that is gone over again; NULL: none */
    uint64_t ram;         /* physical address of guest RAM */
    /* What the exit statuses say that QEMU gives without a word of its own. */
    struct {
        int status;
        const char *reason;
    } ends[2];
};

static const struct qemu_machine machine_armv7 = {
    .ops = &backend_qemu,
    .program = "qemu-system-arm",
    .package = "qemu-system-arm",
    .machine = "virt,memory-backend=ram",
    .cpu = "cortex-a15,pmu=off,cntfrq=1000000000",
    .ram = 0x40000000u, /* hw/arm/virt.c */
    .ends = {{0, "the guest powered off"}},
};

/* Of the boards that QEMU has, microvm starts soonest: 24 ms to a kernel's first instruction, where
 * pc needs 80 and q35 550. Status 2 * value + 1 is what a guest wrote to the port of
 * isa-debug-exit; with -no-reboot a machine that is reset ends.
 *
 * A snapshot is loaded with the replay's lock held, and its reset of the device kvmvapic then waits
 * for the processor (vapic_enable_tpr_reporting), which may wait for that lock: now and then
 * reverse steps never ended. The device is of no use here. */
static const struct qemu_machine machine_x86_64 = {
    .ops = &backend_qemu_x86_64,
    .program = "qemu-system-x86_64",
    .package = "qemu-system-x86",
    .machine = "microvm,pic=off,pit=off,rtc=off,isa-serial=off,auto-kernel-cmdline=off,"
               "memory-backend=ram",
    .cpu = "max",
    .device = "isa-debug-exit,iobase=0xf4,iosize=0x04",
    .replayed = "apic-common.vapic=off",
    .ram = 0,
    .ends = {{0, "the guest reset the machine, as by a triple fault"},
             {1, "the guest powered off"}},
};

struct qemu {
    struct backend base; /* first: a back end is cast back to this */
    const struct qemu_machine *machine;
    struct child child;
};

static void add(GPtrArray *argv, const char *option, const char *value)
{
    g_ptr_array_add(argv, g_strdup(option));
    g_ptr_array_add(argv, g_strdup(value));
}

#define ICOUNT "shift=0,sleep=off,align=off"

static void add_icount(GPtrArray *argv, const struct backend_replay *replay)
{
    if (replay == NULL) {
        add(argv, "-icount", ICOUNT);
        return;
    }
    g_autofree char *log = plugin_escape(replay->log);
    g_autofree char *icount = g_strdup_printf(ICOUNT ",rr=%s,rrfile=%s,rrsnapshot=start",
                                              replay->record ? "record" : "replay", log);
    add(argv, "-icount", icount);
}

/* -no-shutdown: a run that a debugger led astray may come to the end of the recording. */
static void add_debugger(GPtrArray *argv, const struct backend_replay *replay)
{
    g_autofree char *snapshots = plugin_escape(replay->snapshots);
    g_autofree char *gdb = plugin_escape(replay->gdb);
    g_autofree char *control = plugin_escape(replay->control);
    g_autofree char *drive =
        g_strdup_printf("file=%s,if=none,id=snapshots,format=qcow2", snapshots);
    g_autofree char *stub = g_strdup_printf("unix:%s,server=off", gdb);
    g_autofree char *qmp = g_strdup_printf("unix:%s,server=off", control);
    add(argv, "-drive", drive);
    add(argv, "-gdb", stub);
    add(argv, "-qmp", qmp);
    g_ptr_array_add(argv, g_strdup("-S"));
    if (!replay->record)
        g_ptr_array_add(argv, g_strdup("-no-shutdown"));
}

static GPtrArray *command_line(const struct qemu_machine *machine,
                               const struct backend_config *config)
{
    g_autofree char *ram = plugin_escape(guestmem_path(config->memory));
    g_autofree char *object = g_strdup_printf(
        "memory-backend-file,id=ram,size=%uM,mem-path=%s,share=on", RAM_SIZE_MIB, ram);
    g_autofree char *size = g_strdup_printf("%uM", RAM_SIZE_MIB);
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup(machine->program));
    add(argv, "-M", machine->machine);
    add(argv, "-cpu", machine->cpu);
    add_icount(argv, config->replay);
    add(argv, "-display", "none");
    add(argv, "-serial", "none");
    add(argv, "-monitor", "none");
    add(argv, "-m", size);
    add(argv, "-kernel", config->image);
    add(argv, "-object", object);
    g_ptr_array_add(argv, g_strdup("-nodefaults"));
    g_ptr_array_add(argv, g_strdup("-no-user-config"));
    g_ptr_array_add(argv, g_strdup("-no-reboot"));
    if (machine->device != NULL)
        add(argv, "-device", machine->device);
    if (config->accesses != NULL)
        plugin_options(argv, config->accesses, machine->ram);
    if (config->replay != NULL)
        add_debugger(argv, config->replay);
    if (config->replay != NULL && machine->replayed != NULL)
        add(argv, "-global", machine->replayed);
    g_ptr_array_add(argv, NULL);
    return argv;
}

static void say_not_there(const struct qemu_machine *machine, char *reason, size_t size)
{
    g_snprintf(reason, (gulong)size, "%s is not installed: apt install %s (or run `make setup`)",
               machine->program, machine->package);
}

static struct backend *start(const struct qemu_machine *machine,
                             const struct backend_config *config, GError **error)
{
    struct qemu *qemu = g_new0(struct qemu, 1);
    char reason[160];
    qemu->base.ops = machine->ops;
    qemu->machine = machine;
    GPtrArray *argv = command_line(machine, config);
    int code = child_start(&qemu->child, "QEMU", config->run_dir, (char *const *)argv->pdata);
    g_ptr_array_free(argv, TRUE);
    if (code == 0)
        return &qemu->base;
    if (code == ENOENT)
        say_not_there(machine, reason, sizeof reason);
    else
        g_snprintf(reason, sizeof reason, "cannot start %s: %s", machine->program,
                   g_strerror(code));
    g_set_error_literal(error, G_SPAWN_ERROR,
                        code == ENOENT ? G_SPAWN_ERROR_NOENT : G_SPAWN_ERROR_FAILED, reason);
    g_free(qemu);
    return NULL;
}

/* QEMU's own errors end with status 1 too, but not without a word. */
static void say_end(const struct qemu *qemu, char *reason, size_t size)
{
    g_autofree char *line = child_last_line(&qemu->child);
    if (!WIFEXITED(qemu->child.status) || line[0] != '\0')
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(qemu->machine->ends); i++)
        if (qemu->machine->ends[i].reason != NULL &&
            qemu->machine->ends[i].status == WEXITSTATUS(qemu->child.status))
            g_strlcpy(reason, qemu->machine->ends[i].reason, size);
}

static bool qemu_alive(struct backend *backend, char *reason, size_t size)
{
    struct qemu *qemu = (struct qemu *)backend;
    const bool alive = child_alive(&qemu->child, reason, size);
    if (!alive)
        say_end(qemu, reason, size);
    return alive;
}

static void qemu_unpark(struct backend *backend)
{
    child_unpark(&((struct qemu *)backend)->child);
}

static void qemu_park(struct backend *backend)
{
    child_park(&((struct qemu *)backend)->child);
}

static double qemu_waited(struct backend *backend)
{
    return child_waited(&((struct qemu *)backend)->child);
}

static void qemu_stop(struct backend *backend)
{
    child_stop(&((struct qemu *)backend)->child);
    g_free(backend);
}

static bool probe(const struct qemu_machine *machine, char *reason, size_t size)
{
    g_autofree char *out = NULL;
    g_autofree char *program = g_strdup(machine->program);
    unsigned major = 0, minor = 0;
    char *argv[] = {program, "--version", NULL};
    bool ran = g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDERR_TO_DEV_NULL,
                            NULL, NULL, &out, NULL, NULL, NULL);
    bool told = ran && sscanf(out, "QEMU emulator version %u.%u", &major, &minor) == 2;
    bool enough = major > LEAST_MAJOR || (major == LEAST_MAJOR && minor >= LEAST_MINOR);
    if (!ran)
        say_not_there(machine, reason, size);
    else if (!told)
        g_snprintf(reason, (gulong)size, "%s does not say its version: is it QEMU's?", program);
    else if (!enough)
        g_snprintf(reason, (gulong)size, "%s %u.%u is too old: %u.%u or later is needed", program,
                   major, minor, LEAST_MAJOR, LEAST_MINOR);
    else
        g_snprintf(reason, (gulong)size, "%s %u.%u", program, major, minor);
    return enough;
}

/* ---- one entry a machine ---- */

static struct backend *start_armv7(const struct backend_config *config, GError **error)
{
    return start(&machine_armv7, config, error);
}

static bool probe_armv7(char *reason, size_t size)
{
    return probe(&machine_armv7, reason, size);
}

static bool probe_plugin_armv7(char *reason, size_t size)
{
    return plugin_probe(machine_armv7.program, reason, size);
}

static struct backend *start_x86_64(const struct backend_config *config, GError **error)
{
    return start(&machine_x86_64, config, error);
}

static bool probe_x86_64(char *reason, size_t size)
{
    return probe(&machine_x86_64, reason, size);
}

static bool probe_plugin_x86_64(char *reason, size_t size)
{
    return plugin_probe(machine_x86_64.program, reason, size);
}

#define CAPABILITIES                                                                               \
    (BACKEND_POSTED | BACKEND_ONLINE | BACKEND_INSN | BACKEND_GDB | BACKEND_ACCESSES)

const struct backend_ops backend_qemu = {
    .id = "qemu",
    .alias = "qemu-armv7",
    .arch = "armv7",
    .capabilities = CAPABILITIES,
    .start = start_armv7,
    .alive = qemu_alive,
    .unpark = qemu_unpark,
    .park = qemu_park,
    .waited = qemu_waited,
    .stop = qemu_stop,
    .probe = probe_armv7,
    .probe_accesses = probe_plugin_armv7,
};

const struct backend_ops backend_qemu_x86_64 = {
    .id = "qemu-x86_64",
    .arch = "x86_64",
    .capabilities = CAPABILITIES,
    .start = start_x86_64,
    .alive = qemu_alive,
    .unpark = qemu_unpark,
    .park = qemu_park,
    .waited = qemu_waited,
    .stop = qemu_stop,
    .probe = probe_x86_64,
    .probe_accesses = probe_plugin_x86_64,
};
