/* QEMU's TCG: one implementation, and a description of each machine. How QEMU is started, watched
 * and ended is another matter (spawn.h).
 *
 * With icount nothing in the guest depends on the host's time. On ARM a counter of 1 GHz makes one
 * timer tick one instruction. */
#include "qemu.h"

#include <stdio.h>
#include <sys/wait.h>
#include "child.h"
#include "plugin.h"
#include "spawn.h"

#define LEAST_MAJOR  7
#define LEAST_MINOR  2
#define RAM_SIZE_MIB (FL_RAM_SIZE >> 20)

struct qemu_machine {
    const struct backend_ops *ops;
    const char *program, *package;
    const char *arch;              /* as libvirt calls it */
    const char *machine, *details; /* of -machine */
    const char *cpu;
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
    .arch = "armv7l",
    .machine = "virt",
    .details = "memory-backend=ram",
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
    .arch = "x86_64",
    .machine = "microvm",
    .details = "pic=off,pit=off,rtc=off,isa-serial=off,auto-kernel-cmdline=off,memory-backend=ram",
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
    const struct spawn_ops *way;
    struct spawned *vm;
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

static GPtrArray *options_of(const struct qemu_machine *machine,
                             const struct backend_config *config)
{
    g_autofree char *ram = plugin_escape(guestmem_path(config->memory));
    g_autofree char *object = g_strdup_printf(
        "memory-backend-file,id=ram,size=%uM,mem-path=%s,share=on", RAM_SIZE_MIB, ram);
    GPtrArray *options = g_ptr_array_new_with_free_func(g_free);
    add(options, "-cpu", machine->cpu);
    add_icount(options, config->replay);
    add(options, "-object", object);
    if (machine->device != NULL)
        add(options, "-device", machine->device);
    if (config->accesses != NULL)
        plugin_options(options, config->accesses, machine->ram);
    if (config->replay != NULL)
        add_debugger(options, config->replay);
    if (config->replay != NULL && machine->replayed != NULL)
        add(options, "-global", machine->replayed);
    g_ptr_array_add(options, NULL);
    return options;
}

static struct backend *start(const struct qemu_machine *machine,
                             const struct backend_config *config, GError **error)
{
    static const struct spawn plain = {.ops = NULL};
    const struct spawn *spawn = config->spawn != NULL ? config->spawn : &plain;
    struct qemu *qemu = g_new0(struct qemu, 1);
    g_autoptr(GPtrArray) options = options_of(machine, config);
    const struct spawn_machine what = {
        .program = machine->program,
        .package = machine->package,
        .arch = machine->arch,
        .machine = machine->machine,
        .details = machine->details,
        .kernel = config->image,
        .ram_mib = RAM_SIZE_MIB,
        .options = (char *const *)options->pdata,
    };
    qemu->base.ops = machine->ops;
    qemu->machine = machine;
    qemu->way = spawn->ops != NULL ? spawn->ops : spawns[0];
    qemu->vm = qemu->way->start(spawn, &what, config->run_dir, error);
    if (qemu->vm != NULL)
        return &qemu->base;
    g_free(qemu);
    return NULL;
}

/* QEMU's own errors end with status 1 too, but not without a word. */
static void say_end(const struct qemu *qemu, const struct spawn_end *end, char *reason, size_t size)
{
    if (end->sentence[0] != '\0') {
        g_strlcpy(reason, end->sentence, size);
        return;
    }
    child_say_end("QEMU", end->status, end->line, reason, size);
    if (!WIFEXITED(end->status) || end->line[0] != '\0')
        return;
    for (size_t i = 0; i < G_N_ELEMENTS(qemu->machine->ends); i++)
        if (qemu->machine->ends[i].reason != NULL &&
            qemu->machine->ends[i].status == WEXITSTATUS(end->status))
            g_strlcpy(reason, qemu->machine->ends[i].reason, size);
}

static bool qemu_alive(struct backend *backend, char *reason, size_t size)
{
    struct qemu *qemu = (struct qemu *)backend;
    struct spawn_end end;
    const bool alive = qemu->way->alive(qemu->vm, &end);
    if (!alive)
        say_end(qemu, &end, reason, size);
    return alive;
}

static void qemu_unpark(struct backend *backend)
{
    struct qemu *qemu = (struct qemu *)backend;
    qemu->way->unpark(qemu->vm);
}

static void qemu_park(struct backend *backend)
{
    struct qemu *qemu = (struct qemu *)backend;
    qemu->way->park(qemu->vm);
}

static double qemu_waited(struct backend *backend)
{
    struct qemu *qemu = (struct qemu *)backend;
    return qemu->way->waited(qemu->vm);
}

static void qemu_stop(struct backend *backend)
{
    struct qemu *qemu = (struct qemu *)backend;
    qemu->way->stop(qemu->vm);
    g_free(backend);
}

static bool qemu_leave(struct backend *backend, GError **error)
{
    struct qemu *qemu = (struct qemu *)backend;
    g_assert(qemu->way->leave != NULL);
    const bool left = qemu->way->leave(qemu->vm, error);
    g_free(qemu);
    return left;
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
        g_snprintf(reason, (gulong)size,
                   "%s is not installed: apt install %s (or run `make setup`)", machine->program,
                   machine->package);
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
    .leave = qemu_leave,
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
    .leave = qemu_leave,
    .probe = probe_x86_64,
    .probe_accesses = probe_plugin_x86_64,
};
