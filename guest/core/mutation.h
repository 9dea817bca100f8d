/* Lines of core broken on purpose, to see that the checks see it: guest/mutations/policies. Each is
 * the wrong version of an entry of struct core_policy. */
#ifndef FAULTLINE_CORE_MUTATION_H
#define FAULTLINE_CORE_MUTATION_H

#include "fault.h"
#include "vm_area.h"

uint32_t mutation_no_page(const struct vm_object *object, uint32_t page, const struct fault *fault);
uint32_t mutation_not_copied(struct vm_object *object, uint32_t page);
bool mutation_never_shadowed(const struct vm_object *object);
void mutation_not_counted(struct vm_object *object);
uint32_t mutation_all_rights(const struct vm_area *area, uint32_t page, bool write);
void mutation_still_mapped(const struct vm_area *area, uint32_t base, uint32_t pages);
void mutation_area_kept(struct vm_task *task);
void mutation_task_kept(struct domain *child);

#endif
