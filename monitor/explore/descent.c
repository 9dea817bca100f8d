/* Random descents of the tree of plans (tree.h), at any depth: the default schedule, then a
 * preemption more at a time, drawn evenly from the departures that the run before showed, up to the
 * bound. Unlike the strategies that let the guest draw it gets to places with k >= 1.
 *
 * Some walkers go down at the same time, one run each a round; what is drawn depends on the seed
 * and on the runs alone.
 */
#include "strategy.h"

#include "plan.h"

#define WALKERS 32

struct strategy {
    struct strategy_config config;
    struct fl_plan walkers[WALKERS]; /* what each runs next */
    GArray *first;                   /* of struct fl_preemption: what the default schedule shows */
    unsigned oldest;                 /* the generation of that */
    unsigned newest;                 /* generation reported */
    unsigned returned;               /* in this round */
    unsigned issued;
    bool learns; /* this round is the default schedule alone */
    uint64_t runs;
    uint64_t draws;
};

static struct strategy *descent_open(const struct strategy_config *config, GError **error)
{
    (void)error;
    struct strategy *descent = g_new0(struct strategy, 1);
    descent->config = *config;
    descent->config.bound = MIN(config->bound, FL_MAX_PREEMPTIONS);
    descent->first = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    descent->learns = true;
    return descent;
}

static uint32_t draw(struct strategy *descent, uint32_t below)
{
    /* seeds are odd: the low bit says nothing */
    return (strategy_seed(descent->config.seed, descent->draws++) >> 1) % below;
}

static void start_plan(const struct strategy *descent, struct fl_plan *plan)
{
    *plan = descent->config.base;
    plan->depth = (uint8_t)descent->config.depth;
    plan->mode |= FL_MODE_SPANS;
}

static bool descent_finished(const struct strategy *descent)
{
    return descent->runs > 0 && descent->first->len == 0; /* there is one schedule only */
}

static bool descent_next(struct strategy *descent, struct fl_plan *plan)
{
    if (descent->issued == (descent->learns ? 1 : WALKERS) || descent_finished(descent))
        return false;
    if (descent->learns)
        start_plan(descent, plan);
    else
        *plan = descent->walkers[descent->issued];
    descent->issued++;
    return true;
}

/* From the default schedule to its first preemption. */
static void begin_walk(struct strategy *descent, struct fl_plan *plan)
{
    start_plan(descent, plan);
    if (descent->first->len > 0 && descent->config.bound > 0)
        plan_insert(plan, descent->config.scenario,
                    &g_array_index(descent->first, struct fl_preemption,
                                   draw(descent, descent->first->len)),
                    NULL);
}

/* Departures later than the plan's last preemption. */
static void list_departures(const struct run_report *report, GArray *departures)
{
    const uint64_t after = report->n_taken == 0 ? 0 : report->taken_at[report->n_taken - 1];
    g_array_set_size(departures, 0);
    for (size_t i = 0; i < report->n_places; i++) {
        const struct place *place = &report->places[i];
        for (unsigned j = 0; place->event >= after && j < place->n_ready; j++) {
            const struct fl_preemption departure = {place->thread, place->n, place->k,
                                                    report->ready[place->ready + j]};
            g_array_append_val(departures, departure);
        }
    }
}

static void go_down(struct strategy *descent, struct fl_plan *plan, const struct run_report *report)
{
    g_autoptr(GArray) departures = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    if (plan->n_preemptions < descent->config.bound)
        list_departures(report, departures);
    if (departures->len == 0)
        begin_walk(descent, plan);
    else
        plan_insert(
            plan, descent->config.scenario,
            &g_array_index(departures, struct fl_preemption, draw(descent, departures->len)), NULL);
}

static void end_round(struct strategy *descent)
{
    for (unsigned i = 0; descent->learns && i < WALKERS; i++)
        begin_walk(descent, &descent->walkers[i]);
    descent->learns = !descent->learns && descent->oldest < descent->newest;
    descent->issued = descent->returned = 0;
}

static bool descent_done(struct strategy *descent, const struct run_report *report)
{
    descent->newest = MAX(descent->newest, report->generation);
    if (descent->learns) {
        list_departures(report, descent->first);
        descent->oldest = report->generation;
    } else {
        go_down(descent, &descent->walkers[descent->returned], report);
    }
    descent->runs++;
    descent->returned++;
    if (descent->returned == (descent->learns ? 1 : WALKERS))
        end_round(descent);
    return true;
}

static void descent_progress(const struct strategy *descent, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .depth = descent->config.depth,
        .bound = descent->config.bound,
        .runs = descent->runs,
    };
}

static void descent_close(struct strategy *descent)
{
    g_array_free(descent->first, TRUE);
    g_free(descent);
}

const struct strategy_ops strategy_descent = {
    .id = "descent",
    .summary = "a random preemption more at a time, up to `bound`, at any depth",
    .open = descent_open,
    .next = descent_next,
    .done = descent_done,
    .finished = descent_finished,
    .progress = descent_progress,
    .close = descent_close,
};
