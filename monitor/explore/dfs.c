/* Bounded search: every plan of at most `bound` preemptions, fewest first.
 *
 * The tree of plans (tree.h) is searched level by level (iterative context bounding: Musuvathi and
 * Qadeer, PLDI 2007), so that the first finding has the fewest preemptions. Runs come back in the
 * order in which they were given out, and a level begins when the one before is done: that makes
 * the order of the whole search a function of the guest alone.
 *
 * At depth access places become known while the search goes on. When some have since a plan was
 * run, that plan may have children that it did not show: at the end of a level such plans are run
 * again, until a whole pass shows nothing new.
 *
 * Pruned, a choice is left out where another plan made it with as many preemptions or fewer, after
 * steps with the same happens-before relation and with the same ready queue: both go on alike
 * (Musuvathi and Qadeer, "Partial-order reduction for context-bounded state exploration", 2007).
 */
#include "strategy.h"

#include "guess.h"
#include "plan.h"
#include "tree.h"

/* A walk over the tree's plans, in the order in which they came to be known. */
struct cursor {
    struct tree_node at;
    uint64_t passed;
};

struct strategy {
    struct strategy_config config;
    struct tree *tree;
    unsigned level; /* being run; those below are done */
    bool again;     /* this pass runs those below again */
    uint32_t old;   /* branches that there were when this pass began */
    struct cursor issue, take;
    unsigned oldest, newest; /* generations reported; oldest: of the runs that were extended */
    uint64_t returned;       /* runs, in all passes before this one */
    GArray *plans;           /* of uint64_t: known plans by level */
    struct guess *guess;     /* what was estimated, run by run */
    bool done;
    bool hidden; /* a run had a choice that no plan can name */
};

static uint64_t plans_at(const struct strategy *dfs, unsigned level)
{
    return g_array_index(dfs->plans, uint64_t, level);
}

/* ---- which plans a pass runs ---- */

static bool is_extended(const struct strategy *dfs, const struct tree_branch *branch)
{
    return branch->level < dfs->config.bound;
}

/* A search before this one ran it, and it has no children to show. */
static bool is_covered(const struct strategy *dfs, const struct tree_branch *branch)
{
    return !is_extended(dfs, branch) && branch->level < dfs->config.searched[branch->depth];
}

static bool selected(const struct strategy *dfs, uint32_t i)
{
    const struct tree_branch *branch = tree_branch(dfs->tree, i);
    if (is_covered(dfs, branch))
        return false;
    if (!dfs->again)
        return branch->level == dfs->level;
    return branch->level <= dfs->level && (i >= dfs->old || is_extended(dfs, branch));
}

/* The cursor stands on a plan of this pass, or false: there is none (yet). */
static bool settle(const struct strategy *dfs, struct cursor *cursor)
{
    while (cursor->at.branch < tree_branches(dfs->tree) && !selected(dfs, cursor->at.branch))
        cursor->at.branch++;
    return cursor->at.branch < tree_branches(dfs->tree);
}

static void advance(const struct strategy *dfs, struct cursor *cursor)
{
    cursor->passed++;
    if (++cursor->at.offset < tree_branch(dfs->tree, cursor->at.branch)->count)
        return;
    cursor->at.branch++;
    cursor->at.offset = 0;
}

/* ---- passes ---- */

static void begin_pass(struct strategy *dfs, bool again)
{
    dfs->returned += dfs->take.passed;
    dfs->again = again;
    dfs->old = tree_branches(dfs->tree);
    dfs->issue = dfs->take = (struct cursor){.passed = 0};
    if (again)
        dfs->oldest = dfs->newest;
}

static void next_pass(struct strategy *dfs)
{
    if (dfs->oldest < dfs->newest) {
        begin_pass(dfs, true);
    } else if (dfs->level < dfs->config.bound && plans_at(dfs, dfs->level + 1) > 0) {
        dfs->level++;
        begin_pass(dfs, false);
    } else {
        dfs->done = true;
    }
}

/* Goes to the next pass when every plan of this one has been run. */
static void go_on(struct strategy *dfs)
{
    while (!dfs->done && !settle(dfs, &dfs->take))
        next_pass(dfs);
}

static struct strategy *dfs_open(const struct strategy_config *config, GError **error)
{
    if (config->bound > FL_MAX_PREEMPTIONS) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE, "bound must be from 0 to %u, not %u",
                    FL_MAX_PREEMPTIONS, config->bound);
        return NULL;
    }
    struct strategy *dfs = g_new0(struct strategy, 1);
    dfs->config = *config;
    dfs->tree = tree_new(config->depth, config->prune);
    dfs->plans = g_array_new(FALSE, TRUE, sizeof(uint64_t));
    g_array_set_size(dfs->plans, FL_MAX_PREEMPTIONS + 2);
    g_array_index(dfs->plans, uint64_t, 0) = 1;
    dfs->guess = guess_new();
    dfs->oldest = UINT_MAX;
    go_on(dfs);
    return dfs;
}

