/* Anchors: what makes a saved plan mean something after the source was edited.
 *
 * A plan names entries and instructions by numbers, which a line of source more or less changes. So
 * what is recorded also says what each preemption's place was: the kind of entry and the function
 * that makes it, so many-th after which mark of the scenario's, and the line of the instruction.
 */
#ifndef FAULTLINE_ANCHOR_H
#define FAULTLINE_ANCHOR_H

#include <glib.h>
#include "image.h"
#include "plan.h"
#include "samples.h"

/* The places of those of the plan's preemptions that took place in this run. */
void anchors_take(struct plan_anchors *anchors, const struct fl_plan *plan,
                  const struct image *image, const struct fl_event *events, size_t n_events);

/* Makes the plan fit the session's image: a preemption whose place is what it was stays, another is
 * anchored anew, and a line appended to notes says so ("anchored anew: main@19+3 -> main@20+2").
 * Needs a few runs, and none when nothing is anchored. false: the plan no longer applies.
 *
 * check: what the plan violated on another architecture, where no instruction is the very one: of
 * those of its line it is the first with which the check is violated, else the first. NULL: it was
 * this architecture. */
bool anchors_apply(const struct samples *samples, const struct image *image, const char *check,
                   struct fl_plan *plan, const struct plan_anchors *anchors, GString *notes,
                   GError **error);

/* Whether they say in which line of the source each of the plan's preemptions with k >= 1 was. */
bool anchors_know(const struct plan_anchors *anchors, const struct fl_plan *plan);

#endif
