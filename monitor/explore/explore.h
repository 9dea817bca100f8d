/* A search: runs of one variant until something is found, nothing is left, or the budget is spent;
 * then what was found is made as small as it gets.
 */
#ifndef FAULTLINE_EXPLORE_H
#define FAULTLINE_EXPLORE_H

#include <glib.h>
#include <stdbool.h>
#include "capture.h"
#include "session.h"
#include "strategy.h"

struct explore_state { /* for a progress line */
    uint64_t runs;
    double seconds;
    double seconds_left; /* of the time budget; < 0: there is none */
    bool minimising;
    struct strategy_progress strategy;
};

struct explore_options {
    struct session *session;
    struct engine *engine;
    const struct fl_scenario *scenario;
    const struct fl_plan *base; /* scenario, variant, parameters, budget */
    const struct strategy_ops *strategy;
    unsigned depth;
    unsigned bound;
    uint64_t seed;
    uint64_t max_runs;    /* 0: no limit */
    double max_seconds;   /* 0: no limit */
    uint64_t twice_every; /* drive.h */
    bool all;             /* go on after a finding; keep the first of each check */
    bool minimise;
    bool (*interrupted)(void);
    void (*progress)(void *context, const struct explore_state *state);
    void *context;
};

enum explore_verdict {
    EXPLORE_FOUND,
    EXPLORE_NOTHING_LEFT,
    EXPLORE_BUDGET_SPENT,
    EXPLORE_INTERRUPTED,
    EXPLORE_INCONCLUSIVE, /* nothing left, but some runs could not be judged */
    EXPLORE_ERROR,
};

struct finding {
    char check[48];
    uint64_t runs_to_find;
    double seconds_to_find;
    uint64_t runs_minimising;
    struct capture *capture; /* the run that shows it; its plan lists every preemption */
};

struct explore_result {
    enum explore_verdict verdict;
    uint64_t runs;
    uint64_t inconclusive;
    uint64_t distinct;              /* event hashes */
    double seconds;                 /* of the search, without the minimising */
    size_t places;                  /* of the default schedule, at the search's depth */
    unsigned bound;                 /* reached */
    GPtrArray *findings;            /* of struct finding */
    char *error;                    /* EXPLORE_ERROR: one line */
    struct capture *first, *second; /* two runs of one plan that differ, or NULL */
};

/* NULL: the options are wrong. Free with explore_free. */
struct explore_result *explore(const struct explore_options *options, GError **error);
void explore_free(struct explore_result *result);

/* Runs one plan once. NULL: no guest can be had, or it was interrupted. */
struct capture *explore_once(const struct explore_options *options, const struct fl_plan *plan,
                             GError **error);

#endif
