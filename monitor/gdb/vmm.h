/* A guest under our own VMM that a debugger orders about: processes, the line, RAM. */
#ifndef FAULTLINE_GDB_VMM_H
#define FAULTLINE_GDB_VMM_H

#include <glib.h>
#include "backend/kvm/debug_protocol.h"
#include "target.h"
#include "workdir.h"

struct vmm {
    const struct backend_ops *ops;
    struct fl_plan plan;
    struct workdir *workdir;
    char *image, *socket; /* paths */
    struct guestmem *memory;
    struct backend *backend; /* NULL: none */
    int listener, fd;
    struct debug_state state;
    size_t received; /* bytes of the next one */
    uint8_t next[sizeof(struct debug_state)];
};

/* Makes the run once, undisturbed; RAM holds what it has left there. */
bool vmm_open(struct vmm *vmm, const struct gdb_target_config *config, GError **error);
void vmm_close(struct vmm *vmm);
/* Another guest, which stands before its first instruction. */
bool vmm_restart(struct vmm *vmm, GError **error);

bool vmm_send(struct vmm *vmm, const struct debug_order *order);
/* Takes in what is there of an answer. */
bool vmm_receive(struct vmm *vmm);
/* Orders, and waits for the answer. false: the guest is gone, or refuses. */
bool vmm_order(struct vmm *vmm, const struct debug_order *order);
bool vmm_is_gone(struct vmm *vmm, char *reason, size_t size);

#endif
