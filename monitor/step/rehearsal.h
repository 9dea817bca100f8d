/* A run known beforehand, from its first event to its last: the plan is run once to the end, and
 * once more to learn how long each stretch of user mode is. So a stepper can say where the next
 * point is, what lies behind it, and where the guest must stand: a run is a function of its plan.
 */
#ifndef FAULTLINE_STEP_REHEARSAL_H
#define FAULTLINE_STEP_REHEARSAL_H

#include <glib.h>
#include <stdbool.h>
#include "report_text.h"
#include "samples.h"
#include "subject.h"

#define STEP_ERROR (g_quark_from_static_string("faultline-step"))
enum step_error {
    STEP_ERROR_COMMAND, /* what was asked for cannot be; all is as it was */
    STEP_ERROR_RUN,     /* the run is not what it was: nothing can be said of it any more */
};

/* A moment at which the guest can stand still. */
struct moment {
    size_t event; /* the last one written by then */
    uint32_t k;   /* 0: the guest stands in the kernel, right after that; else in user mode, before
                     its k-th instruction after its last entry */
};

/* User mode between two events. */
struct stretch {
    size_t event; /* the one before it */
    uint32_t thread;
    uint32_t n;
    uint32_t first, last; /* k: moments of this stretch */
};

struct rehearsal {
    struct fl_plan plan; /* as it is posted: what the plan lists is obeyed without asking */
    struct sample *sample;
    GArray *stretches; /* struct stretch, in the order of the run */
    GArray *taken;     /* struct fl_preemption that took place */
    GArray *taken_at;  /* uint64_t: their events */
    struct report report;
};

struct rehearsal *rehearsal_make(const struct samples *samples, const struct subject *subject,
                                 const struct fl_plan *plan, GError **error);
void rehearsal_free(struct rehearsal *rehearsal);

/* The guest itself came to its end: there is an event that says so. */
bool rehearsal_ends(const struct rehearsal *rehearsal);
struct moment rehearsal_last(const struct rehearsal *rehearsal);

/* The nearest kernel entry after and before a moment, or the last and first event. */
struct moment rehearsal_next_point(const struct rehearsal *rehearsal, struct moment from);
struct moment rehearsal_previous_point(const struct rehearsal *rehearsal, struct moment from);
/* Likewise one instruction of user mode on: into the kernel with the one that enters it, out of it
 * to the first one of whoever runs then. */
struct moment rehearsal_next_instruction(const struct rehearsal *rehearsal, struct moment from);
struct moment rehearsal_previous_instruction(const struct rehearsal *rehearsal, struct moment from);

/* Whether there is such a moment; the message says which there are. */
bool rehearsal_has(const struct rehearsal *rehearsal, struct moment moment, GError **error);

/* Who runs then, and where: (thread, n, k). thread = kernel: before anybody did. */
struct fl_preemption rehearsal_place(const struct rehearsal *rehearsal, struct moment moment);
/* The point of the thread's entry n up to that event; FL_POINT_NONE: its start. */
uint16_t rehearsal_point(const struct rehearsal *rehearsal, struct moment moment);

int moment_compare(struct moment a, struct moment b);

#endif
