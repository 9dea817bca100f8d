/* The nearest passing neighbour of a finding: the same plan with its last preemption one step
 * later than the latest place at which the check still fails. Between the two lies one instruction
 * of user mode, or one operation of the kernel: whether the other threads run before or after it
 * decides. (Zeller, "Isolating cause-effect chains from computer programs", FSE 2002, does the same
 * with states.)
 */
#ifndef FAULTLINE_NEIGHBOUR_H
#define FAULTLINE_NEIGHBOUR_H

#include "samples.h"

struct neighbours {
    struct fl_plan failing; /* its last preemption is as late as it can be */
    struct fl_plan passing; /* that preemption one step later; or left out, when the target runs by
                               itself then */
    struct fl_preemption last; /* of failing */
    bool opens;             /* going back from where the finding has it, the check passes again: */
    struct fl_plan opening; /* so, before the step with which it begins to fail */
    struct fl_preemption open; /* of opening */
    unsigned runs;
};

enum neighbour_result {
    NEIGHBOUR_FOUND,
    NEIGHBOUR_NONE, /* no preemption; the check fails without the last one, too; too far away; or
                       the run hangs, and so would thousands */
    NEIGHBOUR_FAILED,
};

enum neighbour_result neighbour_find(const struct samples *samples, const struct fl_plan *finding,
                                     const char *check, struct neighbours *neighbours,
                                     GError **error);

#endif
