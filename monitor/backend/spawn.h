/* A way of bringing a QEMU to life: as a child process, or through libvirt. The back end says what
 * machine it is to be; the way says how it is started, watched, paused and ended. Private to the
 * back ends, but for the table and what chooses from it.
 */
#ifndef FAULTLINE_BACKEND_SPAWN_H
#define FAULTLINE_BACKEND_SPAWN_H

#include <glib.h>
#include <stdbool.h>

/* Of a session: which way, and where to. */
struct spawn {
    const struct spawn_ops *ops; /* NULL: the first */
    const char *connect; /* of libvirt: URI; NULL: an embedded driver of the session's own */
    const char *name;    /* of libvirt: the domain's; NULL: one after the session's directory */
    bool lasts;          /* it may be left (leave) */
};

/* What is to be brought to life. `options` are QEMU's own, NULL-terminated, and hold all that
 * determinism needs; what is apart from them libvirt has words of its own for. */
struct spawn_machine {
    const char *program, *package;
    const char *arch;              /* as libvirt calls it */
    const char *machine, *details; /* of -machine: type, and "NAME=VALUE,..." */
    const char *kernel;
    unsigned ram_mib;
    char *const *options;
};

/* How it ended: a status as of waitpid and its last line, or a sentence. */
struct spawn_end {
    int status;
    char line[160];
    char sentence[160]; /* "": there is a status */
};

struct spawned;

struct spawn_ops {
    const char *id;
    /* run_dir: private directory of the session, where `machine`'s files are. */
    struct spawned *(*start)(const struct spawn *spawn, const struct spawn_machine *machine,
                             const char *run_dir, GError **error);
    /* false: it is gone, and *end says how. */
    bool (*alive)(struct spawned *spawned, struct spawn_end *end);
    void (*unpark)(struct spawned *spawned);
    void (*park)(struct spawned *spawned);
    /* As of backend_ops; 0 where it cannot be known. */
    double (*waited)(struct spawned *spawned);
    void (*stop)(struct spawned *spawned);
    /* Instead of stop: it lives on without us. NULL: no such thing. */
    bool (*leave)(struct spawned *spawned, GError **error);
    /* Whether it can be had here; if not, one line of why and how to mend it. */
    bool (*probe)(char *reason, size_t size);
};

extern const struct spawn_ops spawn_exec, spawn_libvirt;
extern const struct spawn_ops *const spawns[]; /* NULL-terminated; the first is the default */

/* Whether this program was built with what libvirt needs. */
bool spawn_libvirt_built(void);

/* NULL: there is none of that name. */
const struct spawn_ops *spawn_find(const char *id);

/* Says that the machine's program is not installed, and how to get it. */
void spawn_missing(const struct spawn_machine *machine, GError **error);

#endif
