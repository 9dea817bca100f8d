#include "layout.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <libelf.h>
#include <string.h>
#include "gdb.h"

/* The kernel is compiled as one unit. Programs may use the same names, in units of their own; of a
 * name that all of the image can see there is one. */
#define NAME_OF_KERNEL "threads"

struct layout {
    Elf *elf;
    Dwarf *dwarf;
    Dwarf_Die unit; /* the kernel's */
};

void layout_close(struct layout *layout)
{
    if (layout == NULL)
        return;
    dwarf_end(layout->dwarf);
    elf_end(layout->elf);
    g_free(layout);
}

static bool address_of(Dwarf_Die *variable, uint64_t *address)
{
    Dwarf_Attribute attribute;
    Dwarf_Op *operations;
    size_t count;
    if (dwarf_attr(variable, DW_AT_location, &attribute) == NULL ||
        dwarf_getlocation(&attribute, &operations, &count) != 0 || count != 1 ||
        operations[0].atom != DW_OP_addr)
        return false;
    *address = operations[0].number;
    return true;
}

/* The definition of a variable; one that is declared before has its name there. */
static bool find(Dwarf_Die *unit, const char *name, Dwarf_Die *variable, uint64_t *address)
{
    if (dwarf_child(unit, variable) != 0)
        return false;
    do {
        Dwarf_Attribute attribute;
        const char *found =
            dwarf_formstring(dwarf_attr_integrate(variable, DW_AT_name, &attribute));
        if (dwarf_tag(variable) == DW_TAG_variable && found != NULL && strcmp(found, name) == 0 &&
            address_of(variable, address))
            return true;
    } while (dwarf_siblingof(variable, variable) == 0);
    return false;
}

static bool find_kernel(struct layout *layout, const struct image *image)
{
    Dwarf_CU *cu = NULL;
    Dwarf_Die variable;
    uint8_t kind;
    uint64_t address, wanted;
    if (!image_symbol(image, NAME_OF_KERNEL, &wanted))
        return false;
    while (dwarf_get_units(layout->dwarf, cu, &cu, NULL, &kind, &layout->unit, NULL) == 0)
        if (find(&layout->unit, NAME_OF_KERNEL, &variable, &address) && address == wanted)
            return true;
    return false;
}

struct layout *layout_open(const struct image *image, GError **error)
{
    struct layout *layout = g_new0(struct layout, 1);
    elf_version(EV_CURRENT);
    layout->elf = elf_memory((char *)image->data, image->size);
    layout->dwarf = layout->elf != NULL ? dwarf_begin_elf(layout->elf, DWARF_C_READ, NULL) : NULL;
    if (layout->dwarf != NULL && find_kernel(layout, image))
        return layout;
    g_set_error(error, GDB_ERROR, GDB_ERROR_UNABLE,
                "%s does not say where its kernel keeps threads: it was built without -g, or "
                "stripped",
                image->path);
    layout_close(layout);
    return NULL;
}

static bool type_of(Dwarf_Die *die, Dwarf_Die *type)
{
    Dwarf_Attribute attribute;
    return dwarf_formref_die(dwarf_attr_integrate(die, DW_AT_type, &attribute), type) != NULL &&
           dwarf_peel_type(type, type) == 0;
}

/* The type of its elements, of arrays of arrays the outer one's. */
static bool element_of(Dwarf_Die *type, struct layout_array *array, Dwarf_Die *element)
{
    Dwarf_Die range;
    Dwarf_Attribute attribute;
    Dwarf_Word whole, bound;
    if (dwarf_aggregate_size(type, &whole) != 0)
        return false;
    *element = *type;
    array->count = 1;
    if (dwarf_tag(type) == DW_TAG_array_type) {
        if (dwarf_child(type, &range) != 0 ||
            dwarf_formudata(dwarf_attr_integrate(&range, DW_AT_upper_bound, &attribute), &bound) !=
                0 ||
            !type_of(type, element))
            return false;
        array->count = bound + 1;
    }
    array->element = whole / array->count;
    return true;
}

static bool look_up(struct layout *layout, const char *name, struct layout_array *array,
                    Dwarf_Die *element)
{
    Dwarf_Die variable, type;
    return find(&layout->unit, name, &variable, &array->address) && type_of(&variable, &type) &&
           element_of(&type, array, element);
}

bool layout_variable(struct layout *layout, const char *name, struct layout_array *array)
{
    Dwarf_Die element;
    return look_up(layout, name, array, &element);
}

static bool member(struct layout *layout, const char *variable, const char *name, Dwarf_Die *die)
{
    struct layout_array array;
    Dwarf_Die structure;
    if (!look_up(layout, variable, &array, &structure) || dwarf_child(&structure, die) != 0)
        return false;
    do {
        const char *found = dwarf_diename(die);
        if (dwarf_tag(die) == DW_TAG_member && found != NULL && strcmp(found, name) == 0)
            return true;
    } while (dwarf_siblingof(die, die) == 0);
    return false;
}

bool layout_field(struct layout *layout, const char *variable, const char *name,
                  struct layout_field *field)
{
    Dwarf_Die die, type;
    Dwarf_Attribute attribute;
    Dwarf_Word offset, size;
    if (!member(layout, variable, name, &die) || !type_of(&die, &type) ||
        dwarf_formudata(dwarf_attr(&die, DW_AT_data_member_location, &attribute), &offset) != 0 ||
        dwarf_aggregate_size(&type, &size) != 0)
        return false;
    *field = (struct layout_field){offset, size};
    return true;
}

const char *layout_value_name(struct layout *layout, const char *variable, const char *field,
                              uint64_t value)
{
    Dwarf_Die die, type, name;
    if (!member(layout, variable, field, &die) || !type_of(&die, &type) ||
        dwarf_tag(&type) != DW_TAG_enumeration_type || dwarf_child(&type, &name) != 0)
        return NULL;
    do {
        Dwarf_Attribute attribute;
        Dwarf_Word number;
        if (dwarf_formudata(dwarf_attr(&name, DW_AT_const_value, &attribute), &number) == 0 &&
            number == value)
            return dwarf_diename(&name);
    } while (dwarf_siblingof(&name, &name) == 0);
    return NULL;
}
