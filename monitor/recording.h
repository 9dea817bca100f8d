/* A trace directory as a whole: what was run, what happened, and how far it can be trusted. */
#ifndef FAULTLINE_RECORDING_H
#define FAULTLINE_RECORDING_H

#include <glib.h>
#include "engine.h"
#include "trace.h"

struct recording {
    struct trace_manifest manifest;
    unsigned variant;
    uint32_t outcome; /* of a run that was cut short, which stands in no event; else _NONE */
    GArray *events;   /* of struct fl_event */
    char damage[160]; /* "" when the trace is whole */
};

/* NULL when nothing can be read. A run that was cut short before the guest had closed a packet has
 * a trace without events: that is one that can be read. */
struct recording *recording_read(const char *trace, GError **error);
void recording_free(struct recording *recording);

/* Valid until the engine's next run. */
const struct verdict *recording_judge(const struct recording *recording, struct engine *engine);

#endif
