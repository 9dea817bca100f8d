/* The lane that a test with a guest runs on: a back end and the image that it runs. By
 * FAULTLINE_BACKEND=ID; without it the default back end (lane_name). */
#ifndef FAULTLINE_TESTS_LANE_H
#define FAULTLINE_TESTS_LANE_H

#include <stdio.h>
#include <stdlib.h>
#include "session.h"

/* Options of a session there, of which the caller may set more. Never comes back without: a lane
 * that is not there fails the test. The image is the caller's to close. */
static inline struct session_options lane_open(const char *id)
{
    GError *error = NULL;
    struct session_options options = {.backend = backend_find(id)};
    if (options.backend == NULL) {
        fprintf(stderr, "there is no back end \"%s\"\n", id);
        exit(2);
    }
    char *path = g_strdup_printf("build/guest/%s.elf", options.backend->arch);
    options.image = image_open(path, &error);
    g_free(path);
    if (options.image == NULL) {
        fprintf(stderr, "%s\n", error->message);
        exit(2);
    }
    return options;
}

static inline const char *lane_name(void)
{
    const char *name = g_getenv("FAULTLINE_BACKEND");
    return name != NULL ? name : backends[0]->id;
}

#endif
