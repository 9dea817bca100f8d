/* Stateful search: every state that the guest can be brought to at a place, once, and every choice
 * there once (Godefroid, POPL 1997, says why one would rather not keep states; here they are 16
 * bytes, and a kernel that boots to the same place again and again has few).
 *
 * The plans are those of the bounded search (tree.h): the default schedule, and from each state of
 * a run that was not met before a further preemption for each thread that was ready there. Where a
 * run comes to a state that was met before, all that can follow is found from there: the rest of
 * it is no news. Plans with fewer preemptions come first, so whoever met the state had at least as
 * many left to spend: the cut is sound with a bound, too. Without one the search ends when no state
 * has a choice left that was not taken.
 *
 * Where a thread gives the processor up, and in user mode, nobody asks for the state: it follows
 * from the one before and the choice there. So a choice there is taken if the state before was new.
 *
 * At depth access places become known while the search goes on. When some have by the end of a
 * level, the search begins anew: by then little has been done, since most are found early.
 */
#include "strategy.h"

#include "plan.h"

#define NO_PARENT UINT32_MAX

/* A choice to be taken: a preemption after those of its parent. */
struct departure {
    uint32_t parent;
    uint32_t level; /* preemptions */
    struct fl_preemption preemption;
};

struct strategy {
    struct strategy_config config;
    GArray *choices; /* of struct departure, fewest preemptions first */
    uint32_t issued, returned;
    unsigned oldest, newest; /* generations reported in this pass */
    uint64_t passed;         /* runs of the passes before */
    GHashTable *states;      /* of struct state_hash, as a set */
    bool incomplete; /* a state had choices that no plan has room for, or could not be told */
};

static void begin_pass(struct strategy *stateful)
{
    const struct departure root = {.parent = NO_PARENT};
    stateful->passed += stateful->returned;
    stateful->issued = stateful->returned = 0;
    stateful->oldest = UINT_MAX;
    stateful->incomplete = false;
    g_hash_table_remove_all(stateful->states);
    g_array_set_size(stateful->choices, 0);
    g_array_append_val(stateful->choices, root);
}

static struct strategy *stateful_open(const struct strategy_config *config, GError **error)
{
    if (config->depth > FL_DEPTH_ACCESS) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "a stateful search is of depth ipc, sync or access");
        return NULL;
    }
    struct strategy *stateful = g_new0(struct strategy, 1);
    stateful->config = *config;
    stateful->choices = g_array_new(FALSE, FALSE, sizeof(struct departure));
    stateful->states = g_hash_table_new_full(state_hash_key, state_hash_equal, g_free, NULL);
    begin_pass(stateful);
    return stateful;
}

static const struct departure *choice_at(const struct strategy *stateful, uint32_t i)
{
    return &g_array_index(stateful->choices, struct departure, i);
}

/* Of as many preemptions as the one that comes back next. */
static bool is_of_level(const struct strategy *stateful, uint32_t i)
{
    return choice_at(stateful, i)->level == choice_at(stateful, stateful->returned)->level;
}

static bool stateful_next(struct strategy *stateful, struct fl_plan *plan)
{
    if (stateful->issued == stateful->choices->len || !is_of_level(stateful, stateful->issued))
        return false;
    *plan = stateful->config.base;
    plan->depth = (uint8_t)stateful->config.depth;
    plan->mode |= FL_MODE_ONLINE | FL_MODE_AFTER;
    if (plan->depth == FL_DEPTH_ACCESS)
        plan->mode |= FL_MODE_SPANS;
    const struct departure *choice = choice_at(stateful, stateful->issued++);
    for (; choice->parent != NO_PARENT; choice = choice_at(stateful, choice->parent)) {
        bool inserted = plan_insert(plan, stateful->config.scenario, &choice->preemption, NULL);
        g_assert(inserted);
    }
    return true;
}

static bool stateful_known(const struct strategy *stateful, const struct state_hash *state)
{
    return g_hash_table_contains(stateful->states, state);
}

/* Whether the state is new; it is known from then on. */
static bool meet(struct strategy *stateful, const struct state_hash *state)
{
    return g_hash_table_add(stateful->states, g_memdup2(state, sizeof(*state)));
}

static void add_choices(struct strategy *stateful, const struct run_report *report,
                        const struct place *place)
{
    struct departure choice = {
        .parent = stateful->returned,
        .level = choice_at(stateful, stateful->returned)->level + 1,
        .preemption = {place->thread, place->n, place->k, 0},
    };
    if (choice.level > stateful->config.bound) {
        stateful->incomplete |= stateful->config.bound == FL_MAX_PREEMPTIONS;
        return;
    }
    for (unsigned i = 0; i < place->n_ready; i++) {
        choice.preemption.target = report->ready[place->ready + i];
        g_array_append_val(stateful->choices, choice);
    }
}

static bool is_told(const struct state_hash *state)
{
    return (state->low | state->high) != 0;
}

/* Places that became known meanwhile may have been passed by: then all begins anew. */
static void end_level(struct strategy *stateful)
{
    const bool ended = stateful->returned == stateful->choices->len ||
                       !is_of_level(stateful, stateful->returned - 1);
    if (ended && stateful->oldest < stateful->newest)
        begin_pass(stateful);
}

static bool stateful_done(struct strategy *stateful, const struct run_report *report)
{
    const uint64_t after = report->n_taken == 0 ? 0 : report->taken_at[report->n_taken - 1];
    bool news = true;
    stateful->incomplete |= report->hidden;
    for (size_t i = 0; i < report->n_places && news; i++) {
        if (report->places[i].event < after)
            continue;
        if (report->places[i].k == 0) {
            stateful->incomplete |= !is_told(&report->states[i]);
            news = meet(stateful, &report->states[i]);
        }
        if (news)
            add_choices(stateful, report, &report->places[i]);
    }
    stateful->newest = report->generation;
    stateful->oldest = MIN(stateful->oldest, report->generation);
    stateful->returned++;
    end_level(stateful);
    return true;
}

static bool stateful_finished(const struct strategy *stateful)
{
    return stateful->returned == stateful->choices->len && !stateful->incomplete;
}

static void stateful_progress(const struct strategy *stateful, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .depth = stateful->config.depth,
        .bound = choice_at(stateful, MIN(stateful->returned, stateful->choices->len - 1))->level,
        .runs = stateful->passed + stateful->returned,
        .runs_known = stateful->passed + stateful->choices->len,
        .states = g_hash_table_size(stateful->states),
    };
}

static void stateful_close(struct strategy *stateful)
{
    g_array_free(stateful->choices, TRUE);
    g_hash_table_unref(stateful->states);
    g_free(stateful);
}

const struct strategy_ops strategy_stateful = {
    .id = "stateful",
    .summary = "every state and every choice in it, once",
    .open = stateful_open,
    .next = stateful_next,
    .done = stateful_done,
    .known = stateful_known,
    .finished = stateful_finished,
    .progress = stateful_progress,
    .close = stateful_close,
};
