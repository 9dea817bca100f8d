/* What programs ask of core about vm areas, tasks and files: guest/lib/vm.h has the other side. */
#ifndef FAULTLINE_CORE_VM_RPC_H
#define FAULTLINE_CORE_VM_RPC_H

#include "domain.h"

/* Each takes what was asked from `words`, and leaves there what is answered. FL_ERROR_*. */
uint32_t vm_rpc_map(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_unmap(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_clone(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_exit(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_reap(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_shm_attach(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_message_page(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_open(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_close(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_serve_files(struct domain *domain, tid_t sender, uint32_t *words);
uint32_t vm_rpc_policy(struct domain *domain, tid_t sender, uint32_t *words);

/* Policy (policy.h). */
struct vm_object *vm_anonymous_object(struct vm_task *task, uint32_t pages);

#endif
