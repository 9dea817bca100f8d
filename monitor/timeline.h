/* A guest's events on the host's clock: a copy of all runs of one session, for a listing together
 * with the host's own events. Guest time is logical, so what is known of an event is between which
 * two moments of the host it happened (anchors); traces/FORMAT.md says where in between it is put.
 */
#ifndef FAULTLINE_TIMELINE_H
#define FAULTLINE_TIMELINE_H

#include <glib.h>
#include "trace.h"

struct timeline;

/* Makes directory `dir`. NULL: it cannot be written. */
struct timeline *timeline_open(const char *dir, const struct fl_scenario *scenario,
                               const struct ctf_clock *clock, GError **error);
void timeline_close(struct timeline *timeline);

/* A question that the guest asked, in a run: its event is the entry n of `thread`, or the interrupt
 * before its k-th instruction after that. Times are of the host's clock, in ns. */
struct timeline_decision {
    uint32_t thread, n, k;
    uint64_t asked;    /* when the host saw it: the event is earlier */
    uint64_t answered; /* what follows is later; 0: it was not answered */
};

struct timeline_run {
    uint64_t posted; /* every event is later */
    uint64_t seen;   /* the result: every event is earlier */
    const struct timeline_decision *decisions;
    size_t n_decisions;
};

/* Puts the packets of a run on the host's clock, in place. Returns the time of the last event.
 * Runs of a session are placed in order; `after`: what this returned for the run before. */
uint64_t timeline_place(struct fl_packet *packets, size_t n_packets, const struct timeline_run *run,
                        uint64_t after);

/* Appends a run: a copy of those packets, which are sound. false: it was not written, the disk is
 * full perhaps; nothing is from there on. */
bool timeline_add(struct timeline *timeline, struct fl_packet *packets, size_t n_packets,
                  const struct timeline_run *run);

#endif
