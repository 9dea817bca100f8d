/* What happens before what in a run, told to strategies: the run as a sequence of transitions with
 * footprints, the order of it as one number, and that of its beginnings up to each place.
 */
#ifndef FAULTLINE_ORDERS_H
#define FAULTLINE_ORDERS_H

#include "strategy.h"

struct orders;

/* depth: FL_DEPTH_IPC or FL_DEPTH_SYNC, of the transitions. named: the report's order and prefixes
 * are wanted, beside its steps. */
struct orders *orders_new(unsigned depth, const struct relation *relation, bool named);
void orders_free(struct orders *orders);

/* A new run, then its events, as they come. */
void orders_begin(struct orders *orders);
void orders_events(struct orders *orders, const struct fl_event *events, size_t n);

/* All of the run is there, and the engine has ended it: sets the report's steps, order and
 * prefixes. Its places and what was taken are there by then. Valid until the next run. */
void orders_fill(struct orders *orders, const struct engine *engine, const struct access *log,
                 size_t n, struct run_report *report);

#endif
