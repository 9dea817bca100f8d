/* A run that QEMU has recorded and goes over again (-icount rr=): processes, sockets, files. */
#ifndef FAULTLINE_GDB_REPLAYED_H
#define FAULTLINE_GDB_REPLAYED_H

#include <glib.h>
#include "link.h"
#include "qmp.h"
#include "target.h"
#include "workdir.h"

struct replayed {
    const struct gdb_arch *arch;
    const struct backend_ops *ops;
    struct workdir *workdir;
    char *image;
    struct backend_replay files; /* paths, owned */
    struct guestmem *memory;
    struct backend *backend; /* NULL: no guest */
    uint64_t length;         /* of the recording, in instructions */
    struct link stub;
    struct qmp *qmp;
    int gdb_listener, control_listener;
};

/* Makes the run and records it; the guest's RAM holds what the run has left there. */
bool replayed_record(struct replayed *replayed, const struct gdb_target_config *config,
                     GError **error);
/* A guest that stands before its first instruction, to go over the recording. */
bool replayed_begin(struct replayed *replayed, const struct fl_plan *plan, GError **error);
void replayed_close(struct replayed *replayed);
/* Why the guest is no more. */
void replayed_end(struct replayed *replayed, char *reason, size_t size);

#endif
