/* Depth access: which instructions of user mode touch memory that another thread also touches, at
 * least one of the two writing. Learned from the accesses of the runs so far, by physical address
 * (message pages, aliases), and kept as a set of program counters: every program has virtual
 * addresses of its own, so a program counter names an instruction of the source.
 *
 * The set only grows. A search that wants all places of a run must have seen the set unchanged
 * since: access_generation().
 */
#ifndef FAULTLINE_ACCESS_H
#define FAULTLINE_ACCESS_H

#include <glib.h>
#include <stddef.h>
#include "engine.h"
#include "plugin/access_log.h"

struct access_set;

struct access_set *access_set_new(void);
void access_set_free(struct access_set *set);

/* Takes in one run: its accesses, and from the engine its events' spans (engine_end was called). A
 * frame that was unmapped and mapped again is other memory. */
void access_learn(struct access_set *set, const struct engine *engine, const struct access *log,
                  size_t n);
/* The number of times that a run has added to the set. */
unsigned access_generation(const struct access_set *set);
size_t access_instructions(const struct access_set *set);

/* Appends the run's places (struct place, k >= 1) at instructions of the set, in the order of the
 * run, without those that nobody could run instead at. */
void access_places(const struct access_set *set, const struct engine *engine,
                   const struct access *log, size_t n, GArray *places);

#endif
