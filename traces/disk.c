#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "disk.h"

static const char *remedy(int reason)
{
    switch (reason) {
    case ENOSPC:
    case EDQUOT:
        return "make room, or put the traces elsewhere";
    case EACCES:
    case EPERM:
    case EROFS:
        return "choose a directory that you may write to";
    case ENOENT:
    case ENOTDIR:
        return "check the path";
    case EMFILE:
    case ENFILE:
        return "raise the limit of open files (ulimit -n)";
    default:
        return "check the file system";
    }
}

bool disk_error(GError **error, const char *what, const char *path)
{
    int reason = errno;
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_IO, "cannot %s %s: %s; %s", what, path,
                g_strerror(reason), remedy(reason));
    return false;
}

bool disk_write_all(int file, const void *data, size_t size)
{
    for (const char *at = data; size > 0;) {
        ssize_t written = write(file, at, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return false;
        at += written;
        size -= (size_t)written;
    }
    return true;
}

/* A rename is on disk when its directory is. */
static bool sync_directory(const char *dir)
{
    int file = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (file < 0)
        return false;
    bool done = fsync(file) == 0;
    close(file);
    return done;
}

static bool write_file(const char *path, const char *data, size_t size)
{
    int file = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (file < 0)
        return false;
    bool done = disk_write_all(file, data, size) && fsync(file) == 0;
    int reason = errno;
    done = close(file) == 0 && done;
    if (!done) {
        unlink(path);
        errno = reason;
    }
    return done;
}

bool disk_replace(const char *dir, const char *name, const char *data, size_t size, GError **error)
{
    char *path = g_strconcat(dir, "/", name, NULL);
    char *temporary = g_strconcat(dir, "/.", name, ".tmp", NULL);
    bool done =
        write_file(temporary, data, size) && rename(temporary, path) == 0 && sync_directory(dir);
    if (!done)
        disk_error(error, "write", path);
    g_free(temporary);
    g_free(path);
    return done;
}
