/* Data of the guest's programs by name, from the image's symbol table. Private to the image
 * (image.h). */
#ifndef FAULTLINE_OBJECTS_H
#define FAULTLINE_OBJECTS_H

#include <libelf.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct image_objects;

/* Never fails: an image without symbols has no objects. */
struct image_objects *image_objects_new(Elf *elf);
void image_objects_free(struct image_objects *objects);
bool image_objects_name(const struct image_objects *objects, uint64_t address, char *name,
                        size_t size);

#endif
