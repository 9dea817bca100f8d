/* Any bytes at all as a guest image, and any address in what is accepted. */
#include <stdio.h>
#include <sys/mman.h>
#include <unistd.h>
#include "image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static int file = -1;
    char path[64];
    if (file < 0)
        file = memfd_create("image", MFD_CLOEXEC);
    if (ftruncate(file, 0) != 0 || pwrite(file, data, size, 0) != (ssize_t)size)
        return 0;
    g_snprintf(path, sizeof path, "/proc/self/fd/%d", file);
    struct image *image = image_open(path, NULL);
    if (image == NULL)
        return 0;
    struct source_place place;
    for (uint64_t pc = 0; pc < 64; pc += 4)
        image_source(image, FL_CORE_BASE + pc, &place);
    image_close(image);
    return 0;
}
