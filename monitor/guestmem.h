/* Guest memory, reached through one bounds-checked function and no other way. */
#ifndef FAULTLINE_GUESTMEM_H
#define FAULTLINE_GUESTMEM_H

#include <glib.h>
#include <stddef.h>
#include <stdint.h>

struct guestmem;

/* Makes a RAM file of `size` bytes at `path` and maps it shared. */
struct guestmem *guestmem_create(const char *path, size_t size, GError **error);
/* Unmaps, and removes the file. */
void guestmem_free(struct guestmem *memory);
/* Zeroes all of it. */
void guestmem_clear(struct guestmem *memory);
const char *guestmem_path(const struct guestmem *memory);

/* The host address of `size` bytes at offset `offset` of guest RAM; NULL when any of it lies
 * outside or offset is not a multiple of `align`. What is found there was written by a guest that
 * may be out of its mind. */
void *guestmem_at(struct guestmem *memory, uint64_t offset, size_t size, size_t align);

#endif
