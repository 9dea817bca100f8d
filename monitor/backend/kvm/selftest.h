/* Whether this host's KVM can carry the rig: by running tiny guests, one for each thing that the
 * rig needs, and one table of what follows from what they could not. */
#ifndef FAULTLINE_KVM_SELFTEST_H
#define FAULTLINE_KVM_SELFTEST_H

#include <stdbool.h>
#include "complaint.h"

enum probe_id {
    PROBE_DEVICE,
    PROBE_FEATURES,
    PROBE_ENTER,
    PROBE_PORT,
    PROBE_RING3,
    PROBE_SYSCALL,
    PROBE_FAULT,
    PROBE_NO_EXECUTE,
    PROBE_FLUSH,
    PROBE_KICK,
    PROBE_INTERRUPT,
    PROBE_APIC,
    PROBE_SHUTDOWN,
    PROBE_IMMEDIATE_EXIT,
    PROBE_TRAP_FLAG,
    PROBE_SINGLE_STEP,
    PROBE_BREAKPOINT,
    PROBE_INT3,
    PROBE_DIRTY_LOG,
    N_PROBES
};

enum probe_state { PROBE_NOT_RUN, PROBE_OK, PROBE_WRONG };

struct probe_result {
    enum probe_state state;
    struct complaint what; /* happened instead */
};

struct verdict {
    bool able;        /* to carry the rig */
    char text[400];   /* one line: which, and what to use instead if not */
    char limits[300]; /* one line: what works differently on it; "": nothing */
};

/* Runs every guest, each in a process of its own with a time limit. */
void selftest_run(struct probe_result results[N_PROBES]);
void selftest_judge(const struct probe_result results[N_PROBES], struct verdict *verdict);
const char *selftest_name(enum probe_id id);

#endif
