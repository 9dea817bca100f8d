/* A run looked at event by event: all that the guest wrote, also into the packet that was open when
 * it died or fell silent, of which a session hands out nothing.
 */
#ifndef FAULTLINE_STEP_WITNESS_H
#define FAULTLINE_STEP_WITNESS_H

#include "samples.h"

/* As sample_keep; some 20 us an event. */
struct sample *witness_keep(const struct samples *samples, const struct fl_plan *plan,
                            GError **error);

#endif
