/* What a stepper shows: the rows of the run around the moment, and the moment itself. Plain text,
 * the same for the same moment of the same plan.
 */
#ifndef FAULTLINE_STEP_SCREEN_H
#define FAULTLINE_STEP_SCREEN_H

#include "model.h"
#include "stepper.h"

/* Lanes around the moment, with so many rows before it and after. */
void screen_lanes(GString *out, const struct stepper *stepper, unsigned before, unsigned after);

/* "event 57 of 209: main at its 12th entry (lock)", where that is in the source, and who could run
 * instead. */
void screen_moment(GString *out, const struct stepper *stepper, struct model *model);

/* The calls that the thread is in, the innermost first, each with its line. */
void screen_where(GString *out, const struct stepper *stepper);

/* The end of the run, and what the checks say of it. */
void screen_end(GString *out, const struct stepper *stepper);

#endif
