/* A strategy chooses the next plan. One file each, listed in strategies[].
 *
 * The driver (explore.h) asks for plans while the guest has room, hands back every run in the order
 * in which the plans were given out, and stops when the strategy is finished and nothing is in
 * flight. A plan's `depth` says which places its report shall hold; a strategy that wants those
 * with k >= 1 sets FL_MODE_SPANS in its mode.
 */
#ifndef FAULTLINE_STRATEGY_H
#define FAULTLINE_STRATEGY_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "depend.h"
#include "engine.h"
#include "state.h"

struct strategy_ops;

struct strategy_config {
    const struct fl_scenario *scenario;
    struct fl_plan base; /* scenario, variant, parameters, budget: what every plan shares */
    unsigned depth;      /* FL_DEPTH_* */
    unsigned bound;      /* largest number of preemptions */
    /* dfs: every plan with fewer preemptions than this, all at places of that depth, has been run
     * before and need not be run for itself. */
    unsigned searched[FL_DEPTH_NEVER];
    unsigned without; /* auto: depths that it must do without, as bits */
    bool prune;       /* dfs: choices at places that stand for places met before are left out */
    bool unqueued;    /* dpor: nobody queues up with core */
    uint64_t seed;
    uint64_t max_runs;           /* random: how many; 0: the strategy's own end */
    const struct fl_plan *given; /* replay, minimise: the plan to start from */
    const char *check;           /* minimise: id of the check that must stay violated */
    unsigned times;              /* replay: how often */
    unsigned fails;              /* fail: kinds, as bits; and with whose plans */
    const struct strategy_ops *inner;
    const struct relation *relation; /* dpor: what depends on what; NULL: as it is */
};

/* A run as a sequence of transitions (depend.h). */
struct run_steps {
    const struct transition *transitions;
    size_t n;
    struct footprint *(*footprint)(void *context, size_t i); /* a new reference */
    void *context;
};

/* What a strategy learns of a finished run. Valid during the call. */
struct run_report {
    const struct fl_plan *plan;
    const struct fl_result *result;
    const struct verdict *verdict;
    const struct place *places; /* of the search's depth only, in the order of the run */
    size_t n_places;
    unsigned generation; /* grows when what counts as a place at depth access has grown: runs
                            reported with a smaller one may have had more places than they said */
    const uint32_t *ready;
    /* How the guest stood at each place; {0, 0}: not told. The places are then those where it
     * asked, and where a thread gives the processor up (k is FL_K_GIVES_UP) is one, too. NULL for a
     * strategy that does not want them. */
    const struct state_hash *states;
    bool hidden;                       /* drive.gives_up: there is a choice that no plan can name */
    const struct fl_preemption *taken; /* preemptions that took place, in the order of the run */
    const uint64_t *taken_at;          /* the index of each one's event */
    size_t n_taken;
    const struct run_steps *steps; /* ops->steps, or the driver is to tell orders; else NULL */
    uint64_t order; /* drive.orders: the same for runs whose dependent steps have the same order */
    /* Of each place after the last preemption: the same where the dependent steps up to there have
     * the same order, the same thread stands there, and the ready queue has the same order: what
     * follows upon one choice is the same then. 0: not told. NULL: nobody wants them. */
    const uint64_t *prefixes;
};

/* The parts of a search at which it is told, when it is done, how good the estimate was. */
#define ESTIMATE_PARTS 3u
extern const double estimate_parts[ESTIMATE_PARTS];

struct strategy_progress {
    unsigned depth;        /* being searched */
    unsigned bound;        /* being searched */
    uint64_t runs;         /* returned */
    uint64_t states;       /* stateful: met so far */
    uint64_t pruned;       /* dfs: choices left out, each with all that would have followed */
    uint64_t runs_known;   /* runs that this bound needs at most, as far as known */
    double runs_estimated; /* runs of the whole search, estimated; 0: no idea */
    /* Every plan with fewer preemptions than this, at places of that depth, has been run. */
    unsigned searched[FL_DEPTH_NEVER];
    /* pct: what it learned of the runs, and how likely it was to meet a bug of its depth */
    uint32_t threads, places;
    double probability;
    /* dfs, dpor: estimates since half of the runs; and, done, those on the way divided by the runs
     */
    double estimated_least, estimated_most;
    double estimate_quality[ESTIMATE_PARTS];
    uint64_t runs_redundant;              /* dpor: that turned out equivalent to others */
    uint32_t failures[FL_FAIL_KINDS];     /* fail: by kind, how many there are */
    uint32_t failures_done, failures_hit; /* of them, all plans run; met in a run */
    uint64_t runs_hit;                    /* runs in which something was refused */
    const char *broken;                   /* why it cannot go on; NULL: it can */
};

struct strategy;

struct strategy_ops {
    const char *id;
    const char *summary;
    bool steps; /* it wants run_report.steps */
    struct strategy *(*open)(const struct strategy_config *config, GError **error);
    /* The next plan; false: none now (more may come when runs in flight return). */
    bool (*next)(struct strategy *strategy, struct fl_plan *plan);
    /* Whether it has used more of the report than its verdict: a search that is resumed must make
     * that run again to stand where it stood. */
    bool (*done)(struct strategy *strategy, const struct run_report *report);
    /* Whether all that can follow upon a state is known: the run need not go on. NULL: it does not
     * want states (run_report.states). Plans of one that does are of mode online and after. */
    bool (*known)(const struct strategy *strategy, const struct state_hash *state);
    /* Everything that it set out to do is done, provided nothing is in flight. */
    bool (*finished)(const struct strategy *strategy);
    void (*progress)(const struct strategy *strategy, struct strategy_progress *progress);
    void (*close)(struct strategy *strategy);
};

extern const struct strategy_ops *const strategies[]; /* NULL-terminated */

extern const struct strategy_ops strategy_auto, strategy_dfs, strategy_dpor, strategy_pct,
    strategy_random, strategy_sparse, strategy_descent, strategy_fail, strategy_stateful,
    strategy_replay, strategy_minimise;

const struct strategy_ops *strategy_find(const char *id);

/* Whether a search of this depth may preempt at the place, which is an entry. */
bool strategy_place(const struct place *place, unsigned depth);

/* What the guest draws from in a search's so many-th run; never 0. */
uint32_t strategy_seed(uint64_t seed, uint64_t run);

/* pct: 1 - (1 - 1/(n k^changes))^runs, the least probability to have met a bug of depth changes + 1
 * in so many draws. */
double pct_bound(uint32_t threads, uint32_t places, unsigned changes, uint64_t runs);

/* minimise: the smallest plan known to violate the check, its preemptions in wire order; NULL when
 * not even the plan it started from did. */
const struct fl_plan *minimise_result(const struct strategy *strategy);

#endif
