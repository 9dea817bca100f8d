/* Shrinks a plan to what its violation needs.
 *
 * First it tries every preemption alone, then leaves out windows of them, from all to one
 * (delta debugging, Zeller and Hildebrandt, TSE 2002, with complements only), until none can be
 * left out. Then each one that remains is moved to the earliest place after the one before it, and
 * to the first of the threads that are ready there, with which the violation stays: searches that
 * met one bug in different ways end with the same plan.
 *
 * A candidate counts when every preemption of it took place and the violation that the engine
 * reports is of the same check. One candidate is in flight at a time, since each depends on the one
 * before.
 */
#include "strategy.h"

#include <string.h>
#include "check.h"
#include "plan.h"

enum phase { CONFIRM, SINGLE, DROP, MOVE, DONE };

/* A place before which a preemption could be moved. */
struct option {
    struct fl_preemption preemption;
    uint64_t event;
};

struct strategy {
    struct strategy_config config;
    enum phase phase;
    bool in_flight;
    bool confirmed; /* `best` is a plan that violates */
    struct fl_plan best;
    struct fl_plan candidate;
    GArray *taken;   /* struct option: the preemptions of `best`, in the order of its run */
    GArray *options; /* struct option: every departure that was possible in that run */
    unsigned at;     /* SINGLE, DROP, MOVE: which preemption */
    unsigned window; /* DROP: how many are left out */
    bool dropped;    /* DROP: some were, since `at` was 0 */
    unsigned option; /* MOVE: the next option to try */
};

static struct strategy *minimise_open(const struct strategy_config *config, GError **error)
{
    if (config->given == NULL || config->check == NULL) {
        g_set_error(
            error, PLAN_ERROR, PLAN_ERROR_SYNTAX,
            "strategy minimise needs a finding: `faultline explore` minimises what it finds");
        return NULL;
    }
    struct strategy *minimise = g_new0(struct strategy, 1);
    minimise->config = *config;
    minimise->candidate = *config->given;
    minimise->taken = g_array_new(FALSE, FALSE, sizeof(struct option));
    minimise->options = g_array_new(FALSE, FALSE, sizeof(struct option));
    return minimise;
}

static const struct option *option_at(const GArray *options, unsigned i)
{
    return &g_array_index(options, struct option, i);
}

/* ---- candidates ---- */

/* The best plan without its preemptions [from, to) of the run's order. */
static void without(struct strategy *minimise, unsigned from, unsigned to)
{
    minimise->candidate = minimise->config.base;
    minimise->candidate.depth = minimise->config.given->depth;
    for (unsigned i = 0; i < minimise->taken->len; i++)
        if (i < from || i >= to)
            plan_insert(&minimise->candidate, minimise->config.scenario,
                        &option_at(minimise->taken, i)->preemption, NULL);
}

static bool propose_single(struct strategy *minimise)
{
    if (minimise->taken->len < 2 || minimise->at == minimise->taken->len)
        return false;
    without(minimise, 0, minimise->taken->len);
    return plan_insert(&minimise->candidate, minimise->config.scenario,
                       &option_at(minimise->taken, minimise->at)->preemption, NULL);
}

static bool propose_drop(struct strategy *minimise)
{
    while (minimise->at >= minimise->taken->len) {
        if (minimise->taken->len == 0 || (minimise->window == 1 && !minimise->dropped))
            return false;
        minimise->window = MAX(1, minimise->window / 2);
        minimise->at = 0;
        minimise->dropped = false;
    }
    without(minimise, minimise->at, minimise->at + minimise->window);
    return true;
}

/* Whether the option lies after the preemption before the one to be moved. Options are tried from
 * the earliest on, and no further than to the one that is taken already. */
static bool after_previous(const struct strategy *minimise, const struct option *option)
{
    return minimise->at == 0 || option->event > option_at(minimise->taken, minimise->at - 1)->event;
}

static bool taken_already(const struct strategy *minimise, const struct option *option)
{
    return memcmp(&option->preemption, &option_at(minimise->taken, minimise->at)->preemption,
                  sizeof(option->preemption)) == 0;
}

