/* bench_search [jobs]: only the last of these
 *
 * Strategies against scenarios: runs and seconds to the first finding, median of some seeds; PCT
 * against the bound that it prints; and how much a second guest brings.
 *
 * The baseline runs the default schedule over and over, as a test without injection would: the
 * guest is deterministic, so it finds at once what needs no preemption, and the rest never.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "explore/explore.h"
#include "plan.h"
#include "trace.h"

enum { SEEDS = 9, MAX_RUNS = 2000, PCT_SEEDS = 100, JOBS_RUNS = 10000, JOBS_TIMES = 3 };

static struct image *image;
static struct engine *engine;
static struct crew *crew;

static void give_up(const char *what, const char *why)
{
    fprintf(stderr, "bench: %s: %s\n", what, why);
    exit(2);
}

struct target {
    const char *scenario, *variant;
    unsigned depth; /* at which strategies that need one look for it */
    unsigned bound;
};

static struct explore_options options_for(const struct target *target, struct fl_plan *base)
{
    const int scenario = image_scenario(image, target->scenario);
    if (scenario < 0)
        give_up(target->scenario, "the image has no such scenario");
    const struct fl_scenario *found = &image->scenarios[scenario];
    plan_init(base, found, (unsigned)scenario, (unsigned)scenario_variant(found, target->variant));
    return (struct explore_options){
        .crew = crew,
        .engine = engine,
        .scenario = found,
        .image = image,
        .base = base,
        .depth = target->depth,
        .bound = target->bound,
        .max_runs = MAX_RUNS,
    };
}

static struct explore_result *search(const struct explore_options *options)
{
    GError *error = NULL;
    struct explore_result *result = explore(options, &error);
    if (result == NULL)
        give_up(options->strategy->id, error->message);
    if (result->verdict == EXPLORE_ERROR)
        give_up(options->strategy->id, result->error);
    return result;
}

/* ---- strategies against scenarios ---- */

struct sample {
    double runs; /* INFINITY: not found */
    double seconds;
};

static int by_runs(const void *a, const void *b)
{
    const struct sample *x = a, *y = b;
    return x->runs < y->runs ? -1 : x->runs > y->runs;
}

static bool draws(const struct strategy_ops *strategy)
{
    return strategy != &strategy_auto && strategy != &strategy_dfs && strategy != &strategy_replay;
}

static struct sample first_finding(struct explore_options *options)
{
    struct sample samples[SEEDS];
    const unsigned seeds = draws(options->strategy) ? SEEDS : 1;
    for (unsigned i = 0; i < seeds; i++) {
        options->seed = i + 1;
        struct explore_result *result = search(options);
        samples[i] = (struct sample){INFINITY, result->seconds};
        if (result->findings->len > 0) {
            const struct finding *finding = g_ptr_array_index(result->findings, 0);
            samples[i] = (struct sample){(double)finding->runs_to_find, finding->seconds_to_find};
        }
        explore_free(result);
    }
    qsort(samples, seeds, sizeof(samples[0]), by_runs);
    return samples[seeds / 2];
}

static void print_sample(const char *name, const struct sample *sample)
{
    if (isinf(sample->runs))
        printf("    %-10s %8s\n", name, "never");
    else
        printf("    %-10s %8.0f runs %8.3f s\n", name, sample->runs, sample->seconds);
}

/* The default schedule alone: a search of bound 0. */
static void print_baseline(const struct target *target)
{
    struct fl_plan base;
    struct explore_options options = options_for(target, &base);
    options.strategy = &strategy_dfs;
    options.bound = 0;
    const struct sample sample = first_finding(&options);
    print_sample("(plain)", &sample);
}

/* The guest draws at entries only. */
static bool goes_to(const struct strategy_ops *strategy, unsigned depth)
{
    return depth <= FL_DEPTH_SYNC || !draws(strategy) || strategy == &strategy_descent;
}

static void print_target(const struct target *target)
{
    static const struct strategy_ops *const contestants[] = {
        &strategy_auto,   &strategy_dfs,    &strategy_pct,
        &strategy_random, &strategy_sparse, &strategy_descent,
    };
    printf("  %s/%s, depth %s, bound %u\n", target->scenario, target->variant,
           trace_value_name(TRACE_DEPTH, target->depth), target->bound);
    print_baseline(target);
    for (size_t i = 0; i < G_N_ELEMENTS(contestants); i++) {
        if (!goes_to(contestants[i], target->depth))
            continue;
        struct fl_plan base;
        struct explore_options options = options_for(target, &base);
        options.strategy = contestants[i];
        if (options.strategy == &strategy_auto)
            options.depth = FL_DEPTH_INSN;
        const struct sample sample = first_finding(&options);
        print_sample(options.strategy->id, &sample);
    }
}

