#include "guestmem.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

struct guestmem {
    char *path;
    uint8_t *base;
    size_t size;
};

static struct guestmem *fail(struct guestmem *memory, int fd, int code, GError **error)
{
    const char *mend = "";
    if (code == ENOSPC || code == EDQUOT)
        mend = "; make room there, or set XDG_RUNTIME_DIR to a directory with room";
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
                "cannot make %zu KiB of guest RAM at %s: %s%s", memory->size >> 10, memory->path,
                g_strerror(code), mend);
    if (fd >= 0) {
        close(fd);
        unlink(memory->path);
    }
    g_free(memory->path);
    g_free(memory);
    return NULL;
}

struct guestmem *guestmem_create(const char *path, size_t size, GError **error)
{
    struct guestmem *memory = g_new0(struct guestmem, 1);
    memory->path = g_strdup(path);
    memory->size = size;
    /* O_EXCL: a file that is there belongs to another guest, alive or not. */
    int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return fail(memory, fd, errno, error);
    if (ftruncate(fd, (off_t)size) != 0)
        return fail(memory, fd, errno, error);
    /* A sparse file on a full file system ends the process by SIGBUS at the first touch: ask now.
     */
    int code = posix_fallocate(fd, 0, (off_t)size);
    if (code != 0)
        return fail(memory, fd, code, error);
    void *base = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    if (base == MAP_FAILED)
        return fail(memory, fd, errno, error);
    close(fd);
    memory->base = base;
    return memory;
}

void guestmem_free(struct guestmem *memory)
{
    if (memory == NULL)
        return;
    munmap(memory->base, memory->size);
    unlink(memory->path);
    g_free(memory->path);
    g_free(memory);
}

void guestmem_clear(struct guestmem *memory)
{
    memset(memory->base, 0, memory->size);
}

const char *guestmem_path(const struct guestmem *memory)
{
    return memory->path;
}

void *guestmem_at(struct guestmem *memory, uint64_t offset, size_t size, size_t align)
{
    g_assert(align != 0);
    if (offset > memory->size || size > memory->size - offset || offset % align != 0)
        return NULL;
    return memory->base + offset;
}
