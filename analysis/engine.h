/* The engine: events in, verdict out. Fed by the live ring and by trace files alike.
 *
 * One engine serves any number of runs, one after another; nothing of a run survives engine_begin.
 * It costs tens of nanoseconds an event, since an exploration checks every run.
 */
#ifndef FAULTLINE_ENGINE_H
#define FAULTLINE_ENGINE_H

#include <glib.h>
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
    uint32_t seen;       /* of them, the event that the variant says its search must see */
    uint32_t refused;    /* of them, refusals that the plan listed */
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
    uint32_t
        goes_on; /* path of who runs if nobody else is chosen: the thread, unless it gives up */
    uint64_t event;
};

/* A stretch of user mode between two kernel entries of one thread: its places with k >= 1. Told by
 * the guest (event span) when the plan's mode has FL_MODE_SPANS. Nothing else runs meanwhile, so
 * the threads that could run instead are the same all along. */
struct span {
    uint32_t thread;       /* path */
    uint32_t n;            /* of the entry that it follows; 0: the thread's start */
    uint32_t k;            /* its first instruction, from 1 */
    uint32_t instructions; /* places k .. k + instructions - 1; the last is the one that enters the
                              kernel, unless an interruption ended the span */
    bool resumed;          /* an interruption stopped the thread before its first instruction: that
                              place is the interruption's */
    bool interrupted;      /* an interruption ended it */
    uint16_t space;
    uint16_t n_ready;
    uint32_t ready; /* index in engine_ready(), as of a place */
    uint64_t event; /* of the entry or interruption that ended it */
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

/* Where the run stands now: two runs with one number are judged alike from here on if they go on
 * alike (fingerprint.h). */
uint64_t engine_fingerprint(struct engine *engine);

/* Appends the paths of a set of thread numbers, as they are now, ascending, but for one; how many.
 */
uint16_t engine_threads(const struct engine *engine, uint64_t set, uint32_t but, GArray *paths);

/* Valid from engine_end to engine_begin. Places of every depth, in the order of the run; those
 * with k >= 1 only where the plan interrupted, with point none. */
const struct place *engine_places(const struct engine *engine, size_t *count);
const uint32_t *engine_ready(const struct engine *engine);
/* In the order of the run; the i-th belongs to the i-th entry or interruption. */
const struct span *engine_spans(const struct engine *engine, size_t *count);

/* From its span-th span on a frame of guest RAM is other memory than before: nobody had it mapped.
 * In the order of the run. */
struct frame_life {
    uint32_t frame;
    uint32_t span;
};
const struct frame_life *engine_frame_lives(const struct engine *engine, size_t *count);
/* A thread was made, after the span-th span ended, by core, which took the request for it when
 * `request` spans had ended (0: core did so unasked, at the beginning). In the order of the run. */
struct thread_birth {
    uint32_t thread; /* path */
    uint32_t request;
    uint32_t span;
};
const struct thread_birth *engine_births(const struct engine *engine, size_t *count);
/* Bit i: address space i had one thread in all the run, and no page in common with another space
 * that either may write, as far as events of mapping tell (core's window on the pool has none). */
uint32_t engine_lone_spaces(const struct engine *engine);

#endif
