#include "spawn.h"

#include <string.h>

const struct spawn_ops *const spawns[] = {&spawn_exec, &spawn_libvirt, NULL};

const struct spawn_ops *spawn_find(const char *id)
{
    size_t i = 0;
    while (spawns[i] != NULL && strcmp(spawns[i]->id, id) != 0)
        i++;
    return spawns[i];
}

void spawn_missing(const struct spawn_machine *machine, GError **error)
{
    g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT,
                "%s is not installed: apt install %s (or run `make setup`)", machine->program,
                machine->package);
}
