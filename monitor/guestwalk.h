/* A guest's virtual memory, read through its own page tables while it stands still. */
#ifndef FAULTLINE_GUESTWALK_H
#define FAULTLINE_GUESTWALK_H

#include <stdint.h>
#include "guestmem.h"

struct guestwalk_format;

/* One walk. What it has looked up it keeps: another standstill needs another walk. */
struct guestwalk {
    struct guestmem *memory;
    const struct guestwalk_format *format;
    uint64_t table; /* physical address of the top table */
    uint64_t page;  /* looked up last */
    const uint8_t *at;
};

/* arch: FL_ARCH_*, whose tables they are. */
struct guestwalk guestwalk_begin(struct guestmem *memory, uint32_t arch, uint64_t table);

/* The host address of `size` bytes, not more than a page, at a virtual address of the guest. NULL:
 * not mapped, mapped to what is no RAM, or across the end of a page. */
const void *guestwalk_at(struct guestwalk *walk, uint64_t address, size_t size);

#endif
