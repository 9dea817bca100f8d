/* Random preemptions, drawn by the guest itself: the plan carries a seed and a chance, and the
 * preemptions that took place are read from the run's trace. Run i of seed s is always the same
 * run, whatever was run before it.
 *
 * The first run is the default schedule; its places set the chance, so that a run has about as many
 * preemptions as bugs of this kind have been found to need.
 */
#include "strategy.h"

#include "plan.h"

#define WANTED_PREEMPTIONS 2.0

struct strategy {
    struct strategy_config config;
    uint64_t issued;
    uint64_t returned;
    uint32_t chance;
};

static struct strategy *random_open(const struct strategy_config *config, GError **error)
{
    if (config->depth > FL_DEPTH_SYNC) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "strategy random searches the depths ipc and sync only");
        return NULL;
    }
    struct strategy *random = g_new0(struct strategy, 1);
    random->config = *config;
    return random;
}

/* splitmix64 (Steele, Lea and Flood, OOPSLA 2014): neighbouring inputs give unrelated outputs. */
static uint64_t mix(uint64_t value)
{
    value += 0x9e3779b97f4a7c15u;
    value = (value ^ (value >> 30)) * 0xbf58476d1ce4e5b9u;
    value = (value ^ (value >> 27)) * 0x94d049bb133111ebu;
    return value ^ (value >> 31);
}

static bool random_next(struct strategy *random, struct fl_plan *plan)
{
    const uint64_t limit = random->config.max_runs;
    if ((limit != 0 && random->issued == limit) || (random->issued > 0 && random->returned == 0))
        return false;
    *plan = random->config.base;
    plan->depth = (uint8_t)random->config.depth;
    if (random->issued > 0) {
        plan->policy = FL_POLICY_RANDOM;
        plan->seed =
            (uint32_t)mix(mix(random->config.seed) + random->issued) | 1; /* not 0: xorshift */
        plan->chance = random->chance;
    }
    random->issued++;
    return true;
}

static uint32_t choose_chance(const struct run_report *report, unsigned depth)
{
    size_t places = 0;
    for (size_t i = 0; i < report->n_places; i++)
        places += strategy_place(&report->places[i], depth);
    if ((double)places <= WANTED_PREEMPTIONS)
        return UINT32_MAX;
    return (uint32_t)(WANTED_PREEMPTIONS / (double)places * (double)UINT32_MAX);
}

static void random_done(struct strategy *random, const struct run_report *report)
{
    if (random->returned == 0)
        random->chance = choose_chance(report, random->config.depth);
    random->returned++;
}

static bool random_finished(const struct strategy *random)
{
    return random->config.max_runs != 0 && random->returned == random->config.max_runs;
}

static void random_progress(const struct strategy *random, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
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
    .summary = "random preemptions, reproducible by seed",
    .open = random_open,
    .next = random_next,
    .done = random_done,
    .finished = random_finished,
    .progress = random_progress,
    .close = random_close,
};
