/* Pages on their way from the file server, and the faults and calls that wait for them meanwhile.
 *
 * Core itself never waits for a page: a thread of its own asks the server, one page after another,
 * and sends a message when one has come. What touches core's tables is core's main thread alone.
 */
#ifndef FAULTLINE_CORE_PAGE_IN_H
#define FAULTLINE_CORE_PAGE_IN_H

#include <stdbool.h>
#include "fault.h"
#include "vm_object.h"
#include "vm_read.h"

/* Starts the thread that asks. false: no memory. */
bool page_in_start(void);
/* Is this who says that a page has arrived? */
bool page_in_is(tid_t sender);

/* Policies (policy.h), each for a page that a file does not own: VM_PAGE_COMES, and page_in_wait is
 * to follow; or a frame, or 0. The first finds out whether the page is on its way; the second does
 * not; the third waits for the server. */
uint32_t page_in_fetch(struct vm_object *file, uint32_t page);
uint32_t page_in_fetch_unseen(struct vm_object *file, uint32_t page);
uint32_t page_in_fetch_waiting(struct vm_object *file, uint32_t page);

/* Puts the fault, or the call, aside until the page comes that was fetched last. */
void page_in_wait_fault(const struct fault *fault);
void page_in_wait_read(const struct vm_read *read);
/* It has come; or there is no such page. Serves who waits for it. */
void page_in_arrived(bool good);

/* Policy: what has come becomes the file's. */
void page_in_own(struct vm_object *file, uint32_t page, uint32_t frame);

#endif
