/* Data races tried both ways: whether the order of the two accesses matters to any check. */
#ifndef FAULTLINE_RACE_TRIAL_H
#define FAULTLINE_RACE_TRIAL_H

#include <glib.h>
#include "races.h"
#include "samples.h"

enum race_effect {
    RACE_UNTRIED,  /* the other order could not be brought about */
    RACE_HARMLESS, /* tried both ways, no check took notice */
    RACE_HARMFUL,
};

struct race_trial {
    enum race_effect effect;
    char check[48];      /* harmful: that is violated */
    struct fl_plan plan; /* harmful: by this plan */
    unsigned runs;
};

/* seen: a plan whose run shows the race, in the order that it gives. The session tells accesses.
 * false: no guest can be had, or it was interrupted. */
bool race_try(const struct samples *samples, const struct race *race, const struct fl_plan *seen,
              struct race_trial *trial, GError **error);

const char *race_effect_name(enum race_effect effect);

#endif
