/* What happens before what among the steps of a run: the least order in which each two dependent
 * steps stay as they were. Runs with the same order differ in that of independent steps alone.
 *
 * Steps are added one after the other and taken away from the end, as a search goes through its
 * tree.
 */
#ifndef FAULTLINE_HAPPENS_H
#define FAULTLINE_HAPPENS_H

#include "depend.h"

struct happens;

struct happens *happens_new(const struct relation *relation);
void happens_free(struct happens *happens);

/* Its footprint must stay until the step is taken away. */
void happens_add(struct happens *happens, uint32_t thread, const struct footprint *footprint);
void happens_truncate(struct happens *happens, uint32_t steps);
uint32_t happens_steps(const struct happens *happens);

/* Whether the earlier step comes before the later in all equivalent runs. */
bool happens_before(const struct happens *happens, uint32_t earlier, uint32_t later);

/* Appends (uint32_t) the earlier steps that race with the step: dependent, with nothing in between
 * that both are ordered with, and the step's thread could have run before. */
void happens_races(const struct happens *happens, uint32_t step, GArray *races);

/* The same for two runs of equal order, whatever the order in which they made their steps. Of their
 * first so many steps. */
uint64_t happens_fingerprint(const struct happens *happens, uint32_t steps);

#endif
