/* Where the guest's kernel keeps what a debugger asks for, by names: from the image's DWARF. */
#ifndef FAULTLINE_GDB_LAYOUT_H
#define FAULTLINE_GDB_LAYOUT_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include "image.h"

struct layout;

/* NULL: the image has no DWARF, or none of a kernel. */
struct layout *layout_open(const struct image *image, GError **error);
void layout_close(struct layout *layout);

struct layout_array {
    uint64_t address, element, count; /* of an object that is no array: one element */
};
/* The kernel's variable of that name. */
bool layout_variable(struct layout *layout, const char *name, struct layout_array *array);

struct layout_field {
    uint64_t offset, size;
};
/* A field of the structure that the variable is, or is an array of. */
bool layout_field(struct layout *layout, const char *variable, const char *name,
                  struct layout_field *field);

/* The name of a value of the enumeration that the field is of; NULL: it has none. */
const char *layout_value_name(struct layout *layout, const char *variable, const char *field,
                              uint64_t value);

#endif
