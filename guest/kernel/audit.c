/* Mode audit: whenever core is quiescent the monitor walks its objects (guest/abi/audit.def). */

#include "kernel.h"

/* Whether a thread waits for the answer to a fault or a call that this one has taken. */
static bool owes_answer(const struct thread *pager)
{
    for (uint32_t i = 0; i < threads_used(); i++) {
        const struct thread *thread = &threads[i];
        if (thread->state == THREAD_CALLING && thread->partner == pager) {
            return true;
        }
    }
    return false;
}

void audit(const struct thread *core)
{
    if (owes_answer(core)) {
        return;
    }
    struct fl_audit_result found = channel_audit(core);
    trace(FL_EVENT_AUDIT, core, 0, found.walked, found.differ);
    if (found.differ != 0) {
        trace(FL_EVENT_AUDIT_DIFFERS, core, (uint64_t)found.said << 32 | found.counted, found.what,
              found.which);
    }
}
