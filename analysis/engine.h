/* The engine: events in, verdict out. Fed by the live ring and by trace files alike.
 *
 * One engine serves any number of runs, one after another; nothing of a run survives engine_begin.
 * It costs tens of nanoseconds an event, since an exploration checks every run.
 */
#ifndef FAULTLINE_ENGINE_H
#define FAULTLINE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

struct engine;

enum verdict_kind { VERDICT_CLEAN, VERDICT_VIOLATION, VERDICT_INCONCLUSIVE };

struct violation {
    const struct check *check; /* check.h */
    uint64_t event;            /* index of the event in the run, from 0 */
    char message[240];
};

/* Clean = no check violated and the outcome as the scenario declares it. */
struct verdict {
    enum verdict_kind kind;
    uint32_t outcome; /* FL_OUTCOME_* */
    /* By event, ties by check id; the first is the one reported. Of each check its earliest. */
    const struct violation *violations;
    size_t n_violations;
    char reason[160]; /* why inconclusive, or why it would be if nothing were violated; else "" */
    uint64_t events;
    uint64_t event_hash; /* design: over thread path, event, point, label, region and page index */
};

/* A place at which this run could have been departed from. */
struct place {
    uint32_t thread; /* path */
    uint32_t n;
    uint32_t k;
    uint16_t point;
    uint16_t n_ready; /* threads that could run instead */
    uint32_t ready;   /* index of the first of them in engine_ready(), by ascending path */
    uint32_t pc;
    uint64_t event;
};

struct engine *engine_new(void);
void engine_free(struct engine *engine);

/* A new run. scenario may be NULL (halts and errors are not judged then); it must outlive the run.
 */
void engine_begin(struct engine *engine, const struct fl_scenario *scenario, unsigned variant);
void engine_events(struct engine *engine, const struct fl_event *events, size_t count);
/* Events were lost here, or the trace is damaged from here on: the verdict will be inconclusive
 * unless a check was violated before. To be said before the events that follow the loss. */
void engine_damage(struct engine *engine, const char *reason);
/* outcome: of the result; FL_OUTCOME_NONE: as the trace's run_end says. Valid until engine_begin.
 */
const struct verdict *engine_end(struct engine *engine, uint32_t outcome);

/* Valid from engine_end to engine_begin. Places of every depth, in the order of the run; those
 * with k >= 1 only where the plan interrupted, with point none. */
const struct place *engine_places(const struct engine *engine, size_t *count);
const uint32_t *engine_ready(const struct engine *engine);

#endif