static bool propose_move(struct strategy *minimise)
{
    for (; minimise->at < minimise->taken->len; minimise->at++, minimise->option = 0) {
        while (minimise->option < minimise->options->len) {
            const struct option *option = option_at(minimise->options, minimise->option++);
            if (taken_already(minimise, option))
                break;
            if (!after_previous(minimise, option))
                continue;
            without(minimise, minimise->at, minimise->at + 1);
            if (plan_insert(&minimise->candidate, minimise->config.scenario, &option->preemption,
                            NULL))
                return true;
        }
    }
    return false;
}

static bool propose(struct strategy *minimise)
{
    switch (minimise->phase) {
    case CONFIRM:
        return true;
    case SINGLE:
        return propose_single(minimise);
    case DROP:
        return propose_drop(minimise);
    case MOVE:
        return propose_move(minimise);
    case DONE:
        break;
    }
    return false;
}

static void enter(struct strategy *minimise, enum phase phase)
{
    minimise->phase = phase;
    minimise->at = 0;
    minimise->option = 0;
    minimise->dropped = false;
    minimise->window = MAX(1, minimise->taken->len);
}

static bool minimise_next(struct strategy *minimise, struct fl_plan *plan)
{
    if (minimise->in_flight)
        return false;
    while (minimise->phase != DONE && !propose(minimise))
        enter(minimise, minimise->phase + 1);
    if (minimise->phase == DONE)
        return false;
    *plan = minimise->candidate;
    minimise->in_flight = true;
    return true;
}

/* ---- answers ---- */

static bool still_violated(const struct strategy *minimise, const struct run_report *report)
{
    return report->result->reached == report->plan->n_preemptions &&
           report->n_taken == report->plan->n_preemptions &&
           report->verdict->kind == VERDICT_VIOLATION &&
           strcmp(report->verdict->violations[0].check->id, minimise->config.check) == 0;
}

static void adopt(struct strategy *minimise, const struct run_report *report)
{
    minimise->best = minimise->candidate;
    minimise->confirmed = true;
    g_array_set_size(minimise->taken, 0);
    for (size_t i = 0; i < report->n_taken; i++) {
        const struct option taken = {report->taken[i], report->taken_at[i]};
        g_array_append_val(minimise->taken, taken);
    }
    g_array_set_size(minimise->options, 0);
    for (size_t i = 0; i < report->n_places; i++) {
        const struct place *place = &report->places[i];
        for (unsigned j = 0; strategy_place(place, minimise->config.depth) && j < place->n_ready;
             j++) {
            const struct option option = {
                {place->thread, place->n, place->k, report->ready[place->ready + j]}, place->event};
            g_array_append_val(minimise->options, option);
        }
    }
}

static void after_success(struct strategy *minimise)
{
    switch (minimise->phase) {
    case CONFIRM:
        enter(minimise, SINGLE);
        break;
    case SINGLE:
        enter(minimise, DROP);
        break;
    case DROP: /* what followed the window has moved up to `at` */
        minimise->dropped = true;
        break;
    default: /* the first option that does is the earliest */
        minimise->at++;
        minimise->option = 0;
    }
}

static void after_failure(struct strategy *minimise)
{
    switch (minimise->phase) {
    case CONFIRM:
        enter(minimise, DONE);
        break;
    case SINGLE:
        minimise->at++;
        break;
    case DROP:
        minimise->at += minimise->window;
        break;
    default:
        break;
    }
}

static void minimise_done(struct strategy *minimise, const struct run_report *report)
{
    minimise->in_flight = false;
    if (still_violated(minimise, report)) {
        adopt(minimise, report);
        after_success(minimise);
    } else {
        after_failure(minimise);
    }
}

static bool minimise_finished(const struct strategy *minimise)
{
    return minimise->phase == DONE;
}

static void minimise_progress(const struct strategy *minimise, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){.bound = minimise->taken->len};
}

static void minimise_close(struct strategy *minimise)
{
    g_array_free(minimise->taken, TRUE);
    g_array_free(minimise->options, TRUE);
    g_free(minimise);
}

const struct fl_plan *minimise_result(const struct strategy *minimise)
{
    return minimise->confirmed ? &minimise->best : NULL;
}

const struct strategy_ops strategy_minimise = {
    .id = "minimise",
    .summary = "the fewest and earliest preemptions that keep a violation",
    .open = minimise_open,
    .next = minimise_next,
    .done = minimise_done,
    .finished = minimise_finished,
    .progress = minimise_progress,
    .close = minimise_close,
};
