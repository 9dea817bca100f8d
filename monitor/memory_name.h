/* What a physical address of a run is called: for people who read about accesses. */
#ifndef FAULTLINE_MEMORY_NAME_H
#define FAULTLINE_MEMORY_NAME_H

#include <stddef.h>
#include "abi.h"
#include "subject.h"

/* "list_lock", "slots_taken + 4", "slot 1 + 0xfff8, a stack", "message page 2", or the bare
 * address. The events say which page of a program lies in which frame. */
void memory_name(const struct subject *subject, const struct fl_event *events, size_t n_events,
                 uint32_t physical, char *name, size_t size);

#endif
