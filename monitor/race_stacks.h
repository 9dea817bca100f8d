/* Where the two threads of a data race come from: all calls that each is in as it accesses. */
#ifndef FAULTLINE_RACE_STACKS_H
#define FAULTLINE_RACE_STACKS_H

#include <glib.h>
#include "image.h"
#include "races.h"
#include "samples.h"
#include "unwind.h"

struct race_stacks {
    struct call_stack first, second; /* n = 0: the thread could not be stopped there */
};

/* seen: a plan whose run shows the race; it is run once more, and stopped at both accesses. false:
 * no guest can be had, or it was interrupted. */
bool race_stacks(const struct samples *samples, const struct image *image, const struct race *race,
                 const struct fl_plan *seen, struct race_stacks *stacks, GError **error);

#endif
