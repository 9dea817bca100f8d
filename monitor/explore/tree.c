#include "tree.h"

#include <string.h>
#include "plan.h"
#include "trace.h"

struct tree {
    unsigned depth;
    GArray *branches;  /* of struct tree_branch, the root first */
    GHashTable *known; /* depth access: the branches, all of one plan each, as a set; else NULL */
    GHashTable *stood; /* pruning: of struct choice_made, as a set; else NULL */
    uint64_t pruned;
};

static struct tree_branch *branch_at(const struct tree *tree, uint32_t i)
{
    return &g_array_index(tree->branches, struct tree_branch, i);
}

/* ---- at depth access: children are told apart by what they add to which plan ---- */

struct child {
    uint32_t parent;
    struct fl_preemption added;
};

/* FNV-1a over the words (Fowler, Noll, Vo; RFC 9923). */
static guint child_hash(gconstpointer key)
{
    const struct child *child = key;
    const uint32_t words[] = {child->parent, child->added.thread, child->added.n, child->added.k,
                              child->added.target};
    guint hash = 2166136261u;
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        hash = (hash ^ words[i]) * 16777619u;
    return hash;
}

static gboolean child_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct child)) == 0;
}

/* Whether the child is new; it is known from then on. */
static bool is_new(struct tree *tree, const struct tree_branch *branch)
{
    const struct child child = {branch->parent.branch, branch->added};
    return tree->known == NULL || g_hash_table_add(tree->known, g_memdup2(&child, sizeof(child)));
}

/* ---- pruning: choices are told apart by what they follow upon ---- */

struct choice_made {
    uint64_t prefix;
    uint64_t target;
};

static guint choice_hash(gconstpointer key)
{
    const struct choice_made *choice = key;
    return (guint)(choice->prefix ^ choice->target * 0x9e3779b1u);
}

static gboolean choice_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct choice_made)) == 0;
}

/* Whether the choice has not been made before; from now on it has. */
static bool is_first(struct tree *tree, const struct run_report *report, const struct place *place,
                     uint32_t target)
{
    if (tree->stood == NULL || report->prefixes == NULL)
        return true;
    const struct choice_made choice = {report->prefixes[place - report->places], target};
    const bool first =
        choice.prefix == 0 || g_hash_table_add(tree->stood, g_memdup2(&choice, sizeof(choice)));
    tree->pruned += !first;
    return first;
}

uint64_t tree_pruned(const struct tree *tree)
{
    return tree->pruned;
}

struct tree *tree_new(unsigned depth, bool prune)
{
    struct tree *tree = g_new0(struct tree, 1);
    tree->depth = depth;
    tree->branches = g_array_new(FALSE, TRUE, sizeof(struct tree_branch));
    if (depth == FL_DEPTH_ACCESS)
        tree->known = g_hash_table_new_full(child_hash, child_equal, g_free, NULL);
    if (prune)
        tree->stood = g_hash_table_new_full(choice_hash, choice_equal, g_free, NULL);
    const struct tree_branch root = {.count = 1, .depth = FL_DEPTH_IPC};
    g_array_append_val(tree->branches, root);
    return tree;
}

void tree_free(struct tree *tree)
{
    g_array_free(tree->branches, TRUE);
    g_clear_pointer(&tree->known, g_hash_table_unref);
    g_clear_pointer(&tree->stood, g_hash_table_unref);
    g_free(tree);
}

uint32_t tree_branches(const struct tree *tree)
{
    return tree->branches->len;
}

const struct tree_branch *tree_branch(const struct tree *tree, uint32_t i)
{
    return branch_at(tree, i);
}

void tree_plan(const struct tree *tree, struct tree_node node, const struct fl_scenario *scenario,
               struct fl_plan *plan)
{
    while (node.branch != 0) {
        const struct tree_branch *branch = branch_at(tree, node.branch);
        struct fl_preemption added = branch->added;
        added.k += node.offset;
        bool inserted = plan_insert(plan, scenario, &added, NULL);
        g_assert(inserted);
        node = branch->parent;
    }
}

/* ---- children ---- */

/* Whether b is the next instruction of a's stretch of user mode, with the same threads ready. */
static bool continues(const struct run_report *report, const struct place *a, const struct place *b)
{
    return a->k > 0 && b->k == a->k + 1 && a->thread == b->thread && a->n == b->n &&
           a->event == b->event && a->n_ready == b->n_ready &&
           memcmp(&report->ready[a->ready], &report->ready[b->ready],
                  a->n_ready * sizeof(*report->ready)) == 0;
}

static void begin_branches(struct tree *tree, struct tree_node node,
                           const struct run_report *report, const struct place *place)
{
    struct tree_branch branch = {
        .parent = node,
        .added = {place->thread, place->n, place->k, 0},
        .count = 1,
        .level = (uint16_t)(branch_at(tree, node.branch)->level + 1),
    };
    const unsigned depth = place->k > 0 ? tree->depth : trace_point_depth(place->point);
    branch.depth = (uint16_t)MAX(depth, branch_at(tree, node.branch)->depth);
    for (unsigned i = 0; i < place->n_ready; i++) {
        branch.added.target = report->ready[place->ready + i];
        if (is_new(tree, &branch) && is_first(tree, report, place, branch.added.target))
            g_array_append_val(tree->branches, branch);
    }
    g_assert(tree->branches->len < UINT32_MAX);
}

void tree_extend(struct tree *tree, struct tree_node node, const struct run_report *report)
{
    const uint64_t after = report->n_taken == 0 ? 0 : report->taken_at[report->n_taken - 1];
    const struct place *before = NULL;
    for (size_t i = 0; i < report->n_places; i++) {
        const struct place *place = &report->places[i];
        if (place->event < after)
            continue;
        if (tree->known == NULL && before != NULL && continues(report, before, place)) {
            for (unsigned j = 1; j <= place->n_ready; j++)
                branch_at(tree, tree->branches->len - j)->count++;
        } else {
            begin_branches(tree, node, report, place);
        }
        before = place;
    }
}
