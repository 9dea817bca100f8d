/* Numbered trace directories, each used by one process at a time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include "disk.h"

/* The highest number in use after `prefix`, or 0. */
static unsigned highest_number(const char *root, const char *prefix)
{
    unsigned highest = 0;
    GDir *dir = g_dir_open(root, 0, NULL);
    for (const char *name; dir && (name = g_dir_read_name(dir));) {
        guint64 number;
        if (g_str_has_prefix(name, prefix) &&
            g_ascii_string_to_unsigned(name + strlen(prefix), 10, 1, 99999999, &number, NULL))
            highest = MAX(highest, (unsigned)number);
    }
    if (dir)
        g_dir_close(dir);
    return highest;
}

/* Names come from a guest image and become part of a path. */
static bool plain_name(const char *name)
{
    return *name && !strchr(name, '/') && *name != '.';
}

char *rundir_create(const char *root, const char *scenario, const char *variant, GError **error)
{
    if (!plain_name(scenario) || !plain_name(variant)) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                    "no directory can be named after scenario '%s', variant '%s'; rename them",
                    scenario, variant);
        return NULL;
    }
    if (g_mkdir_with_parents(root, 0777) != 0) {
        disk_error(error, "make", root);
        return NULL;
    }
    char *prefix = g_strdup_printf("%s-%s-", scenario, variant);
    char *path = NULL;
    /* Whoever makes a directory owns its number; mkdir decides between monitors. */
    for (unsigned number = highest_number(root, prefix) + 1;; number++) {
        path = g_strdup_printf("%s/%s%04u", root, prefix, number);
        if (mkdir(path, 0777) == 0)
            break;
        bool taken = errno == EEXIST;
        if (!taken)
            disk_error(error, "make", path);
        g_clear_pointer(&path, g_free);
        if (!taken)
            break;
    }
    g_free(prefix);
    return path;
}

/* The directory itself is locked: no lock file is ever left behind, and the kernel releases the
 * lock of a process that is killed (flock(2)). */
int rundir_lock(const char *dir, GError **error)
{
    int lock = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (lock >= 0 && flock(lock, LOCK_EX | LOCK_NB) == 0)
        return lock;
    if (lock >= 0 && errno == EWOULDBLOCK)
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_BUSY,
                    "%s is in use by another monitor; wait for its end or choose another directory",
                    dir);
    else
        disk_error(error, lock < 0 ? "open" : "lock", dir);
    if (lock >= 0)
        close(lock);
    return -1;
}

void rundir_unlock(int lock)
{
    close(lock);
}

bool rundir_write(const char *dir, const char *name, const char *text, GError **error)
{
    return disk_replace(dir, name, text, strlen(text), error);
}
