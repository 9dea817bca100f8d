/* The tree of plans that a bounded search has seen to be possible.
 *
 * The root is the default schedule; a plan's children add one preemption at a place of the plan's
 * own run, later than its last preemption, for each thread that was ready there. So every plan that
 * can be reached has exactly one parent.
 *
 * A branch is the children of one plan that differ in k alone: at depth insn a stretch of user mode
 * is thousands of places, and one branch for each thread that was ready meanwhile. Plans are put
 * together when they are given out.
 */
#ifndef FAULTLINE_TREE_H
#define FAULTLINE_TREE_H

#include "strategy.h"

/* One plan of the tree: which of a branch's. */
struct tree_node {
    uint32_t branch;
    uint32_t offset;
};

struct tree_branch {
    struct tree_node parent;
    struct fl_preemption added; /* of the first plan; the i-th after it has k + i */
    uint32_t count;
    uint16_t level; /* preemptions of its plans */
    uint16_t depth; /* the least at which every preemption of them is at a place */
};

struct tree;

/* depth: FL_DEPTH_* of the reports. prune: a choice at a place that stands for another with the
 * same choice (run_report.prefixes) is left out. Holds the root, branch 0. */
struct tree *tree_new(unsigned depth, bool prune);
void tree_free(struct tree *tree);

uint32_t tree_branches(const struct tree *tree);
/* Valid until tree_extend. */
const struct tree_branch *tree_branch(const struct tree *tree, uint32_t i);

/* Adds the preemptions of a node's plan. */
void tree_plan(const struct tree *tree, struct tree_node node, const struct fl_scenario *scenario,
               struct fl_plan *plan);

/* Choices that were left out. */
uint64_t tree_pruned(const struct tree *tree);

/* Adds the children of a node, whose run this was, but those that it has: at depth access a plan
 * may show more of them when it is run again. */
void tree_extend(struct tree *tree, struct tree_node node, const struct run_report *report);

#endif
