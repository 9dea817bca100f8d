/* Shrinks a plan to what its violation needs.
 *
 * First it leaves out failures, one at a time. Then it tries every preemption alone, then leaves
 * out windows of them, from all to one (delta debugging, Zeller and Hildebrandt, TSE 2002, with
 * complements only), until none can be left out. Then each one that remains is moved to the
 * earliest place after the one before it, and to the first of the threads that are ready there,
 * with which the violation stays: searches that met one bug in different ways end with the same
 * plan.
 *
 * A candidate counts when every preemption of it took place and the violation that the engine
 * reports is of the same check. Candidates are given out ahead, as if every one before them would
 * fail; when one succeeds, those in flight behind it are of no more use and their runs are ignored.
 */
#include "strategy.h"

#include <string.h>
#include "check.h"
#include "plan.h"

enum phase { CONFIRM, SPARE, SINGLE, DROP, MOVE, DONE };

/* A place before which a preemption could be moved. */
struct option {
    struct fl_preemption preemption;
    uint64_t event;
};

/* How far it has come: what to try next. */
struct step {
    enum phase phase;
    unsigned at;     /* SPARE: which failure; SINGLE, DROP, MOVE: which preemption */
    unsigned window; /* DROP: how many are left out */
    bool dropped;    /* DROP: some were, since `at` was 0 */
    unsigned option; /* MOVE: the next option to try */
};

/* A plan that was given out, and the step that it was. */
struct candidate {
    struct fl_plan plan;
    struct step step;
    bool looks; /* the best plan up to the preemption to be moved, to see its options */
};

struct strategy {
    struct strategy_config config;
    struct step step;
    bool confirmed; /* `best` is a plan that violates */
    bool looking;   /* a look is in flight: nothing can be given out before it is back */
    unsigned seen;  /* `options` are those for preemptions before this one */
    struct fl_plan best;
    GArray *taken;    /* struct option: the preemptions of `best`, in the order of its run */
    GArray *options;  /* struct option: every departure that was possible in a run of it */
    GQueue *flight;   /* struct candidate: given out and not come back, the oldest first */
    unsigned useless; /* the oldest so many of them */
    uint64_t runs;
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
    minimise->taken = g_array_new(FALSE, FALSE, sizeof(struct option));
    minimise->options = g_array_new(FALSE, FALSE, sizeof(struct option));
    minimise->flight = g_queue_new();
    return minimise;
}

static const struct option *option_at(const GArray *options, unsigned i)
{
    return &g_array_index(options, struct option, i);
}

/* ---- candidates ---- */

/* The best plan without its preemptions [from, to) of the run's order. */
static void without(const struct strategy *minimise, unsigned from, unsigned to,
                    struct fl_plan *plan)
{
    *plan = minimise->config.base;
    plan->depth = minimise->config.given->depth;
    plan->mode |= minimise->config.given->mode & FL_MODE_FAIL;
    for (uint32_t i = 0; i < minimise->best.n_failures; i++)
        plan_fail(plan, &minimise->best.failures[i], NULL);
    for (unsigned i = 0; i < minimise->taken->len; i++)
        if (i < from || i >= to)
            plan_insert(plan, minimise->config.scenario, &option_at(minimise->taken, i)->preemption,
                        NULL);
}

/* Places with k >= 1 are told only when they are wanted, which makes a run slower. */
static bool needs_look(const struct strategy *minimise)
{
    return minimise->config.depth > FL_DEPTH_SYNC;
}

/* The plan stays one of mode fail: core's entries are numbered alike in all of them. */
static bool propose_spare(const struct strategy *minimise, struct candidate *candidate)
{
    const struct fl_plan *best = &minimise->best;
    if (minimise->step.at >= best->n_failures)
        return false;
    candidate->plan = *best;
    plan_fail_nothing(&candidate->plan);
    candidate->plan.mode |= FL_MODE_FAIL;
    for (uint32_t i = 0; i < best->n_failures; i++)
        if (i != minimise->step.at)
            plan_fail(&candidate->plan, &best->failures[i], NULL);
    return true;
}

