/* Reading: from the page cache into memory of the client's that need not be there yet ("added
 * reading pages from the page cache into user buffer for sys_read", seed 004). Core faults for its
 * client.
 */
#ifndef FAULTLINE_CORE_VM_READ_H
#define FAULTLINE_CORE_VM_READ_H

#include <stdbool.h>
#include <stdint.h>
#include "domain.h"

struct vm_read {
    tid_t thread; /* whose memory it is */
    uint32_t descriptor;
    uint32_t buffer;
    uint32_t count, offset; /* in bytes */
};

/* A program's call: FL_ERROR_*, or RPC_WAITS. And one that has waited: answers it, or waits again.
 */
uint32_t vm_read_rpc(struct domain *domain, tid_t sender, uint32_t *words);
void vm_read_serve_again(const struct vm_read *read, bool arrived);

/* Policy (policy.h): the frame of the page that the thread has at the address, which core will
 * write to: made, if need be. Else VM_PAGE_COMES, or a negative FL_ERROR_* (vm_error.h). */
uint32_t vm_read_client_page(tid_t thread, uint32_t address);

#endif
