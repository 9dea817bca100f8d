/* Failures and preemptions together: every failure of some kinds, each with every plan that another
 * strategy has to go with it.
 *
 * The first run, in which nothing fails, says how often what is asked for: these are the failures.
 * For each, in turn, a strategy that lists its preemptions (dfs) is opened anew on a base that has
 * that failure. A strategy that draws (random, sparse, pct) is opened once, and its plans get a
 * failure or two, drawn, too.
 */
#include "strategy.h"

#include <string.h>
#include "plan.h"

struct injected {
    struct fl_failure failure;
    bool hit;
};

struct strategy {
    struct strategy_config config;
    bool draws;
    struct strategy *inner; /* NULL: nothing is asked for yet, or the next failure is to come */
    GArray *failures;       /* struct injected */
    unsigned at;            /* of those: whose plans are given out; the ones before are done */
    bool counting, counted; /* the first run is given out; it is back */
    uint64_t issued, returned, runs_hit;
};

static bool is_drawn(const struct strategy_ops *ops)
{
    return ops == &strategy_random || ops == &strategy_sparse || ops == &strategy_pct;
}

static struct strategy *fail_open(const struct strategy_config *config, GError **error)
{
    const struct strategy_ops *inner = config->inner;
    if (inner == NULL || config->fails == 0) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_SYNTAX,
                    "strategy fail needs what is to fail: `faultline explore --fail alloc`");
        return NULL;
    }
    if (inner != &strategy_dfs && !is_drawn(inner)) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_SYNTAX,
                    "--fail goes with the strategies dfs, random, sparse and pct, not with %s",
                    inner->id);
        return NULL;
    }
    struct strategy *fail = g_new0(struct strategy, 1);
    fail->config = *config;
    fail->config.base.mode |= FL_MODE_FAIL;
    fail->draws = is_drawn(inner);
    fail->failures = g_array_new(FALSE, TRUE, sizeof(struct injected));
    /* What it cannot do it says now. */
    fail->inner = inner->open(&fail->config, error);
    if (fail->inner == NULL) {
        g_array_free(fail->failures, TRUE);
        g_free(fail);
        return NULL;
    }
    return fail;
}

static struct injected *injected_at(const struct strategy *fail, unsigned i)
{
    return &g_array_index(fail->failures, struct injected, i);
}

/* ---- the first run ---- */

static bool next_count(struct strategy *fail, struct fl_plan *plan)
{
    if (fail->counting)
        return false;
    fail->counting = true;
    *plan = fail->config.base;
    plan->depth = (uint8_t)fail->config.depth;
    if (plan->depth > FL_DEPTH_SYNC)
        plan->mode |= FL_MODE_SPANS;
    return true;
}

static void find_failures(struct strategy *fail, const uint16_t *asked)
{
    for (unsigned kind = 0; kind < FL_FAIL_KINDS; kind++)
        for (unsigned nth = 1; (fail->config.fails & 1u << kind) && nth <= asked[kind]; nth++) {
            const struct injected injected = {{(uint16_t)kind, (uint16_t)nth}, false};
            g_array_append_val(fail->failures, injected);
        }
    fail->counted = true;
}

/* ---- plans of the strategy inside ---- */

static bool is_over(const struct strategy *fail)
{
    return fail->counted && fail->at == fail->failures->len;
}

/* The inner strategy of the failure at hand. */
static void open_inner(struct strategy *fail)
{
    struct strategy_config config = fail->config;
    plan_fail(&config.base, &injected_at(fail, fail->at)->failure, NULL);
    fail->inner = fail->config.inner->open(&config, NULL);
    g_assert(fail->inner != NULL);
}

static void close_inner(struct strategy *fail)
{
    if (fail->inner != NULL)
        fail->config.inner->close(fail->inner);
    fail->inner = NULL;
}

/* A failure is done when all its plans are back. */
static bool next_listed(struct strategy *fail, struct fl_plan *plan)
{
    while (!is_over(fail)) {
        if (fail->inner == NULL)
            open_inner(fail);
        if (fail->config.inner->next(fail->inner, plan))
            return true;
        if (!fail->config.inner->finished(fail->inner))
            return false;
        close_inner(fail);
        fail->at++;
    }
    return false;
}

/* Run i of a seed has the same failures whatever was run before it: one, or two of them. */
static bool next_drawn(struct strategy *fail, struct fl_plan *plan)
{
    if (is_over(fail) || !fail->config.inner->next(fail->inner, plan))
        return false;
    const uint32_t drawn = strategy_seed(~fail->config.seed, fail->issued++);
    const uint32_t n = fail->failures->len;
    plan_fail(plan, &injected_at(fail, drawn / 4 % n)->failure, NULL);
    if (drawn & 2) /* the lowest bit is always set */
        plan_fail(plan, &injected_at(fail, drawn / 4 / n % n)->failure, NULL);
    return true;
}

static bool fail_next(struct strategy *fail, struct fl_plan *plan)
{
    if (!fail->counted)
        return next_count(fail, plan);
    return fail->draws ? next_drawn(fail, plan) : next_listed(fail, plan);
}

/* ---- answers ---- */

static bool lists(const struct fl_plan *plan, const struct fl_failure *failure)
{
    for (uint32_t i = 0; i < plan->n_failures; i++)
        if (memcmp(&plan->failures[i], failure, sizeof(*failure)) == 0)
            return true;
    return false;
}

/* Of a plan with two of which one was refused it is not known which. */
static void note_hits(struct strategy *fail, const struct run_report *report)
{
    fail->runs_hit += report->verdict->refused > 0;
    if (report->verdict->refused < report->plan->n_failures)
        return;
    for (unsigned i = 0; i < fail->failures->len; i++) {
        struct injected *injected = injected_at(fail, i);
        injected->hit = injected->hit || lists(report->plan, &injected->failure);
    }
}

/* The count is in no journal. */
static bool fail_done(struct strategy *fail, const struct run_report *report)
{
    fail->returned++;
    if (fail->counted) {
        note_hits(fail, report);
        return fail->config.inner->done(fail->inner, report);
    }
    find_failures(fail, report->result->asked);
    if (!fail->draws) /* it was opened for what it had to say */
        close_inner(fail);
    return true;
}

static bool fail_finished(const struct strategy *fail)
{
    return is_over(fail);
}

/* As if the failures to come took as many runs as those before. */
static double estimate(const struct strategy *fail)
{
    return fail->at > 0 ? (double)fail->returned / fail->at * fail->failures->len : 0;
}

static void fail_progress(const struct strategy *fail, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){.bound = fail->config.bound};
    if (fail->inner != NULL)
        fail->config.inner->progress(fail->inner, progress);
    progress->depth = fail->config.depth;
    progress->runs = fail->returned;
    progress->runs_known = 0;
    progress->runs_estimated = fail->draws ? progress->runs_estimated : estimate(fail);
    progress->runs_hit = fail->runs_hit;
    progress->failures_done = fail->draws ? fail->failures->len : fail->at;
    for (unsigned i = 0; i < fail->failures->len; i++) {
        progress->failures[injected_at(fail, i)->failure.kind]++;
        progress->failures_hit += injected_at(fail, i)->hit;
    }
}

static void fail_close(struct strategy *fail)
{
    close_inner(fail);
    g_array_free(fail->failures, TRUE);
    g_free(fail);
}

const struct strategy_ops strategy_fail = {
    .id = "fail",
    .summary = "every failure of --fail, each with the plans of another strategy",
    .open = fail_open,
    .next = fail_next,
    .done = fail_done,
    .finished = fail_finished,
    .progress = fail_progress,
    .close = fail_close,
};
