/* plugin/lttng.so: makes and ends a session of LTTng (liblttng-ctl), and its daemon where there is
 * none. The monitor itself does not need that library. */
#ifndef FAULTLINE_LTTNG_CONTROL_H
#define FAULTLINE_LTTNG_CONTROL_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

#define LTTNG_ERROR (g_quark_from_static_string("faultline-lttng"))
enum lttng_error { LTTNG_ERROR_FAILED };

struct lttng_control {
    /* A session that writes below `directory` (absolute), with the events of the provider and,
     * unless `kernel` is NULL, those events of the kernel, separated by commas. It is recording
     * when this returns true; after false nothing is left of it. Before the provider is loaded. */
    bool (*begin)(const char *directory, const char *kernel, GError **error);
    /* Lets what was recorded so far reach the disk, and goes on. */
    bool (*flush)(GError **error);
    /* Ends the session, and the daemon if begin started it. *lost: events that found no room. */
    bool (*end)(uint64_t *lost, GError **error);
    /* Removes the directory. */
    void (*discard)(const char *directory);
};

#define LTTNG_CONTROL_SYMBOL "faultline_lttng_control"

#endif
