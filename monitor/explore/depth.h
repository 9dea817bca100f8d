/* Which places of a run a search uses, at its depth: what run_report.places holds.
 *
 * At every depth, in the order of the run and each (thread, n, k) once, only where somebody else
 * could run instead:
 *   ipc, sync   the entries (k = 0) of points of that depth
 *   access      those of sync, and the (n, k) of user instructions that touch memory which another
 *               thread also touches, one of the two writing, as far as is known by now (access.h)
 *   insn        every entry, and every (n, k) of user mode. The instruction that enters the kernel
 *               is the entry's place and no other. When accesses are told, spaces that have one
 * thread and no page in common with another space that either may write have those of depth access
 * only. (Those there may be since core sees every frame through a window.) A place at which an
 * interruption of the plan itself stopped the thread is none any more. A place with k >= 1 has
 * point FL_POINT_NONE, and as event the one that ended its span: it lies between the event before
 * and that one. Its pc is 0 where nobody has told it.
 *
 * So a strategy takes report.places as they are; strategy_place() is for the engine's own list.
 */
#ifndef FAULTLINE_DEPTH_H
#define FAULTLINE_DEPTH_H

#include <stdbool.h>
#include <stddef.h>
#include "access.h"
#include "engine.h"
#include "strategy.h"

struct depth;

/* Keeps what is learned from run to run: one for a whole search, however many guests it has, fed
 * with the runs in the order of their plans. Its memory is used again from run to run. */
struct depth *depth_new(unsigned depth);
void depth_free(struct depth *depth);

/* Plans need FL_MODE_SPANS in their mode (depths access and insn). */
bool depth_needs_spans(unsigned depth);
/* Sessions need the option `accesses` (depth access; insn makes use of it when it is there). */
bool depth_needs_accesses(unsigned depth);

/* Sets places, n_places, ready and generation of the report, of the run that `engine` has just
 * ended. log, n: session_accesses() of that run; NULL, 0: they are not told. Valid until the next
 * call, and as long as the engine's run. A run with accesses is learned from first: what it shows
 * new counts for itself already, and raises the generation. */
void depth_fill(struct depth *depth, const struct engine *engine, const struct access *log,
                size_t n, struct run_report *report);

/* Bit i: at depth insn, address space i (FL_SPACE_*) had the places of depth access only, in every
 * run so far in which it had a thread. */
uint32_t depth_left_out(const struct depth *depth);

/* Instructions that depth access knows to touch shared memory. */
size_t depth_instructions(const struct depth *depth);

#endif