static bool propose_single(const struct strategy *minimise, struct candidate *candidate)
{
    const struct step *step = &minimise->step;
    if (minimise->taken->len < 2 || step->at == minimise->taken->len)
        return false;
    without(minimise, 0, minimise->taken->len, &candidate->plan);
    return plan_insert(&candidate->plan, minimise->config.scenario,
                       &option_at(minimise->taken, step->at)->preemption, NULL);
}

static bool propose_drop(struct strategy *minimise, struct candidate *candidate)
{
    struct step *step = &minimise->step;
    while (step->at >= minimise->taken->len) {
        if (minimise->taken->len == 0 || (step->window == 1 && !step->dropped))
            return false;
        step->window = MAX(1, step->window / 2);
        step->at = 0;
        step->dropped = false;
    }
    without(minimise, step->at, step->at + step->window, &candidate->plan);
    return true;
}

/* Whether the option lies after the preemption before the one to be moved. Options are tried from
 * the earliest on, and no further than to the one that is taken already. */
static bool after_previous(const struct strategy *minimise, const struct option *option)
{
    const unsigned at = minimise->step.at;
    return at == 0 || option->event > option_at(minimise->taken, at - 1)->event;
}

static bool taken_already(const struct strategy *minimise, const struct option *option)
{
    const struct option *taken = option_at(minimise->taken, minimise->step.at);
    return memcmp(&option->preemption, &taken->preemption, sizeof(option->preemption)) == 0;
}

/* The run is the best plan's up to where the preemption to be moved comes, which is in it a place
 * like any other. */
static bool propose_look(struct strategy *minimise, struct candidate *candidate)
{
    without(minimise, minimise->step.at, minimise->taken->len, &candidate->plan);
    candidate->plan.mode |= FL_MODE_SPANS;
    candidate->looks = true;
    minimise->looking = true;
    return true;
}

static bool propose_option(struct strategy *minimise, struct candidate *candidate)
{
    struct step *step = &minimise->step;
    while (step->option < minimise->options->len) {
        const struct option *option = option_at(minimise->options, step->option++);
        if (taken_already(minimise, option))
            break;
        if (!after_previous(minimise, option))
            continue;
        without(minimise, step->at, step->at + 1, &candidate->plan);
        if (plan_insert(&candidate->plan, minimise->config.scenario, &option->preemption, NULL))
            return true;
    }
    step->option = minimise->options->len;
    return false;
}

static bool propose_move(struct strategy *minimise, struct candidate *candidate)
{
    struct step *step = &minimise->step;
    for (; step->at < minimise->taken->len; step->at++, step->option = 0) {
        if (step->at >= minimise->seen)
            return propose_look(minimise, candidate);
        if (propose_option(minimise, candidate))
            return true;
    }
    return false;
}

static bool propose(struct strategy *minimise, struct candidate *candidate)
{
    switch (minimise->step.phase) {
    case CONFIRM:
        candidate->plan = *minimise->config.given;
        return true;
    case SPARE:
        return propose_spare(minimise, candidate);
    case SINGLE:
        return propose_single(minimise, candidate);
    case DROP:
        return propose_drop(minimise, candidate);
    case MOVE:
        return propose_move(minimise, candidate);
    case DONE:
        break;
    }
    return false;
}

static void enter(struct strategy *minimise, enum phase phase)
{
    minimise->step = (struct step){.phase = phase, .window = MAX(1, minimise->taken->len)};
}

/* From the step of a plan to the one that follows if it does not violate. */
static void expect_failure(struct strategy *minimise)
{
    struct step *step = &minimise->step;
    switch (step->phase) {
    case CONFIRM:
        enter(minimise, DONE);
        break;
    case SPARE:
    case SINGLE:
        step->at++;
        break;
    case DROP:
        step->at += step->window;
        break;
    default: /* MOVE: the option is counted already */
        break;
    }
}

static bool minimise_next(struct strategy *minimise, struct fl_plan *plan)
{
    if (minimise->looking)
        return false;
    struct candidate *candidate = g_new0(struct candidate, 1);
    while (minimise->step.phase != DONE && !propose(minimise, candidate))
        enter(minimise, minimise->step.phase + 1);
    if (minimise->step.phase == DONE) {
        g_free(candidate);
        return false;
    }
    candidate->step = minimise->step;
    *plan = candidate->plan;
    g_queue_push_tail(minimise->flight, candidate);
    expect_failure(minimise);
    return true;
}

