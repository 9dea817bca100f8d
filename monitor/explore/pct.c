/* Probabilistic concurrency testing (Burckhardt, Kothari, Musuvathi and Nagarakatte, ASPLOS 2010).
 *
 * Threads get random priorities, and whoever is ready with the highest runs; at d - 1 random places
 * the thread at hand falls to a priority below all of the first. A bug that needs d constraints on
 * the order of things is hit by a run with probability at least 1 / (n k^(d-1)), with n threads and
 * k places. The guest draws all of it from the plan's seed (guest/kernel/plan.c), at full speed.
 *
 * n and k are learned from the runs: the most seen. What a plan draws from changes between rounds
 * only, each twice as long as those before together, so that it never depends on how many plans
 * were in flight. The bound that is told uses the last n and k for all runs, which understates it.
 */
#include "strategy.h"

#include <math.h>
#include "plan.h"

struct strategy {
    struct strategy_config config;
    unsigned changes; /* d - 1 */
    uint64_t issued, returned;
    uint64_t round_end;
    uint32_t threads, places; /* the most seen so far */
    uint32_t round_places;    /* what the changes of this round are drawn from */
};

static struct strategy *pct_open(const struct strategy_config *config, GError **error)
{
    if (config->depth > FL_DEPTH_SYNC) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "strategy pct searches the depths ipc and sync only; dfs and auto go deeper");
        return NULL;
    }
    if (config->bound > FL_MAX_CHANGES) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "strategy pct changes priorities at most %u times in a run (--bound), not %u",
                    FL_MAX_CHANGES, config->bound);
        return NULL;
    }
    struct strategy *pct = g_new0(struct strategy, 1);
    pct->config = *config;
    pct->changes = config->bound;
    pct->round_end = 1;
    return pct;
}

static bool pct_next(struct strategy *pct, struct fl_plan *plan)
{
    if (pct->issued == pct->round_end ||
        (pct->config.max_runs != 0 && pct->issued == pct->config.max_runs))
        return false;
    *plan = pct->config.base;
    plan->depth = (uint8_t)pct->config.depth;
    if (pct->issued > 0) { /* the first run, by default, is there to learn from */
        plan->policy = FL_POLICY_PCT;
        plan->seed = strategy_seed(pct->config.seed, pct->issued);
        plan->chance = pct->round_places;
        plan->changes = (uint8_t)pct->changes;
    }
    pct->issued++;
    return true;
}

static uint32_t count_threads(const struct run_report *report)
{
    g_autoptr(GHashTable) paths = g_hash_table_new(NULL, NULL);
    for (size_t i = 0; i < report->n_places; i++) {
        const struct place *place = &report->places[i];
        g_hash_table_add(paths, GUINT_TO_POINTER(place->thread));
        for (unsigned j = 0; j < place->n_ready; j++)
            g_hash_table_add(paths, GUINT_TO_POINTER(report->ready[place->ready + j]));
    }
    return g_hash_table_size(paths);
}

static bool pct_done(struct strategy *pct, const struct run_report *report)
{
    const uint32_t threads = count_threads(report);
    const bool more = threads > pct->threads || report->n_places > pct->places;
    pct->threads = MAX(pct->threads, threads);
    pct->places = MAX(pct->places, (uint32_t)report->n_places);
    if (++pct->returned == pct->round_end) {
        pct->round_places = MAX(pct->places, 1);
        pct->round_end *= 2;
    }
    return more;
}

static bool pct_finished(const struct strategy *pct)
{
    return pct->config.max_runs != 0 && pct->returned == pct->config.max_runs;
}

double pct_bound(uint32_t threads, uint32_t places, unsigned changes, uint64_t runs)
{
    const double one = 1 / (MAX(threads, 1) * pow(MAX(places, 1), changes));
    return -expm1((double)runs * log1p(-MIN(one, 1 - 1e-12)));
}

static void pct_progress(const struct strategy *pct, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .depth = pct->config.depth,
        .bound = pct->changes,
        .runs_known = pct->config.max_runs,
        .runs_estimated = (double)pct->config.max_runs,
        .threads = pct->threads,
        .places = pct->places,
        /* the first run is no draw */
        .probability = pct->returned < 2
                           ? 0
                           : pct_bound(pct->threads, pct->places, pct->changes, pct->returned - 1),
    };
}

static void pct_close(struct strategy *pct)
{
    g_free(pct);
}

const struct strategy_ops strategy_pct = {
    .id = "pct",
    .summary = "random priorities, changed `bound` times; says how likely a bug was met",
    .open = pct_open,
    .next = pct_next,
    .done = pct_done,
    .finished = pct_finished,
    .progress = pct_progress,
    .close = pct_close,
};
