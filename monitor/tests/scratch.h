/* A directory of a test's own, which is also the place for sessions. */
#ifndef FAULTLINE_TEST_SCRATCH_H
#define FAULTLINE_TEST_SCRATCH_H

#include <glib.h>
#include <unistd.h>

static inline int make_scratch(void **state)
{
    char *dir = g_strdup("/dev/shm/faultline-test-XXXXXX");
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
