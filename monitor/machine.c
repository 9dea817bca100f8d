#include "machine.h"

#include "workdir.h"

struct machine {
    const struct backend_ops *ops;
    struct workdir *workdir;
    char *image;
    struct guestmem *memory;
    struct backend *backend; /* NULL: no guest */
    unsigned boots;
};

struct machine *machine_open(const struct backend_ops *ops, const struct image *image,
                             GError **error)
{
    struct machine *machine = g_new0(struct machine, 1);
    machine->ops = ops;
    machine->workdir = workdir_open(error);
    if (machine->workdir != NULL)
        machine->image = g_build_filename(workdir_path(machine->workdir), WORKDIR_IMAGE, NULL);
    if (machine->workdir == NULL ||
        !g_file_set_contents(machine->image, image->data, (gssize)image->size, error)) {
        machine_close(machine);
        return NULL;
    }
    return machine;
}

void machine_close(struct machine *machine)
{
    if (machine == NULL)
        return;
    machine_kill(machine);
    guestmem_free(machine->memory);
    workdir_close(machine->workdir);
    g_free(machine->image);
    g_free(machine);
}

struct fl_shared *machine_boot(struct machine *machine, GError **error)
{
    g_assert(machine->backend == NULL);
    guestmem_free(machine->memory);
    char *ram = g_build_filename(workdir_path(machine->workdir), WORKDIR_RAM, NULL);
    machine->memory = guestmem_create(ram, FL_RAM_SIZE, error);
    g_free(ram);
    if (machine->memory == NULL)
        return NULL;
    struct backend_config config = {
        .image = machine->image,
        .run_dir = workdir_path(machine->workdir),
        .memory = machine->memory,
    };
    machine->backend = machine->ops->start(&config, error);
    if (machine->backend == NULL)
        return NULL;
    machine->boots++;
    return guestmem_at(machine->memory, FL_SHARED_OFFSET, sizeof(struct fl_shared), FL_PAGE_SIZE);
}

void machine_kill(struct machine *machine)
{
    if (machine->backend != NULL)
        machine->ops->stop(machine->backend);
    machine->backend = NULL;
}

bool machine_alive(struct machine *machine, char *reason, size_t size)
{
    return machine->ops->alive(machine->backend, reason, size);
}

void machine_park(struct machine *machine)
{
    if (machine->backend != NULL)
        machine->ops->park(machine->backend);
}

void machine_unpark(struct machine *machine)
{
    if (machine->backend != NULL)
        machine->ops->unpark(machine->backend);
}

unsigned machine_boots(const struct machine *machine)
{
    return machine->boots;
}
