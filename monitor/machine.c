#include "machine.h"

#include <string.h>
#include "workdir.h"

#define MACHINE_WORD 256

struct machine {
    const struct backend_ops *ops;
    struct workdir *workdir;
    char *image;
    struct guestmem *memory;
    struct guestmem *log; /* of accesses; NULL: not wanted, or no boot yet */
    char *log_path;       /* NULL: not wanted */
    struct backend_accesses accesses;
    const struct spawn *spawn;
    struct backend *backend; /* NULL: no guest */
    struct backend *carrier; /* of the last guest, to carry the next; NULL: none */
    unsigned boots;
};

static bool find_labels(struct machine *machine, const struct image *image, GError **error)
{
    struct backend_accesses *accesses = &machine->accesses;
    const struct {
        const char *name;
        uint64_t *address;
        bool optional;
    } labels[] = {
        {"arch_run", &accesses->run, false},
        {"resume_user", &accesses->leave, false},
        {"resume_user_measured", &accesses->leave_measured, false},
        {"resume_nothing", &accesses->leave_nothing, true},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(labels); i++) {
        if (image_symbol(image, labels[i].name, labels[i].address) || labels[i].optional)
            continue;
        g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_NOT_GUEST,
                    "guest image %s has no symbol %s, without which accesses cannot be told; "
                    "rebuild it with `make`, and do not strip it",
                    image->path, labels[i].name);
        return false;
    }
    machine->log_path = g_build_filename(workdir_path(machine->workdir), WORKDIR_ACCESSES, NULL);
    accesses->log = machine->log_path;
    return true;
}

struct machine *machine_open(const struct backend_ops *ops, const struct image *image,
                             bool accesses, const struct spawn *spawn, GError **error)
{
    struct machine *machine = g_new0(struct machine, 1);
    machine->ops = ops;
    machine->spawn = spawn;
    machine->workdir = workdir_open(error);
    if (machine->workdir != NULL)
        machine->image = g_build_filename(workdir_path(machine->workdir), WORKDIR_IMAGE, NULL);
    if (machine->workdir == NULL || (accesses && !find_labels(machine, image, error)) ||
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
    struct backend *rest = machine->backend != NULL ? machine->backend : machine->carrier;
    if (rest != NULL)
        machine->ops->stop(rest);
    guestmem_free(machine->memory);
    guestmem_free(machine->log);
    workdir_close(machine->workdir);
    g_free(machine->image);
    g_free(machine->log_path);
    g_free(machine);
}

bool machine_leave(struct machine *machine, const char *text, GError **error)
{
    g_assert(machine->backend != NULL && machine->ops->leave != NULL);
    if (!workdir_keep(machine->workdir, text, error))
        return false;
    const bool left = machine->ops->leave(g_steal_pointer(&machine->backend), error);
    if (left)
        workdir_leave(g_steal_pointer(&machine->workdir));
    else
        workdir_remove_kept(workdir_path(machine->workdir));
    return left;
}

struct access_log *machine_access_log(struct machine *machine)
{
    return machine->log != NULL
               ? guestmem_at(machine->log, 0, sizeof(struct access_log), FL_PAGE_SIZE)
               : NULL;
}

/* A new log for a new guest, which counts its runs from 0. */
static bool make_log(struct machine *machine, GError **error)
{
    guestmem_free(machine->log);
    machine->log = guestmem_create(machine->log_path, sizeof(struct access_log), error);
    if (machine->log == NULL)
        return false;
    struct access_log *log = machine_access_log(machine);
    log->magic = ACCESS_LOG_MAGIC;
    log->size = sizeof *log;
    return true;
}

static bool make_memory(struct machine *machine, GError **error)
{
    guestmem_free(machine->memory);
    g_autofree char *ram = g_build_filename(workdir_path(machine->workdir), WORKDIR_RAM, NULL);
    machine->memory = guestmem_create(ram, FL_RAM_SIZE, error);
    return machine->memory != NULL;
}

static struct backend *start(struct machine *machine, GError **error)
{
    if (!make_memory(machine, error) || (machine->log_path != NULL && !make_log(machine, error)))
        return NULL;
    struct backend_config config = {
        .image = machine->image,
        .run_dir = workdir_path(machine->workdir),
        .memory = machine->memory,
        .accesses = machine->log_path != NULL ? &machine->accesses : NULL,
        .spawn = machine->spawn,
    };
    return machine->ops->start(&config, error);
}

/* Another guest where the last one was. NULL: there is no carrier, or it is of no use any more. */
static struct backend *carry(struct machine *machine)
{
    struct backend *carrier = g_steal_pointer(&machine->carrier);
    if (carrier == NULL)
        return NULL;
    guestmem_clear(machine->memory);
    if (machine->ops->next_guest(carrier))
        return carrier;
    machine->ops->stop(carrier);
    return NULL;
}

struct fl_shared *machine_boot(struct machine *machine, GError **error)
{
    g_assert(machine->backend == NULL);
    machine->backend = carry(machine);
    if (machine->backend == NULL)
        machine->backend = start(machine, error);
    if (machine->backend == NULL)
        return NULL;
    machine->boots++;
    return guestmem_at(machine->memory, FL_SHARED_OFFSET, sizeof(struct fl_shared), FL_PAGE_SIZE);
}

void machine_kill(struct machine *machine)
{
    struct backend *backend = g_steal_pointer(&machine->backend);
    if (backend == NULL)
        return;
    if (machine->ops->end_guest != NULL && machine->ops->end_guest(backend))
        machine->carrier = backend;
    else
        machine->ops->stop(backend);
}

bool machine_alive(struct machine *machine, char *reason, size_t size)
{
    return machine->ops->alive(machine->backend, reason, size);
}

double machine_waited(struct machine *machine)
{
    return machine->backend != NULL ? machine->ops->waited(machine->backend) : 0;
}

/* The last word is why it ended, which is known, and then the registers. */
void machine_end_telling(struct machine *machine, char *text, size_t size)
{
    char word[MACHINE_WORD] = "";
    if (machine->backend != NULL && machine->ops->end_telling != NULL)
        machine->ops->end_telling(machine->backend, word, sizeof word);
    const char *registers = strchr(word, ';');
    g_strlcpy(text, registers != NULL ? registers : "", size);
    machine_kill(machine);
}

struct guestmem *machine_memory(const struct machine *machine)
{
    return machine->memory;
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
