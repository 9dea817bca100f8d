/* Faults in vm areas: which page is seen, and with what rights. */
#ifndef FAULTLINE_CORE_VM_FAULT_H
#define FAULTLINE_CORE_VM_FAULT_H

#include <stdint.h>
#include "fault.h"
#include "vm_area.h"

/* What comes of it: fault.h. */
uint32_t vm_fault_resolve(struct vm_area *area, const struct fault *fault);

/* Policies of core, each the right one (policy.h): the page of the area for a reader; for a writer
 * where all see what he writes; whether an object needs nothing any more of the one behind it; how
 * that is taken out of the chain. Pages are frames, or a negative
 * FL_ERROR_* (vm_error.h). */
uint32_t vm_fault_read(const struct vm_area *area, uint32_t page);
uint32_t vm_fault_write_shared(struct vm_area *area, uint32_t page);
bool vm_fault_covers(const struct vm_object *front, const struct vm_object *behind);
void vm_fault_bypass(struct vm_object *front, struct vm_object *behind);
uint32_t vm_fault_zero_page(struct vm_object *devzero);

/* What the page that was found may be mapped with. A policy, too. */
uint32_t vm_fault_rights(const struct vm_area *area, uint32_t page, bool write);

/* Policy: what the front object has of the page that this fault writes to. 0: nothing. */
uint32_t vm_fault_front_page(const struct vm_object *object, uint32_t page,
                             const struct fault *fault);

/* An own copy of what is behind the object. */
uint32_t vm_fault_copy(struct vm_object *object, uint32_t page);

#endif
