/* --lttng DIRECTORY: what the monitor does, recorded by LTTng beside a copy of the guest's events
 * on the same clock, so that one listing shows both (traces/FORMAT.md, Host and guest in one
 * listing).
 *
 * Everything of LTTng lies in two plugins that are loaded when it is asked for. Without, a monitor
 * has nothing of it but the pointer below, which is NULL.
 */
#ifndef FAULTLINE_HOST_TRACE_H
#define FAULTLINE_HOST_TRACE_H

#include <glib.h>
#include <stdbool.h>
#include "lttng/host_events.h"
#include "timeline.h"

struct host_trace_options {
    char *directory;
    char *kernel;
};

#define HOST_TRACE_ENTRIES(options)                                                                \
    {"lttng",                                                                                      \
     0,                                                                                            \
     0,                                                                                            \
     G_OPTION_ARG_FILENAME,                                                                        \
     &(options)->directory,                                                                        \
     "record what host and guest do in one timeline there, by LTTng",                              \
     "DIR"},                                                                                       \
    {                                                                                              \
        "lttng-kernel", 0, 0, G_OPTION_ARG_STRING, &(options)->kernel,                             \
            "with these events of the host's kernel, for example 'kvm_*,sched_switch'", "EVENTS"   \
    }

/* Where the monitor's events go; NULL: nowhere. */
extern const struct host_events *host_events;

/* Begins if it was asked for. Afterwards host_trace_end is due, also when this failed. */
bool host_trace_begin(const struct host_trace_options *options, const char *verb,
                      const char *subject, GError **error);
/* Ends it, says on stderr where it is and what is missing from it, and frees the options. The exit
 * code: `status`, or EXIT_ERROR when there is nothing where there should be. */
int host_trace_end(struct host_trace_options *options, const char *who, int status);

/* Whether the plugins were built. */
bool host_trace_available(void);
/* Loads the provider alone: its events go where a session of LTTng wants them, or nowhere. */
bool host_trace_load(GError **error);

/* A number for the next session, from 1. */
unsigned host_trace_guest(void);
/* Nanoseconds since the begin, on the clock of LTTng. */
uint64_t host_trace_now(void);
/* Where a session's events go. NULL: nowhere, the host's alone are wanted or it cannot be made. */
struct timeline *host_trace_timeline(unsigned guest, const struct fl_scenario *scenario);
/* Whether so many more bytes of guest events may be kept; once it says no it goes on to. *first: it
 * says so for the first time. */
bool host_trace_room(size_t bytes, bool *first);

#endif
