/* Random schedules, drawn by the guest itself: the plan carries a seed, and the preemptions that
 * took place are read from the run's trace. Run i of seed s is always the same run, whatever was
 * run before it.
 *
 * random: a uniform walk. At each place all threads that could run, the one at hand among them, are
 * equally likely.
 * sparse: about two preemptions a run, as many as bugs of this kind have been found to need. The
 * first run is the default schedule; its places set the chance of each.
 */
#include "strategy.h"

#include "plan.h"

#define WANTED_PREEMPTIONS 2.0

struct strategy {
    struct strategy_config config;
    bool sparse;
    uint64_t issued;
    uint64_t returned;
    uint32_t chance;
};

static struct strategy *open_either(const struct strategy_config *config, bool sparse,
                                    GError **error)
{
    if (config->depth > FL_DEPTH_SYNC) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "strategy %s searches the depths ipc and sync only; dfs and auto go deeper",
                    sparse ? "sparse" : "random");
        return NULL;
    }
    struct strategy *random = g_new0(struct strategy, 1);
    random->config = *config;
    random->sparse = sparse;
    return random;
}

static struct strategy *random_open(const struct strategy_config *config, GError **error)
{
    return open_either(config, false, error);
}

static struct strategy *sparse_open(const struct strategy_config *config, GError **error)
{
    return open_either(config, true, error);
}

static bool random_next(struct strategy *random, struct fl_plan *plan)
{
    const uint64_t limit = random->config.max_runs;
    if ((limit != 0 && random->issued == limit) || (random->issued > 0 && random->returned == 0))
        return false;
    *plan = random->config.base;
    plan->depth = (uint8_t)random->config.depth;
    if (random->issued > 0) {
        plan->policy = random->sparse ? FL_POLICY_RANDOM : FL_POLICY_WALK;
        plan->seed = strategy_seed(random->config.seed, random->issued);
        plan->chance = random->chance;
    }
    random->issued++;
    return true;
}

static uint32_t choose_chance(size_t places)
{
    if ((double)places <= WANTED_PREEMPTIONS)
        return UINT32_MAX;
    return (uint32_t)(WANTED_PREEMPTIONS / (double)places * (double)UINT32_MAX);
}

static bool random_done(struct strategy *random, const struct run_report *report)
{
    const bool first = random->returned++ == 0;
    if (first && random->sparse)
        random->chance = choose_chance(report->n_places);
    return first;
}

static bool random_finished(const struct strategy *random)
{
    return random->config.max_runs != 0 && random->returned == random->config.max_runs;
}

static void random_progress(const struct strategy *random, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .depth = random->config.depth,
        .bound = random->config.bound,
        .runs_known = random->config.max_runs,
        .runs_estimated = (double)random->config.max_runs,
    };
}

static void random_close(struct strategy *random)
{
    g_free(random);
}

const struct strategy_ops strategy_random = {
    .id = "random",
    .summary = "a uniform walk: at each place any thread that could run; reproducible by seed",
    .open = random_open,
    .next = random_next,
    .done = random_done,
    .finished = random_finished,
    .progress = random_progress,
    .close = random_close,
};

const struct strategy_ops strategy_sparse = {
    .id = "sparse",
    .summary = "two random preemptions a run, or so; reproducible by seed",
    .open = sparse_open,
    .next = random_next,
    .done = random_done,
    .finished = random_finished,
    .progress = random_progress,
    .close = random_close,
};
