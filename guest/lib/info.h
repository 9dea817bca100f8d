/* The info page, read-only at FL_INFO_BASE of every user address space: what this run is.
 * The kernel writes core's, core copies it for each domain. Guest-internal: not part of the ABI. */
#ifndef FAULTLINE_INFO_H
#define FAULTLINE_INFO_H

#include <stdint.h>
#include "abi.h"

/* Where a program's parts lie. Frames are frame numbers (sys.h). From the linker script. */
struct program_segments {
    uint32_t text_base, text_frame, text_pages; /* mapped r-x */
    uint32_t data_base, data_frame, data_pages; /* copied, mapped rw-; then ... */
    uint32_t bss_base, bss_pages;               /* zeroed, mapped rw- */
    uint32_t entry;
};

struct info {
    uint32_t scenario;
    uint32_t variant;
    uint32_t params[FL_MAX_PARAMS];
    uint32_t domain; /* index of this domain; of no meaning to core */
    uint32_t n_domains;
    uint32_t mains[FL_MAX_DOMAINS]; /* tid of each domain's main thread */
    /* core only: */
    uint32_t frames_first, frames_count; /* frames that core may hand out */
    struct program_segments program; /* of the scenario: each domain gets its own data and bss */
    uint32_t server_domains;         /* bit i: domain i's main thread is a server */
    uint32_t fails;                  /* mode fail of the plan, and its failures */
    uint32_t n_failures;
    struct fl_failure failures[FL_MAX_FAILURES];
};

static inline const struct info *info(void)
{
    return (const struct info *)FL_INFO_BASE;
}

#endif
