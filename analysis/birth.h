/* What cannot be reordered, whatever the schedule: a thread does nothing before it is made.
 *
 * What its parent, or another ancestor, did before asking core for it (or for the ancestor in
 * between) comes before all that it does; and so does what core did in the same request before
 * making one of them: it cleared memory, filled in data. What core did for other requests does not:
 * these could have come in another order.
 */
#ifndef FAULTLINE_BIRTH_H
#define FAULTLINE_BIRTH_H

#include <stdbool.h>
#include "engine.h"

/* Whether all that thread `before` did in its spans first to last (of the run's numbers) comes
 * before all that thread `after` does. */
bool birth_orders(const struct engine *engine, uint32_t before, uint32_t first, uint32_t last,
                  uint32_t after);

#endif
