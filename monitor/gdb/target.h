/* A debugger's target: one guest that stands still, and goes forwards and backwards through one
 * run.
 *
 * A back end that can be debugged brings a table of these functions. All else is the same for all:
 * packets, threads, the ends of the run, what gdb asks of the model.
 *
 * Positions count how far the run has come; they are ordered, and mean the same however one got
 * there. Guest RAM is only read by others, and only while the guest stands still. */
#ifndef FAULTLINE_GDB_TARGET_H
#define FAULTLINE_GDB_TARGET_H

#include <glib.h>
#include <stdbool.h>
#include "arch.h"
#include "backend/backend.h"
#include "guestmem.h"
#include "image.h"

enum gdb_resume { GDB_STEP, GDB_CONTINUE, GDB_REVERSE_STEP, GDB_REVERSE_CONTINUE };

/* As the packets Z and z number them. */
enum gdb_break {
    GDB_BREAK_SOFTWARE,
    GDB_BREAK_HARDWARE,
    GDB_WATCH_WRITE,
    GDB_WATCH_READ,
    GDB_WATCH_ACCESS,
    GDB_BREAKS
};

enum gdb_stop_kind {
    GDB_STOPPED,    /* a step was made, or a breakpoint is here */
    GDB_STOP_WATCH, /* forwards: as gdb_arch.watch_stops_before says; backwards: the opposite */
    GDB_STOP_INTERRUPTED, /* as asked for */
    GDB_STOP_BEGIN,       /* there is nothing before this */
    GDB_STOP_END,         /* nor after */
    GDB_STOP_GONE,        /* the guest is no more */
};

struct gdb_stop {
    enum gdb_stop_kind kind;
    enum gdb_break watch;
    uint64_t address; /* of what is watched */
    char reason[160]; /* GONE: why */
};

struct gdb_target_config {
    const struct image *image;
    const struct gdb_arch *arch;
    const struct backend_ops *backend;
    const struct fl_plan *plan; /* neither online nor with audits */
};

struct gdb_target {
    const struct gdb_target_ops *ops;
    struct guestmem *memory;
    GArray *events;          /* of the run: struct fl_event */
    struct fl_result result; /* serial 0, outcome none: the guest never gave one */
    uint64_t position;       /* while it stands still */
    int fd;                  /* can be read when `stopped` is worth a call; so it is now and then */
};

struct gdb_target_ops {
    const char *backend;  /* id */
    bool reads_unwatched; /* it has neither GDB_WATCH_READ nor GDB_WATCH_ACCESS */
    /* Makes the run, and stands somewhere before it. */
    struct gdb_target *(*open)(const struct gdb_target_config *config, GError **error);
    /* All that the architecture describes. */
    bool (*read_registers)(struct gdb_target *target, uint8_t *bytes);
    bool (*write_registers)(struct gdb_target *target, const uint8_t *bytes);
    bool (*write_memory)(struct gdb_target *target, uint64_t physical, const uint8_t *bytes,
                         size_t size);
    bool (*set_break)(struct gdb_target *target, enum gdb_break kind, uint64_t address, size_t size,
                      bool insert);
    /* Returns at once; ends in `stopped`. */
    void (*resume)(struct gdb_target *target, enum gdb_resume how);
    void (*interrupt)(struct gdb_target *target);
    /* Whether it stands still again, and why. */
    bool (*stopped)(struct gdb_target *target, struct gdb_stop *stop);
    /* Goes there at once, past all breakpoints; what a debugger wrote is undone. */
    bool (*seek)(struct gdb_target *target, uint64_t position);
    /* A position shortly before the event is written; NULL: found by watching for it. */
    uint64_t (*before_event)(struct gdb_target *target, size_t event);
    void (*close)(struct gdb_target *target);
};

/* NULL: the back end cannot be debugged. */
const struct gdb_target_ops *gdb_target(const char *backend);

extern const struct gdb_target_ops gdb_target_qemu, gdb_target_qemu_x86_64, gdb_target_kvm,
    gdb_target_kvm_nested;

#endif
