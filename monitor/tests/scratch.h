/* A directory of a test's own, which is also the place for sessions. */
#ifndef FAULTLINE_TEST_SCRATCH_H
#define FAULTLINE_TEST_SCRATCH_H

#include <glib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>
#include "workdir.h"

#define SCRATCH_PLACE "/dev/shm"
#define SCRATCH_NAME  "faultline-test-"
#define SCRATCH_OLD_S 3600 /* no test takes so long */

/* Those of tests that were killed. One that is in use all the same has a session, and stays. */
static inline void sweep_old_scratch(void)
{
    GDir *place = g_dir_open(SCRATCH_PLACE, 0, NULL);
    const char *name;
    while (place != NULL && (name = g_dir_read_name(place)) != NULL) {
        g_autofree char *dir = g_build_filename(SCRATCH_PLACE, name, NULL);
        struct stat status;
        if (!g_str_has_prefix(name, SCRATCH_NAME) || stat(dir, &status) != 0 ||
            time(NULL) - status.st_mtime < SCRATCH_OLD_S)
            continue;
        g_setenv("XDG_RUNTIME_DIR", dir, TRUE);
        workdir_sweep();
        rmdir(dir);
    }
    if (place != NULL)
        g_dir_close(place);
}

static inline int make_scratch(void **state)
{
    sweep_old_scratch();
    char *dir = g_strdup(SCRATCH_PLACE "/" SCRATCH_NAME "XXXXXX");
    if (g_mkdtemp(dir) == NULL)
        return -1;
    g_setenv("XDG_RUNTIME_DIR", dir, TRUE);
    *state = dir;
    return 0;
}

/* Fails when anything was left in it. */
static inline int remove_scratch(void **state)
{
    int left = rmdir(*state);
    g_free(*state);
    return left;
}

#endif