/* ---- PCT against its bound ---- */

/* How many of the seeds have met the race within so many runs, with the interval in which the rate
 * lies with 95 % (Wilson 1927), beside the bound. */
static void print_rate(const uint64_t *first, uint64_t runs, const struct strategy_progress *pct)
{
    unsigned hits = 0;
    for (unsigned i = 0; i < PCT_SEEDS; i++)
        hits += first[i] <= runs;
    const double n = PCT_SEEDS, z = 1.96, rate = hits / n;
    const double middle = (rate + z * z / (2 * n)) / (1 + z * z / n);
    const double half = z / (1 + z * z / n) * sqrt(rate * (1 - rate) / n + z * z / (4 * n * n));
    printf("    %5" G_GUINT64_FORMAT " runs: %3u of %d seeds, %.3f to %.3f; bound %.3f\n", runs,
           hits, PCT_SEEDS, MAX(0, middle - half), MIN(1, middle + half),
           pct_bound(pct->threads, pct->places, pct->bound, runs - 1));
}

static void print_pct(void)
{
    static const uint64_t steps[] = {2, 3, 5, 10, 20, 100, MAX_RUNS};
    const struct target target = {"genode_stack_slot", "racy", FL_DEPTH_IPC, 1};
    struct fl_plan base;
    struct explore_options options = options_for(&target, &base);
    struct strategy_progress most = {.bound = 1};
    uint64_t first[PCT_SEEDS];
    options.strategy = &strategy_pct;
    for (unsigned i = 0; i < PCT_SEEDS; i++) {
        options.seed = 1000 + i;
        struct explore_result *result = search(&options);
        const struct finding *finding =
            result->findings->len > 0 ? g_ptr_array_index(result->findings, 0) : NULL;
        first[i] = finding != NULL ? finding->runs_to_find : UINT64_MAX;
        most.threads = MAX(most.threads, result->reached.threads);
        most.places = MAX(most.places, result->reached.places);
        explore_free(result);
    }
    printf("pct on racy, %d seeds (%u threads, %u places, depth 2; the first run is no draw)\n",
           PCT_SEEDS, most.threads, most.places);
    for (size_t i = 0; i < G_N_ELEMENTS(steps); i++)
        print_rate(first, steps[i], &most);
}

/* ---- a second guest ---- */

static double rate_of(unsigned jobs)
{
    const struct session_options session_options = {.image = image};
    const struct target target = {"genode_stack_slot", "fixed", FL_DEPTH_SYNC, 2};
    struct crew *own = crew_new(&session_options, jobs);
    struct fl_plan base;
    struct explore_options options = options_for(&target, &base);
    GError *error = NULL;
    if (!crew_open(own, false, &error))
        give_up("no guests", error->message);
    options.crew = own;
    options.strategy = &strategy_sparse;
    options.max_runs = JOBS_RUNS;
    struct explore_result *result = search(&options);
    const double rate = (double)result->runs / result->seconds;
    explore_free(result);
    crew_free(own);
    return rate;
}

/* Whatever else the machine does only takes away: the best of a few. */
static void print_jobs(void)
{
    double one = 0, two = 0;
    for (unsigned i = 0; i < JOBS_TIMES; i++) {
        one = MAX(one, rate_of(1));
        two = MAX(two, rate_of(2));
    }
    printf("one guest: %.0f runs/s; two: %.0f, %.2f times as many (wanted 1.7 on two free cores)\n",
           one, two, two / one);
}

static void print_searches(void)
{
    static const struct target targets[] = {
        {"genode_stack_slot", "racy", FL_DEPTH_IPC, 1},
        {"genode_stack_slot", "quickfix", FL_DEPTH_ACCESS, 1},
        {"genode_stack_slot", "quickfix", FL_DEPTH_INSN, 1},
        {"rig_misbehave", "deadlock", FL_DEPTH_SYNC, 1},
    };
    printf("runs and seconds to the first finding, at most %d runs, median of %d seeds\n", MAX_RUNS,
           SEEDS);
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
        print_target(&targets[i]);
    print_pct();
}

int main(int argc, char **argv)
{
    GError *error = NULL;
    image = image_open("build/guest/armv7.elf", &error);
    if (image == NULL)
        give_up("no guest image", error->message);
    const struct session_options session_options = {.image = image};
    engine = engine_new();
    crew = crew_new(&session_options, 1);
    if (argc < 2 || strcmp(argv[1], "jobs") != 0)
        print_searches();
    print_jobs();
    crew_free(crew);
    engine_free(engine);
    image_close(image);
    return 0;
}
