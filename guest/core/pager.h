/* Pagers other than core: threads of programs, which have faults of others sent to them and resolve
 * them with pages of their own (guest/lib/core.h). */
#ifndef FAULTLINE_CORE_PAGER_H
#define FAULTLINE_CORE_PAGER_H

#include <stdbool.h>
#include "domain.h"

/* As in rpc.h. */
uint32_t pager_rpc_set(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t pager_rpc_lend(struct domain *domain, tid_t sender, uint32_t *words);

/* Policy (policy.h): nothing is mapped there. */
bool pager_may_lend(uint32_t space, uint32_t address);

#endif
