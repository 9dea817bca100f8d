/* A back end: where the guest runs. It brings guest RAM (guestmem.h) and a vCPU to life; plans,
 * results and the ring travel through the shared window and are the session's business, the same
 * for every back end. What it can is said by flags, and nothing above assumes more.
 */
#ifndef FAULTLINE_BACKEND_H
#define FAULTLINE_BACKEND_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "guestmem.h"

enum backend_capability {
    BACKEND_POSTED = 1 << 0,
    BACKEND_ONLINE = 1 << 1,
    BACKEND_INSN = 1 << 2, /* preemptions with k >= 1 */
    BACKEND_GDB = 1 << 3,
    BACKEND_SNAPSHOTS = 1 << 4,
    BACKEND_ACCESSES = 1 << 5, /* can tell which memory user mode touches */
};

/* What a back end needs to tell user mode's accesses (plugin/access_log.h). */
struct backend_accesses {
    const char *log;         /* path of a struct access_log, made and mapped by the caller */
    uint64_t run;            /* labels of the guest's kernel: the first thread is started, */
    uint64_t leave;          /* user mode is gone to, */
    uint64_t leave_measured; /* the same with the timer just set, */
    uint64_t leave_nothing;  /* and where it would be, but for no instruction; 0: never without */
};

/* What a back end needs to have a run gone over by a debugger, forwards and backwards: once with
 * `record`, then without as often as is wanted. The guest waits for `control` before its first
 * instruction. Nothing may be written to its RAM meanwhile: the plan lies there before the start.
 * All are paths, in run_dir. */
struct backend_replay {
    bool record;
    const char *log;       /* of the recording: made, then read */
    const char *snapshots; /* a qcow2 file without a disk's worth of data, likewise */
    const char *gdb;       /* socket, listened on: of QEMU's own stub */
    const char *control;   /* socket, listened on: of QMP */
};

struct spawn;

struct backend_config {
    const char *image;   /* path of the guest ELF */
    const char *run_dir; /* private directory of this session: RAM file, logs */
    struct guestmem *memory;
    const struct backend_accesses *accesses; /* NULL: nobody wants to know */
    const struct backend_replay *replay;     /* NULL: a run is not gone over */
    const char *debugger; /* socket, listened on: orders the guest about (kvm/debug_protocol.h);
                             NULL: nobody does */
    const struct spawn *spawn; /* how a QEMU is brought to life (spawn.h); NULL: as a child */
};

struct backend {
    const struct backend_ops *ops;
};

struct backend_ops {
    const char *id;
    const char *alias; /* another name; NULL: none */
    const char *arch;  /* as images call it */
    unsigned capabilities;
    /* Starts the guest; it will set fl_control.magic when it has booted. */
    struct backend *(*start)(const struct backend_config *config, GError **error);
    /* false once the guest is gone; reason then says why, in one line. */
    bool (*alive)(struct backend *backend, char *reason, size_t size);
    /* There is work for the guest / there is none for a while: a parked guest burns no CPU. */
    void (*unpark)(struct backend *backend);
    void (*park)(struct backend *backend);
    /* Seconds for which it has wanted a processor so far and had none: others were busy. */
    double (*waited)(struct backend *backend);
    /* Of back ends that can, NULL for others: ends a guest that does not end by itself. Its last
     * word, where its processor stood, goes to `text`; what `stop` ends is left. */
    void (*end_telling)(struct backend *backend, char *text, size_t size);
    /* Ends the guest and everything that start made. Also after the guest died by itself. */
    void (*stop)(struct backend *backend);
    /* Instead of stop: the guest lives on without us, as it is. NULL: no such thing. */
    bool (*leave)(struct backend *backend, GError **error);
    /* Of back ends whose guests are carried by what starts slowly, NULL for others: ends the guest
     * alone; its carrier sleeps until stop, or until the next guest is started on the same RAM,
     * zeroed meanwhile. false: it does not do that any more, and is to be stopped. */
    bool (*end_guest)(struct backend *backend);
    bool (*next_guest)(struct backend *backend);
    /* Whether this machine can run it; if not, one line of why and how to mend it. */
    bool (*probe)(char *reason, size_t size);
    /* Of BACKEND_ACCESSES: whether this machine can tell them, likewise. */
    bool (*probe_accesses)(char *reason, size_t size);
};

extern const struct backend_ops *const backends[]; /* NULL-terminated; the first is the default */

/* By id or alias. NULL: there is none. */
const struct backend_ops *backend_find(const char *name);
/* The first that runs guests of this architecture. NULL: none does. */
const struct backend_ops *backend_for(const char *arch);
/* The one that tells accesses for this one: itself, or another that runs the same images, on which
 * the same plans mean the same. NULL: none can. */
const struct backend_ops *backend_telling(const struct backend_ops *backend);

#endif
