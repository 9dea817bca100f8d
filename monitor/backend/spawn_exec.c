/* QEMU as a child process that dies with this one: what mass exploration uses, since it starts in
 * 45 to 60 ms and ends in 3. With icount nothing in the guest depends on the host's time: SIGSTOP
 * and SIGCONT are a pause that the guest cannot notice. */
#include <errno.h>
#include "child.h"
#include "spawn.h"

struct spawned {
    struct child child;
};

static void add(GPtrArray *argv, const char *option, const char *value)
{
    g_ptr_array_add(argv, g_strdup(option));
    g_ptr_array_add(argv, g_strdup(value));
}

static GPtrArray *command_line(const struct spawn_machine *machine)
{
    g_autofree char *type = g_strdup_printf("%s,%s", machine->machine, machine->details);
    g_autofree char *size = g_strdup_printf("%uM", machine->ram_mib);
    GPtrArray *argv = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_add(argv, g_strdup(machine->program));
    add(argv, "-M", type);
    add(argv, "-display", "none");
    add(argv, "-serial", "none");
    add(argv, "-monitor", "none");
    add(argv, "-m", size);
    add(argv, "-kernel", machine->kernel);
    g_ptr_array_add(argv, g_strdup("-nodefaults"));
    g_ptr_array_add(argv, g_strdup("-no-user-config"));
    g_ptr_array_add(argv, g_strdup("-no-reboot"));
    for (char *const *option = machine->options; *option != NULL; option++)
        g_ptr_array_add(argv, g_strdup(*option));
    g_ptr_array_add(argv, NULL);
    return argv;
}

static struct spawned *exec_start(const struct spawn *spawn, const struct spawn_machine *machine,
                                  const char *run_dir, GError **error)
{
    (void)spawn;
    struct spawned *spawned = g_new0(struct spawned, 1);
    g_autoptr(GPtrArray) argv = command_line(machine);
    const int code = child_start(&spawned->child, "QEMU", run_dir, (char *const *)argv->pdata);
    if (code == 0)
        return spawned;
    if (code == ENOENT)
        spawn_missing(machine, error);
    else
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "cannot start %s: %s",
                    machine->program, g_strerror(code));
    g_free(spawned);
    return NULL;
}

static bool exec_alive(struct spawned *spawned, struct spawn_end *end)
{
    char reason[160];
    if (child_alive(&spawned->child, reason, sizeof reason))
        return true;
    g_autofree char *line = child_last_line(&spawned->child);
    *end = (struct spawn_end){.status = spawned->child.status};
    g_strlcpy(end->line, line, sizeof end->line);
    return false;
}

static void exec_unpark(struct spawned *spawned)
{
    child_unpark(&spawned->child);
}

static void exec_park(struct spawned *spawned)
{
    child_park(&spawned->child);
}

static double exec_waited(struct spawned *spawned)
{
    return child_waited(&spawned->child);
}

static void exec_stop(struct spawned *spawned)
{
    child_stop(&spawned->child);
    g_free(spawned);
}

static bool exec_probe(char *reason, size_t size)
{
    g_strlcpy(reason, "child processes", size);
    return true;
}

const struct spawn_ops spawn_exec = {
    .id = "exec",
    .start = exec_start,
    .alive = exec_alive,
    .unpark = exec_unpark,
    .park = exec_park,
    .waited = exec_waited,
    .stop = exec_stop,
    .probe = exec_probe,
};