/* ---- answers ---- */

static bool still_violated(const struct strategy *minimise, const struct run_report *report)
{
    return report->verdict->refused == report->plan->n_failures &&
           report->result->reached == report->plan->n_preemptions &&
           report->n_taken == report->plan->n_preemptions &&
           report->verdict->kind == VERDICT_VIOLATION &&
           strcmp(report->verdict->violations[0].check->id, minimise->config.check) == 0;
}

static void see_options(struct strategy *minimise, const struct run_report *report)
{
    g_array_set_size(minimise->options, 0);
    for (size_t i = 0; i < report->n_places; i++) {
        const struct place *place = &report->places[i];
        for (unsigned j = 0; j < place->n_ready; j++) {
            const struct option option = {
                {place->thread, place->n, place->k, report->ready[place->ready + j]}, place->event};
            g_array_append_val(minimise->options, option);
        }
    }
}

static void adopt(struct strategy *minimise, const struct candidate *candidate,
                  const struct run_report *report)
{
    minimise->best = candidate->plan;
    minimise->confirmed = true;
    g_array_set_size(minimise->taken, 0);
    for (size_t i = 0; i < report->n_taken; i++) {
        const struct option taken = {report->taken[i], report->taken_at[i]};
        g_array_append_val(minimise->taken, taken);
    }
    minimise->seen = needs_look(minimise) ? 0 : UINT_MAX;
    if (!needs_look(minimise))
        see_options(minimise, report);
}

/* Goes on from the step of the plan that violates. */
static void after_success(struct strategy *minimise, const struct candidate *candidate)
{
    minimise->step = candidate->step;
    minimise->looking = false;
    minimise->useless = g_queue_get_length(minimise->flight);
    switch (candidate->step.phase) {
    case CONFIRM:
        enter(minimise, SPARE);
        break;
    case SPARE: /* what followed it has moved up */
        break;
    case SINGLE:
        enter(minimise, DROP);
        break;
    case DROP: /* what followed the window has moved up to `at` */
        minimise->step.dropped = true;
        break;
    case MOVE: /* the first option that does is the earliest */
        minimise->step.at++;
        minimise->step.option = 0;
        break;
    case DONE:
        break;
    }
}

/* What a look shows is good for the preemptions up to the one that it left out. */
static void look(struct strategy *minimise, const struct candidate *candidate,
                 const struct run_report *report)
{
    minimise->looking = false;
    minimise->seen = candidate->step.at + 1;
    minimise->step = candidate->step;
    see_options(minimise, report);
    if (report->n_taken != report->plan->n_preemptions)
        enter(minimise, DONE);
}

static bool minimise_done(struct strategy *minimise, const struct run_report *report)
{
    g_autofree struct candidate *candidate = g_queue_pop_head(minimise->flight);
    if (minimise->useless > 0) {
        minimise->useless--;
        return false;
    }
    minimise->runs++;
    if (candidate->looks) {
        look(minimise, candidate, report);
        return true;
    }
    if (!still_violated(minimise, report))
        return false;
    adopt(minimise, candidate, report);
    after_success(minimise, candidate);
    return true;
}

static bool minimise_finished(const struct strategy *minimise)
{
    return minimise->step.phase == DONE && g_queue_is_empty(minimise->flight);
}

static void minimise_progress(const struct strategy *minimise, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .depth = minimise->config.depth,
        .bound = minimise->taken->len,
        .runs = minimise->runs,
    };
}

static void minimise_close(struct strategy *minimise)
{
    g_array_free(minimise->taken, TRUE);
    g_array_free(minimise->options, TRUE);
    g_queue_free_full(minimise->flight, g_free);
    g_free(minimise);
}

const struct fl_plan *minimise_result(const struct strategy *minimise)
{
    return minimise->confirmed ? &minimise->best : NULL;
}

const struct strategy_ops strategy_minimise = {
    .id = "minimise",
    .summary =
        "the fewest failures, and the fewest and earliest preemptions, that keep a violation",
    .open = minimise_open,
    .next = minimise_next,
    .done = minimise_done,
    .finished = minimise_finished,
    .progress = minimise_progress,
    .close = minimise_close,
};
