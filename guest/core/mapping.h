/* What core has mapped where, known both ways: what lies at an address, and where a frame is mapped
 * ("knowledge of the PTEs of physical pages in the pager (like reverse mapping in Linux)", seed
 * 004). Whatever core maps for a fault, it maps and takes away through here; what a domain was
 * loaded into only from when it is a task on.
 */
#ifndef FAULTLINE_CORE_MAPPING_H
#define FAULTLINE_CORE_MAPPING_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"

struct mapping {
    uint32_t page;  /* address / FL_PAGE_SIZE */
    uint32_t frame; /* 0: this entry of the table is free */
    uint16_t space;
    uint16_t rights;        /* FL_RIGHTS_* */
    uint16_t next;          /* link to the next of its hash chain; of the free ones */
    uint16_t next_of_frame; /* likewise, of those that map the frame */
};

/* Maps the page. false: the table is full, nothing is mapped. */
bool mapping_set(uint32_t space, uint32_t address, uint32_t frame, uint32_t rights);
/* The same for a page that is mapped already. */
bool mapping_note(uint32_t space, uint32_t address, uint32_t frame, uint32_t rights);
/* What is mapped at the address, or NULL. */
const struct mapping *mapping_at(uint32_t space, uint32_t address);
/* The first place where the frame is mapped, and each next; NULL: that was the last. */
const struct mapping *mapping_of_frame(uint32_t frame, const struct mapping *after);

/* The opposite of mapping_note: the pages stay mapped. */
void mapping_forget(uint32_t space, uint32_t address, uint32_t pages);
void mapping_take(uint32_t space, uint32_t address, uint32_t pages);
/* The pages that are mapped have these rights from now on. */
void mapping_protect(uint32_t space, uint32_t address, uint32_t pages, uint32_t rights);
/* Takes the frame out of every space. */
void mapping_take_frame(uint32_t frame);

uint32_t mappings_in_use(void);

#endif