/* Whether more is wanted of a run than its entries, which makes it slower. Places with k >= 1: at
 * access there is always something to learn; at insn they are wanted for children, and of the root
 * to be counted. For pruning, the order of its steps: of those that have children. */
static bool is_measured(const struct strategy *dfs, const struct tree_branch *branch)
{
    return (dfs->config.prune && is_extended(dfs, branch)) ||
           dfs->config.depth == FL_DEPTH_ACCESS ||
           (dfs->config.depth == FL_DEPTH_INSN && (branch->level == 0 || is_extended(dfs, branch)));
}

static bool dfs_next(struct strategy *dfs, struct fl_plan *plan)
{
    if (dfs->done || !settle(dfs, &dfs->issue))
        return false;
    *plan = dfs->config.base;
    plan->depth = (uint8_t)dfs->config.depth;
    if (is_measured(dfs, tree_branch(dfs->tree, dfs->issue.at.branch)))
        plan->mode |= FL_MODE_SPANS;
    tree_plan(dfs->tree, dfs->issue.at, dfs->config.scenario, plan);
    advance(dfs, &dfs->issue);
    return true;
}

/* ---- what is left ---- */

static uint64_t returned(const struct strategy *dfs)
{
    return dfs->returned + dfs->take.passed;
}

/* All runs of the search. */
static double estimate(const struct strategy *dfs)
{
    double total = 0;
    for (unsigned level = 0; level <= dfs->level; level++)
        total += (double)plans_at(dfs, level);
    const double seen = dfs->again ? (double)plans_at(dfs, dfs->level) : (double)dfs->take.passed;
    if (seen == 0)
        return (double)returned(dfs);
    /* Every further preemption multiplies the plans by the children per plan of the level at hand,
     * divided by its rank, since preemptions are chosen in ascending order. */
    const double children = (double)plans_at(dfs, dfs->level + 1) / seen;
    double next = (double)plans_at(dfs, dfs->level);
    for (unsigned level = dfs->level + 1; level <= dfs->config.bound; level++) {
        next *= children * (dfs->level + 1) / level;
        total += next;
    }
    return MAX(total, (double)returned(dfs));
}

/* ---- back ---- */

static void extend(struct strategy *dfs, const struct run_report *report)
{
    const uint32_t before = tree_branches(dfs->tree);
    tree_extend(dfs->tree, dfs->take.at, report);
    for (uint32_t i = before; i < tree_branches(dfs->tree); i++) {
        const struct tree_branch *branch = tree_branch(dfs->tree, i);
        if (!is_covered(dfs, branch))
            g_array_index(dfs->plans, uint64_t, branch->level) += branch->count;
    }
}

/* A run that did not reach its last preemption says nothing about the places after it. (The driver
 * treats it as the error that it is: the parent's run did reach that place.) */
static bool dfs_done(struct strategy *dfs, const struct run_report *report)
{
    const bool extended = is_extended(dfs, tree_branch(dfs->tree, dfs->take.at.branch));
    dfs->hidden |= extended && report->hidden;
    dfs->newest = MAX(dfs->newest, report->generation);
    if (extended) {
        dfs->oldest = MIN(dfs->oldest, report->generation);
        if (report->n_taken == report->plan->n_preemptions)
            extend(dfs, report);
    }
    advance(dfs, &dfs->take);
    guess_note(dfs->guess, estimate(dfs));
    go_on(dfs);
    return extended;
}

static bool dfs_finished(const struct strategy *dfs)
{
    return dfs->done && !dfs->hidden;
}

static void dfs_progress(const struct strategy *dfs, struct strategy_progress *progress)
{
    uint64_t known = 0;
    for (unsigned level = 0; level <= dfs->level; level++)
        known += plans_at(dfs, level);
    *progress = (struct strategy_progress){
        .depth = dfs->config.depth,
        .bound = dfs->level,
        .runs = returned(dfs),
        .runs_known = MAX(known, returned(dfs)),
        .runs_estimated = estimate(dfs),
        .pruned = tree_pruned(dfs->tree),
    };
    guess_band(dfs->guess, &progress->estimated_least, &progress->estimated_most);
    for (unsigned i = 0; dfs->done && i < ESTIMATE_PARTS; i++)
        progress->estimate_quality[i] = guess_quality(dfs->guess, estimate_parts[i]);
    progress->searched[dfs->config.depth] = dfs->done ? dfs->config.bound + 1 : dfs->level;
}

static void dfs_close(struct strategy *dfs)
{
    tree_free(dfs->tree);
    g_array_free(dfs->plans, TRUE);
    guess_free(dfs->guess);
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
