/* The driver: keeps a session busy with the plans of a strategy, judges every run, and hands it
 * back.
 */
#ifndef FAULTLINE_DRIVE_H
#define FAULTLINE_DRIVE_H

#include <glib.h>
#include <stdbool.h>
#include "capture.h"
#include "session.h"
#include "strategy.h"

enum drive_end {
    DRIVE_FINISHED, /* the strategy has nothing left to try */
    DRIVE_SPENT,    /* max_runs runs were made */
    DRIVE_STOPPED,  /* a callback said so */
    DRIVE_DIVERGED, /* a plan run twice gave two different runs: first and second */
    DRIVE_FAILED,   /* no guest can be had; the error says why */
};

struct drive {
    struct session *session;
    struct engine *engine;
    const struct fl_scenario *scenario;
    const struct strategy_ops *ops;
    struct strategy *strategy;
    uint64_t max_runs;    /* 0: as many as the strategy wants */
    uint64_t twice_every; /* every so many-th plan is run twice and the runs compared; 0: never */

    /* A run is done and judged; its packets can still be had. false: enough. */
    bool (*on_run)(void *context, const struct run_report *report, const struct run *run);
    /* Called while waiting, several times a second. false: enough. */
    bool (*on_wait)(void *context);
    void *context;

    /* Set at DRIVE_DIVERGED, else NULL; capture_free is for the caller. */
    struct capture *first;
    struct capture *second;
};

/* Leaves nothing in flight. */
enum drive_end drive_run(struct drive *drive, GError **error);

#endif
