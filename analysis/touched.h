/* What was touched in a run up to some event, as one number: equal for two beginnings after which
 * the same accesses behind would show the same instructions to touch shared memory (access.h).
 *
 * A search that takes two beginnings for one because their memory is the same would else miss some:
 * an access of the one beginning that conflicts with what comes behind it, where the search goes on
 * from the other alone.
 *
 * Of each access count thread, instruction, word, whether it wrote, and before which threads' lives
 * it came (birth.h); not how often, nor in what order. One to a frame that was mapped anew since
 * has no say any more.
 */
#ifndef FAULTLINE_TOUCHED_H
#define FAULTLINE_TOUCHED_H

#include <stddef.h>
#include <stdint.h>
#include "engine.h"
#include "plugin/access_log.h"

struct touched;

struct touched *touched_new(void);
void touched_free(struct touched *touched);

/* A whole run, of which the engine knows the spans (engine_end was called). All must stay. */
void touched_begin(struct touched *touched, const struct engine *engine, const struct access *log,
                   size_t n);
/* Of spans that ended with this event or before; events must not descend. */
uint64_t touched_until(struct touched *touched, uint64_t event);

#endif
