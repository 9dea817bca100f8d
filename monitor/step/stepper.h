/* A guest that stands still at any moment of one run, forwards and backwards.
 *
 * Forwards it goes on from where it stands in the kernel. Backwards is the same plan once more, up
 * to there: a run is a function of its plan. So is forwards from an instruction: to stop there took
 * an interrupt, by which the thread lost its exclusive access (DDI 0406C A3.4.5), and it might try
 * again where it would not have otherwise. Whatever the guest has written by then is compared with
 * the rehearsal, so that what is shown is what the guest did.
 */
#ifndef FAULTLINE_STEP_STEPPER_H
#define FAULTLINE_STEP_STEPPER_H

#include "rehearsal.h"

struct stepper {
    struct samples samples;
    const struct subject *subject;
    struct rehearsal *run;
    struct moment at;
    uint64_t pc;     /* of the next instruction of user mode; 0: the guest stands in the kernel */
    uint64_t ready;  /* bit i: thread number i could run instead */
    bool in_flight;  /* the guest is in a run, and stands at `at` */
    bool ended;      /* the run came to its end, after all its events */
    bool branched;   /* what-if: the plan is not the one that was given */
    size_t compared; /* events of this run */
};

/* At the run's first event. `recorded`: what the run must be; NULL: it is not known. The session
 * and the engine must outlive the stepper. */
bool stepper_begin(struct stepper *stepper, const struct samples *samples,
                   const struct subject *subject, const struct fl_plan *plan,
                   const GArray *recorded, GError **error);
void stepper_end(struct stepper *stepper);

/* Has the guest stand there. The moment exists (rehearsal_has). */
bool stepper_go(struct stepper *stepper, struct moment to, GError **error);

/* On from here, to the end of the run. */
bool stepper_finish(struct stepper *stepper, GError **error);

/* What if `target` ran here: the plan up to here, and that preemption. What the plan had after here
 * is dropped. With the running thread as its target it goes on by itself. */
bool stepper_branch(struct stepper *stepper, uint32_t target, GError **error);

#endif
