#include "objects.h"

#include <gelf.h>
#include <glib.h>
#include <string.h>
#include "image.h"

struct object {
    uint64_t address;
    uint64_t size;
    const char *name; /* in the file */
};

struct image_objects {
    GArray *objects; /* struct object, by address */
};

static int by_address(const void *a, const void *b)
{
    const struct object *x = a, *y = b;
    return x->address < y->address ? -1 : x->address > y->address;
}

static void add_symbols(GArray *objects, Elf *elf, Elf_Scn *scn, const GElf_Shdr *header)
{
    Elf_Data *data = elf_getdata(scn, NULL);
    const size_t count = header->sh_entsize ? header->sh_size / header->sh_entsize : 0;
    for (size_t i = 0; data != NULL && i < count; i++) {
        GElf_Sym symbol;
        if (gelf_getsym(data, (int)i, &symbol) == NULL ||
            GELF_ST_TYPE(symbol.st_info) != STT_OBJECT || symbol.st_size == 0)
            continue;
        const struct object object = {
            .address = symbol.st_value,
            .size = symbol.st_size,
            .name = elf_strptr(elf, header->sh_link, symbol.st_name),
        };
        if (object.name != NULL)
            g_array_append_val(objects, object);
    }
}

struct image_objects *image_objects_new(Elf *elf)
{
    struct image_objects *objects = g_new0(struct image_objects, 1);
    objects->objects = g_array_new(FALSE, FALSE, sizeof(struct object));
    for (Elf_Scn *scn = elf_nextscn(elf, NULL); scn != NULL; scn = elf_nextscn(elf, scn)) {
        GElf_Shdr header;
        if (gelf_getshdr(scn, &header) != NULL && header.sh_type == SHT_SYMTAB)
            add_symbols(objects->objects, elf, scn, &header);
    }
    g_array_sort(objects->objects, by_address);
    return objects;
}

void image_objects_free(struct image_objects *objects)
{
    if (objects == NULL)
        return;
    g_array_free(objects->objects, TRUE);
    g_free(objects);
}

static const struct object *find(const struct image_objects *objects, uint64_t address)
{
    guint from = 0, to = objects->objects->len;
    while (from < to) {
        const guint middle = from + (to - from) / 2;
        const struct object *object = &g_array_index(objects->objects, struct object, middle);
        if (address < object->address)
            to = middle;
        else if (address - object->address >= object->size)
            from = middle + 1;
        else
            return object;
    }
    return NULL;
}

/* The compiler gives static variables of functions a number ("alloc_lock.0"), which says nothing to
 * people. */
bool image_objects_name(const struct image_objects *objects, uint64_t address, char *name,
                        size_t size)
{
    const struct object *object = find(objects, address);
    if (object == NULL)
        return false;
    const int length = (int)strcspn(object->name, ".");
    const uint64_t offset = address - object->address;
    if (offset == 0)
        g_snprintf(name, size, "%.*s", length, object->name);
    else
        g_snprintf(name, size, "%.*s + %" G_GUINT64_FORMAT, length, object->name, offset);
    return true;
}

bool image_object(const struct image *image, uint64_t address, char *name, size_t size)
{
    return image_objects_name(image->objects, address, name, size);
}
