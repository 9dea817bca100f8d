/* Files of a trace directory: whole or not at all, and errors that say how to mend them. Internal
 * to traces/. */
#ifndef FAULTLINE_DISK_H
#define FAULTLINE_DISK_H

#include "trace.h"

/* Sets *error from errno: "cannot <what> <path>: <why>; <how to mend it>". Returns false. */
bool disk_error(GError **error, const char *what, const char *path);

/* Writes `size` bytes at the file's position, in as many pieces as it takes; false: errno. */
bool disk_write_all(int file, const void *data, size_t size);

/* Replaces `dir`/`name` as a whole: temporary file, fsync, rename. The temporary's name begins with
 * a dot, so that readers of CTF pass over it, and is always the same, so that one left behind by a
 * process that was killed is used up by the next. */
bool disk_replace(const char *dir, const char *name, const char *data, size_t size, GError **error);

#endif
