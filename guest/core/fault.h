/* Page faults: from a thread's message to its answer, now or when its page has come. */
#ifndef FAULTLINE_CORE_FAULT_H
#define FAULTLINE_CORE_FAULT_H

#include <stdbool.h>
#include <stdint.h>
#include "domain.h"

struct fault {
    tid_t thread;
    uint32_t address;
    uint32_t access; /* FL_ACCESS_* */
    uint32_t rights; /* with which the page was mapped when the fault was raised; may be stale */
};

/* What comes of a fault: FL_HALT_NONE, its page is mapped; why there is none to be; or: */
#define FAULT_WAITS UINT32_MAX /* for the page that page_in.h fetched last */

/* What a mapping must allow for the access. */
uint32_t fault_rights(uint32_t access);

/* Serves the fault that a thread's message tells of. true: it is resolved and the answer is due;
 * else it waits, or its thread is on halt. */
bool fault_serve(const struct fault *fault);
/* Serves a fault that has waited, and answers it itself; `arrived`: its page has come. */
void fault_serve_again(const struct fault *fault, bool arrived);

/* Core faults for its client: the page that the client would touch is made to be there, as its own
 * fault would do it, but nobody is halted. FL_ERROR_OK, NO_REGION, NO_RIGHTS, NO_MEMORY; or
 * FAULT_WAITS. */
uint32_t fault_for_client(const struct domain *domain, const struct fault *fault);

/* Policies (policy.h): is the page mapped by now, with rights that do? What comes of a fault where
 * there is nothing? */
bool fault_is_duplicate(const struct fault *fault, uint32_t space);
uint32_t fault_outside(const struct fault *fault);

#endif
