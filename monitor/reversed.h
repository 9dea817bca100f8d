/* Two accesses of a run to one place in memory that come in the other order in another run. */
#ifndef FAULTLINE_REVERSED_H
#define FAULTLINE_REVERSED_H

#include <stdbool.h>
#include "samples.h"

struct reversed_access {
    uint32_t thread;
    struct access access;
};

/* The last access before event `before` of `a` that its thread makes to memory which another thread
 * also accesses, one of the two storing, and which comes on the other side of that thread's in `b`.
 * The two are given in the order of `a`. Both samples have accesses. */
bool reversed_find(struct engine *engine, const struct fl_scenario *scenario,
                   const struct sample *a, const struct sample *b, size_t before,
                   struct reversed_access *early, struct reversed_access *late);

#endif
