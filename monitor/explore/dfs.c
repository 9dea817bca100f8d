/* Bounded search: every plan of at most `bound` preemptions, fewest first.
 *
 * Plans form a tree. The root is the default schedule; a plan's children add one preemption at a
 * place that was seen in the plan's own run, later than its last preemption, for each thread that
 * was ready there. So every plan that can be reached has exactly one parent, and none is run twice.
 * The bound is raised level by level (iterative context bounding: Musuvathi and Qadeer, PLDI 2007),
 * so that the first finding has the fewest preemptions.
 *
 * A node is its parent and what it adds, 20 bytes; plans are put together when they are given out.
 * Runs come back in the order in which they were given out, which makes the order of the whole
 * search a function of the guest alone.
 */
#include "strategy.h"

#include "plan.h"

struct node {
    uint32_t parent;
    struct fl_preemption added;
};

struct strategy {
    struct strategy_config config;
    GArray *nodes; /* of struct node; level after level, the root first */
    size_t issued;
    size_t returned;
    unsigned level;     /* of the next run to come back */
    size_t level_begin; /* nodes [level_begin, level_end) are that level */
    size_t level_end;
};

static struct strategy *dfs_open(const struct strategy_config *config, GError **error)
{
    if (config->depth > FL_DEPTH_SYNC) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "strategy dfs searches the depths ipc and sync only");
        return NULL;
    }
    if (config->bound > FL_MAX_PREEMPTIONS) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE, "bound must be from 0 to %u, not %u",
                    FL_MAX_PREEMPTIONS, config->bound);
        return NULL;
    }
    struct strategy *dfs = g_new0(struct strategy, 1);
    dfs->config = *config;
    dfs->nodes = g_array_new(FALSE, TRUE, sizeof(struct node));
    g_array_set_size(dfs->nodes, 1);
    dfs->level_end = 1;
    return dfs;
}

static bool dfs_next(struct strategy *dfs, struct fl_plan *plan)
{
    if (dfs->issued == dfs->nodes->len)
        return false;
    *plan = dfs->config.base;
    plan->depth = (uint8_t)dfs->config.depth;
    for (size_t i = dfs->issued; i != 0;) {
        const struct node *node = &g_array_index(dfs->nodes, struct node, i);
        bool inserted = plan_insert(plan, dfs->config.scenario, &node->added, NULL);
        g_assert(inserted);
        i = node->parent;
    }
    dfs->issued++;
    return true;
}

static void extend(struct strategy *dfs, const struct run_report *report)
{
    const uint64_t after = report->n_taken == 0 ? 0 : report->taken_at[report->n_taken - 1];
    for (size_t i = 0; i < report->n_places; i++) {
        const struct place *place = &report->places[i];
        if (place->event < after || !strategy_place(place, dfs->config.depth))
            continue;
        for (unsigned j = 0; j < place->n_ready; j++) {
            const struct node child = {
                .parent = (uint32_t)dfs->returned,
                .added = {place->thread, place->n, place->k, report->ready[place->ready + j]},
            };
            g_array_append_val(dfs->nodes, child);
        }
    }
    g_assert(dfs->nodes->len < UINT32_MAX);
}

/* A run that did not reach its last preemption says nothing about the places after it. (The driver
 * treats it as the error that it is: the parent's run did reach that place.) */
static void dfs_done(struct strategy *dfs, const struct run_report *report)
{
    if (dfs->level < dfs->config.bound && report->n_taken == report->plan->n_preemptions)
        extend(dfs, report);
    dfs->returned++;
    if (dfs->returned == dfs->level_end && dfs->nodes->len > dfs->level_end) {
        dfs->level++;
        dfs->level_begin = dfs->level_end;
        dfs->level_end = dfs->nodes->len;
    }
}

static bool dfs_finished(const struct strategy *dfs)
{
    return dfs->returned == dfs->nodes->len;
}

/* Every further preemption multiplies the plans by the children per node of the level at hand,
 * divided by its rank, since preemptions are chosen in ascending order. */
static double estimate(const struct strategy *dfs)
{
    const double seen = (double)(dfs->returned - dfs->level_begin);
    if (seen == 0)
        return 0;
    const double level_size = (double)(dfs->level_end - dfs->level_begin);
    const double children = (double)(dfs->nodes->len - dfs->level_end) / seen;
    double total = (double)dfs->level_end;
    double next = level_size;
    for (unsigned level = dfs->level + 1; level <= dfs->config.bound; level++) {
        next *= children * (dfs->level + 1) / level;
        total += next;
    }
    return total;
}

static void dfs_progress(const struct strategy *dfs, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .bound = dfs->level,
        .runs_known = dfs->level_end,
        .runs_estimated = estimate(dfs),
    };
}

static void dfs_close(struct strategy *dfs)
{
    g_array_free(dfs->nodes, TRUE);
    g_free(dfs);
}

const struct strategy_ops strategy_dfs = {
    .id = "dfs",
    .summary = "every plan of at most `bound` preemptions, fewest first",
    .open = dfs_open,
    .next = dfs_next,
    .done = dfs_done,
    .finished = dfs_finished,
    .progress = dfs_progress,
    .close = dfs_close,
};
