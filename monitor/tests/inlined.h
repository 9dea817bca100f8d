/* A function in a header, always inlined, as system call stubs are. */
#ifndef FAULTLINE_TEST_INLINED_H
#define FAULTLINE_TEST_INLINED_H

#include <stdint.h>

static inline __attribute__((always_inline)) uint64_t inlined_address(void)
{
    uint64_t here;
    __asm__ volatile("1: leaq 1b(%%rip), %0" : "=r"(here));
    return here;
}

#endif
