/* Page faults. */
#ifndef FAULTLINE_CORE_FAULT_H
#define FAULTLINE_CORE_FAULT_H

#include <stdint.h>
#include "domain.h"

/* Maps the page that a thread of the domain faulted on. FL_HALT_NONE: resolved; else why it cannot
 * be: the thread must be put on halt. */
uint32_t fault_resolve(const struct domain *domain, uint32_t address, uint32_t access);

#endif
