/* Where threads give the processor up, as places of their own: (thread, n, FL_K_GIVES_UP), and who
 * could run there beside the one that does by default, the queue's head. A thread that yields is
 * one of them.
 */
#ifndef FAULTLINE_GIVES_UP_H
#define FAULTLINE_GIVES_UP_H

#include "strategy.h"

struct gives_up;

struct gives_up *gives_up_new(void);
void gives_up_free(struct gives_up *gives_up);

/* A new run, then its events, as they come. */
void gives_up_begin(struct gives_up *gives_up);
void gives_up_events(struct gives_up *gives_up, const struct fl_event *events, size_t n);

/* Puts them among the report's places, in the order of the run, without a state. Sets `hidden` when
 * there is one that no plan can name: a thread that gave the processor up by the same entry before,
 * or where nobody knows who could run. Valid until the next run. */
void gives_up_fill(struct gives_up *gives_up, struct run_report *report);

#endif
