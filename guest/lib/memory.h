/* The memory primitives of crt0.S; the compiler calls them too. */
#ifndef FAULTLINE_MEMORY_H
#define FAULTLINE_MEMORY_H

#include <stddef.h>

void *memset(void *to, int byte, size_t size);
void *memcpy(void *restrict to, const void *restrict from, size_t size);

#endif
