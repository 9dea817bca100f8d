/* ARMv7 on QEMU's `virt` board under TCG, as a child process that dies with this one.
 *
 * With icount and a counter of 1 GHz one timer tick is one instruction, and nothing in the guest
 * depends on the host's time: SIGSTOP and SIGCONT are a pause that the guest cannot notice. */
#include "qemu.h"

#include <errno.h>
#include <stdio.h>
#include "child.h"
#include "plugin.h"

#define NOT_THERE    QEMU " is not installed: apt install qemu-system-arm (or run `make setup`)"
#define LEAST_MAJOR  7
#define LEAST_MINOR  2
#define RAM_SIZE_MIB (FL_RAM_SIZE >> 20)
#define RAM_BASE     0x40000000u /* of `virt` (hw/arm/virt.c) */

struct qemu {
    struct backend base; /* first: a back end is cast back to this */
    struct child child;
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

static struct backend *qemu_start(const struct backend_config *config, GError **error)
{
    struct qemu *qemu = g_new0(struct qemu, 1);
    qemu->base.ops = &backend_qemu;
    GPtrArray *argv = command_line(config);
    int code = child_start(&qemu->child, "QEMU", config->run_dir, (char *const *)argv->pdata);
    g_ptr_array_free(argv, TRUE);
    if (code == 0)
        return &qemu->base;
    if (code == ENOENT)
        g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT, NOT_THERE);
    else
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "cannot start " QEMU ": %s",
                    g_strerror(code));
    g_free(qemu);
    return NULL;
}

static bool qemu_alive(struct backend *backend, char *reason, size_t size)
{
    return child_alive(&((struct qemu *)backend)->child, reason, size);
}

static void qemu_unpark(struct backend *backend)
{
    child_unpark(&((struct qemu *)backend)->child);
}

static void qemu_park(struct backend *backend)
{
    child_park(&((struct qemu *)backend)->child);
}

static void qemu_stop(struct backend *backend)
{
    child_stop(&((struct qemu *)backend)->child);
    g_free(backend);
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
