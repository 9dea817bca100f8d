/* An initial file system for Linux, from files of this machine. Private to the back ends. */
#ifndef FAULTLINE_BACKEND_INITRD_H
#define FAULTLINE_BACKEND_INITRD_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>

struct initrd_file {
    const char *name; /* in the root directory */
    char *path;       /* where its contents are */
};

bool initrd_write(const char *path, const struct initrd_file *files, size_t n, GError **error);

#endif
