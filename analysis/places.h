/* Places: where a run could have been departed from. Every entry is one, with k = 0, and every
 * interruption, with the k that it says.
 *
 * The threads that could run instead come as bits of thread numbers, which are given out again when
 * a thread ends. So that no order rests on that accident they are listed by ascending path.
 */
#ifndef FAULTLINE_PLACES_H
#define FAULTLINE_PLACES_H

#include <glib.h>
#include "engine.h"
#include "model.h"

struct places {
    GArray *places; /* struct place */
    GArray *ready;  /* uint32_t */
};

void places_init(struct places *places);
void places_free(struct places *places);
void places_clear(struct places *places);
/* Appends the paths of a set of thread numbers, but for one; how many. */
uint16_t places_ready(GArray *ready, const struct model *model, uint64_t set, uint32_t but);
/* The event is an entry or an interruption, and the model has taken it in. NULL: of nobody. Valid
 * until the next one. */
const struct place *places_add(struct places *places, const struct model *model,
                               const struct fl_event *event);

#endif
