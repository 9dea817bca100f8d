/* Stateful search: every state that the guest can be brought to at a place, once, and every choice
 * there once (Godefroid, POPL 1997, says why one would rather not keep states; here they are 16
 * bytes, and a kernel that boots to the same place again and again has few).
 *
 * The first plan is the default schedule. From each place of a run where the state was not met
 * before, and from where a thread gives the processor up, there is a further plan for each other
 * thread that was ready there. Where a run comes to a state that was met before, all that can
 * follow is found from there: the rest of it is no news. Since everybody who is ready is chosen
 * once, a state does not say who would have run by default, nor in which order the others wait. In
 * user mode nobody asks: how it stands there follows from the state before and the choice there.
 *
 * With a bound, who runs matters: to let it go on is no preemption; to choose among those that wait
 * when it gives up is none either (Musuvathi and Qadeer, PLDI 2007). Plans with fewer preemptions
 * come first, so whoever met a state had at least as many left to spend. Without a bound the search
 * ends when no state has a choice left that was not taken.
 *
 * At depth access places become known while the search goes on. When some have by the end of a
 * level, the search begins anew: by then little has been done, since most are found early. States
 * are then told when a run is over (drive.c), so each goes to its end.
 */
#include "strategy.h"

#include "plan.h"

#define NO_PARENT UINT32_MAX

/* A choice to be taken: a departure after those of its parent. */
struct departure {
    uint32_t parent;
    uint16_t level;  /* preemptions */
    uint16_t length; /* departures, those that are no preemptions among them */
    struct fl_preemption preemption;
};

struct strategy {
    struct strategy_config config;
    GArray *choices; /* of struct departure */
    GArray *order;   /* uint32_t: of them, in the order of their plans */
    GArray *later;   /* likewise, with one preemption more than those being made */
    uint32_t issued, returned;
    uint32_t level;          /* preemptions of the plans being made */
    unsigned oldest, newest; /* generations reported in this pass */
    uint64_t passed;         /* runs of the passes before */
    GHashTable *states;      /* of struct state_hash, as a set */
    bool incomplete; /* a state had choices that no plan has room for, or could not be told */
};

static void add_choice(struct strategy *stateful, const struct departure *choice)
{
    const uint32_t number = stateful->choices->len;
    const bool now = number == 0 || choice->level == stateful->level;
    g_array_append_vals(stateful->choices, choice, 1);
    g_array_append_val(now ? stateful->order : stateful->later, number);
}

static void begin_pass(struct strategy *stateful)
{
    const struct departure root = {.parent = NO_PARENT};
    stateful->passed += stateful->returned;
    stateful->issued = stateful->returned = stateful->level = 0;
    stateful->oldest = UINT_MAX;
    stateful->incomplete = false;
    g_hash_table_remove_all(stateful->states);
    g_array_set_size(stateful->choices, 0);
    g_array_set_size(stateful->order, 0);
    g_array_set_size(stateful->later, 0);
    add_choice(stateful, &root);
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
    stateful->order = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    stateful->later = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    stateful->states = g_hash_table_new_full(state_hash_key, state_hash_equal, g_free, NULL);
    begin_pass(stateful);
    return stateful;
}

static const struct departure *choice_at(const struct strategy *stateful, uint32_t i)
{
    return &g_array_index(stateful->choices, struct departure, i);
}

/* The one whose plan is the i-th. */
static uint32_t nth(const struct strategy *stateful, uint32_t i)
{
    return g_array_index(stateful->order, uint32_t, i);
}

static bool stateful_next(struct strategy *stateful, struct fl_plan *plan)
{
    if (stateful->issued == stateful->order->len)
        return false;
    *plan = stateful->config.base;
    plan->depth = (uint8_t)stateful->config.depth;
    plan->mode |= FL_MODE_ONLINE | FL_MODE_AFTER;
    if (plan->depth == FL_DEPTH_ACCESS)
        plan->mode |= FL_MODE_SPANS;
    const struct departure *choice = choice_at(stateful, nth(stateful, stateful->issued++));
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
    const uint32_t parent = nth(stateful, stateful->returned);
    const bool preempts = place->k != FL_K_GIVES_UP;
    struct departure choice = {
        .parent = parent,
        .level = (uint16_t)(choice_at(stateful, parent)->level + preempts),
        .length = (uint16_t)(choice_at(stateful, parent)->length + 1),
        .preemption = {place->thread, place->n, place->k, 0},
    };
    if (choice.level > stateful->config.bound)
        return;
    if (choice.length > FL_MAX_PREEMPTIONS) {
        stateful->incomplete = true;
        return;
    }
    for (unsigned i = 0; i < place->n_ready; i++) {
        choice.preemption.target = report->ready[place->ready + i];
        add_choice(stateful, &choice);
    }
}

static bool is_told(const struct state_hash *state)
{
    return (state->low | state->high) != 0;
}

/* When the plans of this level are done, those of the next; but places that became known meanwhile
 * may have been passed by: then all begins anew. */
static void end_level(struct strategy *stateful)
{
    if (stateful->returned < stateful->order->len)
        return;
    if (stateful->oldest < stateful->newest) {
        begin_pass(stateful);
    } else if (stateful->later->len > 0) {
        g_array_append_vals(stateful->order, stateful->later->data, stateful->later->len);
        g_array_set_size(stateful->later, 0);
        stateful->level++;
    }
}

static bool stateful_done(struct strategy *stateful, const struct run_report *report)
{
    const uint64_t after = report->n_taken == 0 ? 0 : report->taken_at[report->n_taken - 1];
    bool news = true;
    for (size_t i = 0; i < report->n_places && news; i++) {
        if (report->places[i].event < after)
            continue;
        if (!fl_k_in_user(report->places[i].k)) {
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
        .bound = stateful->level,
        .runs = stateful->passed + stateful->returned,
        .runs_known = stateful->passed + stateful->choices->len,
        .states = g_hash_table_size(stateful->states),
    };
}

static void stateful_close(struct strategy *stateful)
{
    g_array_free(stateful->choices, TRUE);
    g_array_free(stateful->order, TRUE);
    g_array_free(stateful->later, TRUE);
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
