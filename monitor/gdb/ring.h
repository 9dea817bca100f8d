/* The run's events where the guest has put them so far. */
#ifndef FAULTLINE_GDB_RING_H
#define FAULTLINE_GDB_RING_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "guestmem.h"

/* Offset in guest RAM of the i-th event of the first run after a boot. */
uint64_t ring_event_offset(size_t i);
/* Offsets of the two counters that the guest moves at the end of a run, in the order in which it
 * does. */
uint64_t ring_end_offset(void);
uint64_t ring_given_offset(void);

/* Whether the run has ended; its result is copied. */
bool ring_result(struct guestmem *memory, struct fl_result *result);
/* All events that the guest has written: struct fl_event. */
GArray *ring_events(struct guestmem *memory);
/* How many of these events it has written, and no others: counted up to the first that is not there
 * yet, or is another. */
size_t ring_common(struct guestmem *memory, const struct fl_event *events, size_t count);

/* New RAM in which this plan waits to be run. */
void ring_prepare(struct guestmem *memory, const struct fl_plan *plan);

#endif
