/* The driver: keeps guests busy with the plans of a strategy, judges every run, and hands it back,
 * in the order of the plans however many guests there are.
 */
#ifndef FAULTLINE_DRIVE_H
#define FAULTLINE_DRIVE_H

#include <glib.h>
#include <stdbool.h>
#include "capture.h"
#include "crew.h"
#include "depth.h"
#include "focus.h"
#include "session.h"
#include "standing.h"
#include "strategy.h"

enum drive_end {
    DRIVE_FINISHED, /* the strategy has nothing left to try */
    DRIVE_SPENT,    /* max_runs runs were made */
    DRIVE_STOPPED,  /* a callback said so */
    DRIVE_DIVERGED, /* a plan run twice gave two different runs: first and second */
    DRIVE_FAILED,   /* no guest can be had; the error says why */
};

/* A run that has come back. */
struct driven {
    uint64_t number; /* from 0 */
    const struct run_report *report;
    bool used; /* a search that is resumed must make this run again (strategy_ops.done) */
    /* Its packets can still be had. NULL: the run was recalled and not made. */
    const struct run *run;
    struct session *session;
};

struct drive {
    struct crew *crew;
    struct engine *engine;
    const struct fl_scenario *scenario;
    const struct strategy_ops *ops;
    struct strategy *strategy;
    struct depth **depths;     /* by depth, made when first needed; NULL: nobody wants places */
    bool accesses;             /* guests can tell them: depth insn makes use of them too */
    struct standing *standing; /* for ops->known; else NULL */
    struct focus *focus;       /* which of the places count; NULL: all */
    bool gives_up;             /* where threads give up are places, too (gives_up.h) */
    bool orders;               /* tell run_report.order, as for ops->steps */
    bool prefixes;             /* tell run_report.prefixes of runs of mode spans */
    unsigned depth;            /* of ops->steps, orders and prefixes */
    const struct relation *relation; /* of orders and prefixes; NULL: as it is */
    uint64_t max_runs;               /* 0: as many as the strategy wants */
    uint64_t twice_every; /* every so many-th plan is run twice and the runs compared; 0: never */

    /* What is known of a run from before, so that it need not be made; NULL: of none. */
    bool (*recall)(void *context, uint64_t number, struct verdict *verdict);
    /* A run is done and judged. false: enough. */
    bool (*on_run)(void *context, const struct driven *driven);
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
