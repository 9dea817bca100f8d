/* A search: runs of one variant until something is found, nothing is left, or the budget is spent;
 * then what was found is made as small as it gets.
 */
#ifndef FAULTLINE_EXPLORE_H
#define FAULTLINE_EXPLORE_H

#include <glib.h>
#include <stdbool.h>
#include "capture.h"
#include "certificate.h"
#include "crew.h"
#include "focus.h"
#include "journal.h"
#include "strategy.h"

struct explore_state { /* for a progress line */
    uint64_t runs;
    uint64_t resumed; /* of them, made by a search before this one */
    double seconds;
    double seconds_left; /* of the time budget; < 0: there is none */
    bool minimising;
    struct strategy_progress strategy;
};

struct explore_options {
    struct crew *crew;
    struct engine *engine;
    const struct fl_scenario *scenario;
    const struct image *image;  /* for the source lines of causes; NULL: program counters do */
    const struct fl_plan *base; /* scenario, variant, parameters, budget */
    const struct strategy_ops *strategy;
    unsigned depth;
    unsigned bound;
    unsigned without; /* strategy_config */
    unsigned fails;   /* kinds of failures that are searched with `strategy`'s plans; 0: none */
    uint64_t seed;
    uint64_t max_runs;               /* of this search, beside those resumed from; 0: no limit */
    double max_seconds;              /* 0: no limit */
    uint64_t twice_every;            /* drive.h */
    struct certificate *certificate; /* of what is searched; NULL: none. The caller's */
    struct focus *focus;             /* NULL: everywhere */
    struct journal *journal; /* where runs are remembered, and recalled from; NULL: nowhere */
    bool orders;             /* drive.h */
    bool prune;              /* strategy_config */
    bool gives_up;           /* drive.h */
    bool unqueued;           /* strategy_config */
    bool all;                /* go on after a finding; tell one finding of each cause */
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
    EXPLORE_INCONCLUSIVE, /* nothing left, but some runs could not be judged, or none had in it what
                             the variant is about */
    EXPLORE_ERROR,
};

struct finding {
    char check[48];
    uint64_t runs_to_find;
    double seconds_to_find;
    uint64_t runs_minimising;
    uint64_t count; /* runs found that have this cause, this one among them */
    char *cause;    /* check, and the places of the smallest plan: threads, points, source lines */
    struct capture *capture; /* the run that shows it; its plan lists every preemption */
};

struct explore_result {
    enum explore_verdict verdict;
    bool complete; /* the search came to its own end, whatever it found */
    uint64_t runs;
    uint64_t resumed;
    uint64_t inconclusive;
    uint64_t seen;                 /* events of the kind that the variant must see, in all runs */
    uint64_t distinct;             /* orders of dependent steps, where told; else event hashes */
    double seconds;                /* of the search, without the minimising */
    double seconds_resumed;        /* what the resumed runs had taken */
    size_t places[FL_DEPTH_NEVER]; /* of the default schedule, at each depth that was searched */
    struct strategy_progress reached;
    uint32_t left_out;              /* depth_left_out() */
    GPtrArray *findings;            /* of struct finding */
    uint64_t not_grouped;           /* violating runs whose cause was not looked into */
    char *error;                    /* EXPLORE_ERROR: one line */
    struct capture *first, *second; /* two runs of one plan that differ, or NULL */
};

/* NULL: the options are wrong. Free with explore_free. */
struct explore_result *explore(const struct explore_options *options, GError **error);
void explore_free(struct explore_result *result);

/* Whether the variant names an event that must be seen, and no run had one; of a search with
 * failures, whether nothing was refused. */
bool explore_saw_nothing(const struct explore_options *options,
                         const struct explore_result *result);

/* Runs one plan once. NULL: no guest can be had, or it was interrupted. */
struct capture *explore_once(const struct explore_options *options, const struct fl_plan *plan,
                             GError **error);

#endif
