/* The format is cpio's "newc" (Linux, Documentation/driver-api/early-userspace/buffer-format.rst):
 * a header of 13 numbers of 8 hexadecimal digits, the name with its 0, the contents. Headers and
 * contents begin at multiples of 4; an entry called TRAILER!!! is the last. */
#include "initrd.h"

#include <stdint.h>
#include <string.h>

#define ALIGNMENT  4u
#define FILE_MODE  0100555u
#define LAST_ENTRY "TRAILER!!!"

enum header { MODE = 1, LINKS = 4, FILE_SIZE = 6, NAME_SIZE = 11, NUMBERS = 13 };

static void align(GByteArray *archive)
{
    static const uint8_t zeros[ALIGNMENT];
    g_byte_array_append(archive, zeros, -archive->len % ALIGNMENT);
}

static void add_entry(GByteArray *archive, const char *name, uint32_t mode, const char *data,
                      size_t size)
{
    const uint32_t header[NUMBERS] = {
        [MODE] = mode,
        [LINKS] = 1,
        [FILE_SIZE] = (uint32_t)size,
        [NAME_SIZE] = (uint32_t)strlen(name) + 1,
    };
    g_byte_array_append(archive, (const guint8 *)"070701", 6);
    for (size_t i = 0; i < NUMBERS; i++) {
        char digits[9];
        g_snprintf(digits, sizeof digits, "%08X", header[i]);
        g_byte_array_append(archive, (const guint8 *)digits, 8);
    }
    g_byte_array_append(archive, (const guint8 *)name, header[NAME_SIZE]);
    align(archive);
    g_byte_array_append(archive, (const guint8 *)data, header[FILE_SIZE]);
    align(archive);
}

bool initrd_write(const char *path, const struct initrd_file *files, size_t n, GError **error)
{
    g_autoptr(GByteArray) archive = g_byte_array_new();
    for (size_t i = 0; i < n; i++) {
        g_autofree char *data = NULL;
        gsize size;
        if (!g_file_get_contents(files[i].path, &data, &size, error))
            return false;
        add_entry(archive, files[i].name, FILE_MODE, data, size);
    }
    add_entry(archive, LAST_ENTRY, 0, "", 0);
    return g_file_set_contents(path, (const char *)archive->data, (gssize)archive->len, error);
}
