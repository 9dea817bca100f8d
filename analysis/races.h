/* Data races: accesses of two threads to one place in memory, at least one of them a store, that
 * nothing orders.
 *
 * Order is what the kernel makes: a lock given up before it is taken, a message before its receipt,
 * a reply before the return of the call, a fault before its handling and its reply before the
 * thread goes on, making a thread before its start, its end before a join. Told by vector clocks,
 * as in Flanagan and Freund, "FastTrack: efficient and precise dynamic race detection" (PLDI 2009);
 * where they keep the last access of each place, here every instruction's last one is kept, so that
 * each pair of instructions of a run is found and not only the first.
 */
#ifndef FAULTLINE_RACES_H
#define FAULTLINE_RACES_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include "engine.h"
#include "plugin/access_log.h"

struct race_side {
    uint32_t thread; /* path */
    uint32_t pc;
    uint32_t n, k; /* the place before the instruction */
    bool store;
};

struct race {
    struct race_side first, second; /* in the order of the run that showed it first */
    uint32_t address;               /* physical */
    uint64_t times;                 /* in all runs */
};

struct races;

struct races *races_new(void);
void races_free(struct races *races);

/* Takes in one run: its events, of which the engine knows the spans (engine_end was called), and
 * its accesses. */
void races_learn(struct races *races, const struct engine *engine, const struct fl_event *events,
                 size_t n_events, const struct access *log, size_t n);

/* struct race, each pair of instructions once, in the order in which they were found. */
const GArray *races_list(const struct races *races);

#endif
