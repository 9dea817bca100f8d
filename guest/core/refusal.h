/* Refusals: what the plan of the run has core not hand out (mode fail, guest/abi/README.md), and
 * what core has in use, for a check to see that an operation that failed left nothing behind.
 *
 * Frames and entries of tables are counted from when core serves: what it is made of is not
 * refused.
 */
#ifndef FAULTLINE_CORE_REFUSAL_H
#define FAULTLINE_CORE_REFUSAL_H

#include <stdbool.h>
#include <stdint.h>

/* Core serves from now on. */
void refusals_begin(void);

/* Core's own copy of the mode: the info page would be one page more to touch in each of its turns.
 */
extern bool refusals_on;

/* Something of this kind is asked for: FL_FAIL_FRAME, FL_FAIL_SLAB. true: it is not to be had. */
bool refusal_is_due(uint32_t kind);

static inline bool refused(uint32_t kind)
{
    return refusals_on && refusal_is_due(kind);
}

/* An operation begins: what it does not do it must undo. Becoming a task is an operation of its own
 * (vm_task.c). */
void totals_note(void);
/* It failed. */
void totals_tell(void);

#endif
