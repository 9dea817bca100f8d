/* Addresses of guest code, told as places in the source. Private to the image (image.h). */
#ifndef FAULTLINE_SYMBOLS_H
#define FAULTLINE_SYMBOLS_H

#include <elfutils/libdw.h>
#include <libelf.h>
#include "image.h"

struct image_debug;

/* `elf` must outlive the result. Never fails: an image without DWARF has no places. */
struct image_debug *image_debug_new(Elf *elf);
void image_debug_free(struct image_debug *debug);
bool image_debug_symbol(const struct image_debug *debug, const char *name, uint64_t *address);
bool image_debug_source(struct image_debug *debug, uint64_t pc, struct source_place *place);
/* How to get from a function to its caller; NULL: the image does not say. */
Dwarf_CFI *image_debug_calls(struct image_debug *debug);

#endif
