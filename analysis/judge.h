/* The engine on a trace directory. */
#ifndef FAULTLINE_JUDGE_H
#define FAULTLINE_JUDGE_H

#include "engine.h"
#include "trace.h"

struct judged {
    struct trace_manifest manifest; /* holds the scenario that the verdict speaks of */
    bool has_manifest;
    struct ctf_damage damage;
    const struct verdict *verdict; /* valid until the engine's next run */
};

/* Reads whole packets as far as they are sound; what is missing makes the verdict inconclusive,
 * unless a check was violated before. false: nothing at all can be read. */
bool judge_trace(struct engine *engine, const char *dir, struct judged *judged, GError **error);

#endif
