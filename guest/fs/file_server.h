/* A file server for scenarios: the main function of a domain, and what its files hold.
 *
 * Core asks it for pages when one of a mapped file is missing, and gives back those that were
 * written (Codezero's fs0). It may fault while it reads a page; while it looks a name up or takes a
 * page back core waits for its answer, so that it must not then ("prefaulting of fs0 to avoid page
 * fault deadlocks", seed 004). Here all its memory is mapped before it begins.
 *
 *   /one        a directory with the files `data` and `code`, a function that can be called
 *   /two        a directory with another file `data`, and `empty`, which has no page
 */
#ifndef FAULTLINE_FILE_SERVER_H
#define FAULTLINE_FILE_SERVER_H

#include <stdint.h>
#include "abi.h"
#include "vm.h"

#define FILE_PAGES 20u /* of each `data`: more than the 16 of Codezero's first fs0 */

/* vm_open once there is a server. One that does not come for so many turns has given up: NO_THREAD.
 */
#define FILE_TURNS 64u
SYS_ALWAYS_INLINE uint32_t file_open(const char *path, uint32_t *descriptor, uint32_t *size)
{
    uint32_t status = vm_open(path, descriptor, size);

    for (uint32_t turn = 0; status == FL_ERROR_NO_THREAD && turn < FILE_TURNS; turn++) {
        sys_yield();
        status = vm_open(path, descriptor, size);
    }
    return status;
}

#define FILE_CODE_RESULT 42u /* what the function in /one/code returns */

_Noreturn void file_server_main(void);
/* The same with something to be done once it is known as the server, and before each page that is
 * read: what makes a server one that faults. Either may be NULL. */
_Noreturn void file_server_run(void (*on_serving)(void), void (*on_read)(void));

/* The word with which page `page` of /one/data (which = 0) or /two/data (1) begins, before anybody
 * wrote there. */
static inline uint32_t file_word(uint32_t which, uint32_t page)
{
    return 0xf1000000u | which << 16 | page;
}

/* A directory is a file of these, each followed by the next at `length`; length 0: the end. */
struct directory_entry {
    uint32_t file;
    uint16_t length; /* of the whole entry; "u16 as expected by userspace", seed 004 */
    char name[10];
};

_Static_assert(sizeof(struct directory_entry) == 16, "directory_entry");
_Static_assert(offsetof(struct directory_entry, length) == 4, "directory_entry.length");

#endif
