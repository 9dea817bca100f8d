/* Any bytes at all as a guest image, and as damage to a sound one, since chance finds no ELF file.
 */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "image.h"
#include "make_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void open_and_ask(const void *data, size_t size)
{
    static int file = -1;
    char path[64];
    if (file < 0)
        file = memfd_create("image", MFD_CLOEXEC);
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        return;
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    struct image *image = image_open(path, NULL);
    if (image == NULL)
        return;
    struct source_place place;
    for (uint64_t pc = 0; pc < 64; pc += 4)
        image_source(image, FL_CORE_BASE + pc, &place);
    image_close(image);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct made_image made = make_image();
    for (size_t i = 0; i < size && i < sizeof made; i++)
        ((uint8_t *)&made)[i] ^= data[i];
    open_and_ask(data, size);
    open_and_ask(&made, sizeof made);
    return 0;
}
