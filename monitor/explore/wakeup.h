/* Wakeup trees (Abdulla, Aronis, Jonsson, Sagonas, "Optimal dynamic partial order reduction", POPL
 * 2014): what is still to be tried from one node of a search, as sequences of steps that each lead
 * to what no other branch of the node leads to. A branch is a whole sequence and not its first step
 * alone, so that it is sure to go beyond what was tried before.
 */
#ifndef FAULTLINE_WAKEUP_H
#define FAULTLINE_WAKEUP_H

#include <glib.h>
#include <stdbool.h>
#include "happens.h"

/* A step as it was seen in some run. */
struct step {
    uint32_t thread;   /* who was chosen */
    struct choice end; /* where the next choice was */
    struct footprint *footprint;
};

struct wakeup { /* a node of the tree; the root's step is empty */
    struct step step;
    GPtrArray *branches; /* of struct wakeup, the first to be tried first */
};

struct wakeup *wakeup_new(const struct step *step); /* step NULL: a root */
void wakeup_free(struct wakeup *wakeup);

/* A sequence of steps of a run: numbers in `steps` and in `happens`, ascending. */
struct sequence {
    const struct relation *relation;
    const struct happens *happens;
    const struct step *const *steps;
    uint32_t *at;
    uint32_t length;
};

/* Whether some run equivalent to one that goes on with the sequence begins with this step, which
 * was seen in the state that the sequence begins in. */
bool sequence_may_begin_with(const struct sequence *sequence, const struct step *step);

/* Adds the sequence, unless a branch leads to an equivalent run. Eats the sequence. Whether it was
 * added. */
bool wakeup_insert(struct wakeup *root, struct sequence *sequence);

#endif
