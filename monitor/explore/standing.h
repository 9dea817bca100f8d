/* How the guest stands at the places of a run, by hash: its memory, and what the checks know by
 * then. The run is judged as it goes, one at a time.
 */
#ifndef FAULTLINE_STANDING_H
#define FAULTLINE_STANDING_H

#include <glib.h>
#include <stdbool.h>
#include "engine.h"
#include "session.h"
#include "state.h"
#include "strategy.h"

struct standing;

/* bounded: preemptions are counted, so that who runs is part of the state. NULL: the image does not
 * say what its state is. It must outlive the result. */
struct standing *standing_new(const struct image *image, bool bounded, GError **error);
void standing_free(struct standing *standing);

/* A new run; the one before is remembered. */
void standing_begin(struct standing *standing);
/* The guest asks, of a run that is the oldest in flight. Feeds the engine, which begins with the
 * first question, with all that the run has said by now. NULL: the state cannot be told. Valid
 * until the next call. */
const struct state_hash *standing_ask(struct standing *standing, struct engine *engine,
                                      const struct fl_scenario *scenario, unsigned variant,
                                      const struct session *session, const struct fl_decision *ask);
/* The question is answered with the run's end. */
void standing_end(struct standing *standing);
/* So many of the events that the session's guest tells of the run has the engine had: none, if
 * another guest than this told them. */
uint32_t standing_fed(const struct standing *standing, const struct session *session);
/* This run is the one before made again: whether it goes on from its last question as that one did.
 */
bool standing_goes_on(const struct standing *standing);
/* Sets the report's places: those of the run's questions, with their states, and those in user
 * mode, which have none. Valid until the next run is reported. */
void standing_fill(struct standing *standing, struct run_report *report);
/* Of the report just filled: this belongs to the i-th state, too. */
void standing_add(struct standing *standing, size_t i, uint64_t what);

#endif
