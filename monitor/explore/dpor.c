/* Dynamic partial-order reduction without a bound: of all schedules that differ in the order of
 * independent transitions alone, one (optimal DPOR: Abdulla, Aronis, Jonsson, Sagonas, POPL 2014,
 * algorithm 2; after Flanagan and Godefroid, POPL 2005). Sleep sets (Godefroid's thesis, 1996) say
 * what a node's earlier branches have seen to.
 *
 * The stack holds the transitions of the run that came back last. Each race in it that the runs
 * before did not show is reversed: what does not come after its first side, then its second side,
 * is a sequence to be tried from where the first side was. The next run is the deepest such
 * sequence, and what the default schedule makes of the rest. A plan lists the choices that differ
 * from the default's.
 *
 * With `unqueued` nobody calls core while it is at work: the call would wait in core's queue, and
 * be taken when core is done, as if it came then. Core is a lock that the call takes, and the order
 * of calls all that is left of when they came. A run in which somebody queues up all the same is
 * sent back, to have core go on there.
 *
 * A bound on preemptions would cut off runs that stand for others which are within it; so there is
 * none. Each plan depends on the run before it, so one is in flight at a time. */
#include "strategy.h"

#include "capture.h"
#include "guess.h"
#include "plan.h"
#include "wakeup.h"

/* A state of the stack: before its step. */
struct node {
    struct step step;
    GArray *waiting; /* uint32_t: threads known to be able to run */
    bool listed;     /* where the thread before gives the processor up, the plan says who runs */
    GArray *sleep;   /* struct step: what has been seen to */
    struct wakeup *tree; /* what is still to be tried */
    struct guess_node size;
};

struct strategy {
    struct strategy_config config;
    const struct relation *relation;
    GPtrArray *stack; /* of struct node */
    struct happens *happens;
    GArray *races; /* uint32_t */
    struct guess *guess;
    GArray *path; /* struct guess_node */
    guint fresh;  /* nodes from here on are not as in the run before */
    guint guided; /* nodes up to here are as the plan says */
    bool in_flight, done;
    bool partial; /* of some run the end is not known, nor what could have come before it */
    char *broken;
    uint64_t returned;
    GHashTable *orders; /* of uint64_t, as a set: fingerprints of the runs */
    uint64_t redundant; /* runs of an order that was met before */
};

static struct node *node_at(const struct strategy *dpor, guint i)
{
    return g_ptr_array_index(dpor->stack, i);
}

static void clear_step(gpointer step)
{
    footprint_unref(((struct step *)step)->footprint);
}

static struct node *node_new(void)
{
    struct node *node = g_new0(struct node, 1);
    node->waiting = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    node->sleep = g_array_new(FALSE, FALSE, sizeof(struct step));
    g_array_set_clear_func(node->sleep, clear_step);
    node->tree = wakeup_new(NULL);
    return node;
}

static void node_free(gpointer data)
{
    struct node *node = data;
    if (node->step.footprint != NULL)
        footprint_unref(node->step.footprint);
    g_array_free(node->waiting, TRUE);
    g_array_free(node->sleep, TRUE);
    wakeup_free(node->tree);
    g_free(node);
}

static void add_sleeper(struct node *node, const struct step *step)
{
    g_array_append_vals(node->sleep, step, 1);
    footprint_ref(step->footprint);
}

static struct strategy *dpor_open(const struct strategy_config *config, GError **error)
{
    if (config->depth > FL_DEPTH_SYNC) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "strategy dpor preempts at kernel entries: choose depth ipc or sync");
        return NULL;
    }
    struct strategy *dpor = g_new0(struct strategy, 1);
    dpor->config = *config;
    dpor->relation = config->relation != NULL ? config->relation : &relation_true;
    dpor->stack = g_ptr_array_new_with_free_func(node_free);
    dpor->happens = happens_new(dpor->relation);
    dpor->races = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    dpor->orders = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    dpor->guess = guess_new();
    dpor->path = g_array_new(FALSE, FALSE, sizeof(struct guess_node));
    return dpor;
}

static void dpor_close(struct strategy *dpor)
{
    g_ptr_array_free(dpor->stack, TRUE);
    happens_free(dpor->happens);
    g_array_free(dpor->races, TRUE);
    g_hash_table_unref(dpor->orders);
    guess_free(dpor->guess);
    g_array_free(dpor->path, TRUE);
    g_free(dpor->broken);
    g_free(dpor);
}

/* ---- out ---- */

static bool list_choice(const struct strategy *dpor, guint i, struct fl_plan *plan)
{
    const struct choice *at = &node_at(dpor, i - 1)->step.end;
    const struct node *node = node_at(dpor, i);
    const struct fl_preemption departure = {at->thread, at->n, at->k, node->step.thread};
    if (at->k == FL_K_GIVES_UP ? !node->listed : node->step.thread == at->thread)
        return true;
    return plan->n_preemptions < FL_MAX_PREEMPTIONS &&
           plan_insert(plan, dpor->config.scenario, &departure, NULL);
}

static bool dpor_next(struct strategy *dpor, struct fl_plan *plan)
{
    if (dpor->in_flight || dpor->done || dpor->broken != NULL)
        return false;
    *plan = dpor->config.base;
    plan->depth = (uint8_t)dpor->config.depth;
    plan->mode |= FL_MODE_SPANS;
    for (guint i = 1; i < dpor->guided; i++)
        if (!list_choice(dpor, i, plan)) {
            dpor->broken = g_strdup_printf("a schedule departs from the default at more than %u "
                                           "places",
                                           FL_MAX_PREEMPTIONS);
            return false;
        }
    dpor->in_flight = true;
    return true;
}

/* ---- back: the stack becomes the run ---- */

/* What has been seen to before the step has been after it, if they are independent. */
static void inherit_sleep(const struct strategy *dpor, const struct node *from, struct node *to)
{
    for (guint i = 0; i < from->sleep->len; i++) {
        const struct step *step = &g_array_index(from->sleep, struct step, i);
        if (step->thread != from->step.thread &&
            !footprints_depend(dpor->relation, step->footprint, from->step.footprint))
            add_sleeper(to, step);
    }
}

/* Where a thread gives up it is not told who could run. */
static void note_waiting(const struct node *from, const struct run_report *report, guint i,
                         struct node *to)
{
    const struct transition *transition = &report->steps->transitions[i];
    const uint64_t last = (uint64_t)transition->first_event + transition->events - 1;
    g_array_set_size(to->waiting, 0);
    if (transition->end.k == FL_K_GIVES_UP) {
        for (guint j = 0; j < from->waiting->len; j++)
            if (g_array_index(from->waiting, uint32_t, j) != transition->thread)
                g_array_append_vals(to->waiting, &g_array_index(from->waiting, uint32_t, j), 1);
        return;
    }
    g_array_append_val(to->waiting, transition->end.thread);
    for (size_t j = 0; j < report->n_places; j++)
        if (report->places[j].event == last)
            g_array_append_vals(to->waiting, &report->ready[report->places[j].ready],
                                report->places[j].n_ready);
}

static bool is_waiting(const struct node *node, uint32_t thread)
{
    for (guint i = 0; i < node->waiting->len; i++)
        if (g_array_index(node->waiting, uint32_t, i) == thread)
            return true;
    return false;
}

/* The i-th step of the run. false: it is not the one that the plan was to bring about. */
static bool take_step(struct strategy *dpor, const struct run_report *report, guint i)
{
    const struct run_steps *steps = report->steps;
    const struct transition *transition = &steps->transitions[i];
    if (i == dpor->stack->len)
        g_ptr_array_add(dpor->stack, node_new());
    struct node *node = node_at(dpor, i);
    if (i < dpor->guided && node->step.thread != transition->thread)
        return false;
    if (node->step.footprint != NULL)
        footprint_unref(node->step.footprint);
    node->step = (struct step){.thread = transition->thread,
                               .end = transition->end,
                               .footprint = steps->footprint(steps->context, i)};
    if (i + 1 == dpor->stack->len)
        g_ptr_array_add(dpor->stack, node_new());
    inherit_sleep(dpor, node, node_at(dpor, i + 1));
    note_waiting(node, report, i, node_at(dpor, i + 1));
    happens_add(dpor->happens, node->step.thread, node->step.footprint);
    return true;
}

/* Whether events are missing at the end: the run shows only how it began. */
static bool is_partial(const struct run_report *report)
{
    return outcome_is_cut_short(report->result->outcome) || report->result->lost > 0;
}

static bool take_steps(struct strategy *dpor, const struct run_report *report)
{
    const struct run_steps *steps = report->steps;
    happens_truncate(dpor->happens, dpor->fresh);
    for (guint i = dpor->fresh; i < steps->n; i++)
        if (!take_step(dpor, report, i))
            return false;
    const uint64_t order = happens_fingerprint(dpor->happens, happens_steps(dpor->happens));
    dpor->redundant += !g_hash_table_add(dpor->orders, g_memdup2(&order, sizeof(order)));
    g_ptr_array_set_size(dpor->stack, (gint)steps->n);
    return dpor->guided <= steps->n || (dpor->fresh < steps->n && is_partial(report));
}

/* ---- races ---- */

static bool is_seen_to(const struct node *node, const struct sequence *sequence)
{
    for (guint i = 0; i < node->sleep->len; i++)
        if (sequence_may_begin_with(sequence, &g_array_index(node->sleep, struct step, i)))
            return true;
    return false;
}

/* From before the first side: what does not come after it, then the second side. */
static void reverse(struct strategy *dpor, uint32_t first, uint32_t second,
                    const struct step *const *steps, uint32_t *room)
{
    struct sequence sequence = {
        .relation = dpor->relation, .happens = dpor->happens, .steps = steps, .at = room};
    for (uint32_t i = first + 1; i < second; i++)
        if (!happens_before(dpor->happens, first, i))
            room[sequence.length++] = i;
    room[sequence.length++] = second;
    struct node *node = node_at(dpor, first);
    if (!is_seen_to(node, &sequence))
        wakeup_insert(node->tree, &sequence);
}

/* The step, if any, by which another took away the thread's turn before its step: it would have run
 * there. What gave the turn back lies between the two, so that they are no race. */
static void add_stopper(const struct strategy *dpor, guint second, GArray *races)
{
    const uint32_t thread = node_at(dpor, second)->step.thread;
    for (uint32_t i = second; i-- > 0 && node_at(dpor, i)->step.thread != thread;)
        if (footprint_writes(node_at(dpor, i)->step.footprint, OBJECT_LIFE, thread) &&
            is_waiting(node_at(dpor, i), thread)) {
            g_array_append_val(races, i);
            return;
        }
}

/* ---- calls to core, one at a time ---- */

static bool touches_queue(const struct step *step)
{
    return step->thread != FL_PATH_CORE &&
           footprint_writes(step->footprint, OBJECT_RECEIVER, FL_PATH_CORE);
}

/* Core waited, and has taken it. */
static bool is_taken(const struct step *step)
{
    return footprint_touches(step->footprint, OBJECT_THREAD, FL_PATH_CORE);
}

/* Whoever takes others out of whatever queue touches those of all. */
static bool is_call(const struct step *step)
{
    return touches_queue(step) &&
           (is_taken(step) || !footprint_touches(step->footprint, OBJECT_RECEIVER, step->thread));
}

static bool is_queued(const struct step *step)
{
    return is_call(step) && !is_taken(step);
}

/* A call cannot come while core is at work: what ends that work is no race with it, but the call
 * that began it is, unless the caller came to this one, or was woken, because of that. */
static void look_past_work(const struct strategy *dpor, guint second, GArray *races)
{
    const uint32_t thread = node_at(dpor, second)->step.thread;
    guint kept = 0;
    for (guint i = 0; i < races->len; i++) {
        const uint32_t first = g_array_index(races, uint32_t, i);
        if (node_at(dpor, first)->step.thread != FL_PATH_CORE)
            g_array_index(races, uint32_t, kept++) = first;
    }
    g_array_set_size(races, kept);
    uint32_t before = second, began = second;
    while (before-- > 0 &&
           !footprint_touches(node_at(dpor, before)->step.footprint, OBJECT_THREAD, thread))
        continue;
    while (began-- > 0 && !is_call(&node_at(dpor, began)->step))
        continue;
    if (began != UINT32_MAX && began != before &&
        (before == UINT32_MAX || !happens_before(dpor->happens, began, before)))
        g_array_append_val(races, began);
}

static void reverse_races(struct strategy *dpor)
{
    const guint n = dpor->stack->len;
    g_autofree const struct step **steps = g_new(const struct step *, n);
    g_autofree uint32_t *room = g_new(uint32_t, n);
    for (guint i = 0; i < n; i++)
        steps[i] = &node_at(dpor, i)->step;
    for (guint second = dpor->fresh; second < n; second++) {
        g_array_set_size(dpor->races, 0);
        happens_races(dpor->happens, second, dpor->races);
        add_stopper(dpor, second, dpor->races);
        if (dpor->config.unqueued && is_call(steps[second]))
            look_past_work(dpor, second, dpor->races);
        for (guint i = 0; i < dpor->races->len; i++)
            reverse(dpor, g_array_index(dpor->races, uint32_t, i), second, steps, room);
    }
}

/* Why the run cannot be searched so; NULL: it can. */
static const char *why_queued(const struct strategy *dpor, guint queued)
{
    for (guint i = dpor->fresh; i < dpor->stack->len; i++)
        if (touches_queue(&node_at(dpor, i)->step) && !is_call(&node_at(dpor, i)->step))
            return "somebody is taken out of the queues: search without --unqueued";
    if (queued < dpor->stack->len &&
        (queued < dpor->guided || !is_waiting(node_at(dpor, queued), FL_PATH_CORE)))
        return "core waits elsewhere than for calls: search without --unqueued";
    return NULL;
}

/* Where somebody queued up with core, core is to go on instead. Whether there is such a place. */
static bool send_back(struct strategy *dpor)
{
    guint at = dpor->fresh;
    while (at < dpor->stack->len && !is_queued(&node_at(dpor, at)->step))
        at++;
    dpor->broken = g_strdup(why_queued(dpor, at));
    if (at == dpor->stack->len || dpor->broken != NULL)
        return dpor->broken != NULL;
    for (guint i = dpor->fresh + 1; i <= at; i++)
        g_array_set_size(node_at(dpor, i)->sleep, 0);
    g_ptr_array_set_size(dpor->stack, (gint)at + 1);
    node_at(dpor, at)->step.thread = FL_PATH_CORE;
    node_at(dpor, at)->listed = true;
    dpor->guided = at + 1;
    return true;
}

/* ---- the next sequence ---- */

/* The sequence's first step is the node's; the others follow on the stack. */
static void follow(struct strategy *dpor, struct wakeup *branch)
{
    for (;;) {
        struct node *node = node_at(dpor, dpor->stack->len - 1);
        node->step = branch->step;
        node->listed = true;
        branch->step.footprint = NULL;
        struct node *next = node_new();
        wakeup_free(next->tree);
        next->tree = wakeup_new(NULL);
        GPtrArray *swapped = next->tree->branches;
        next->tree->branches = branch->branches;
        branch->branches = swapped;
        wakeup_free(branch);
        dpor->guided = dpor->stack->len;
        if (next->tree->branches->len == 0) {
            node_free(next);
            return;
        }
        branch = g_ptr_array_steal_index(next->tree->branches, 0);
        g_ptr_array_add(dpor->stack, next);
    }
}

/* The branch that the node's step begins is done. */
static void close_branch(struct node *node)
{
    node->size.done++;
    add_sleeper(node, &node->step);
    footprint_unref(node->step.footprint);
    node->step.footprint = NULL;
}

/* Goes back to the deepest node that has something to be tried. */
static void backtrack(struct strategy *dpor)
{
    while (dpor->stack->len > 0) {
        struct node *node = node_at(dpor, dpor->stack->len - 1);
        close_branch(node);
        if (node->tree->branches->len > 0) {
            dpor->fresh = dpor->stack->len - 1;
            follow(dpor, g_ptr_array_steal_index(node->tree->branches, 0));
            return;
        }
        guess_learn(dpor->guess, dpor->stack->len - 1, node->size.done);
        g_ptr_array_set_size(dpor->stack, (gint)dpor->stack->len - 1);
    }
    dpor->done = true;
}

static void guess_size(struct strategy *dpor)
{
    g_array_set_size(dpor->path, 0);
    for (guint i = 0; i < dpor->stack->len; i++) {
        struct node *node = node_at(dpor, i);
        node->size.waiting = node->tree->branches->len;
        g_array_append_val(dpor->path, node->size);
    }
    guess_add(dpor->guess, (const struct guess_node *)(void *)dpor->path->data, dpor->path->len);
}

static bool dpor_done(struct strategy *dpor, const struct run_report *report)
{
    dpor->in_flight = false;
    dpor->partial |= is_partial(report);
    dpor->returned++;
    if (report->steps == NULL || !take_steps(dpor, report)) {
        dpor->broken = g_strdup("a run went otherwise than the runs before it said it would");
        return true;
    }
    if (dpor->config.unqueued && report->verdict->kind == VERDICT_CLEAN && send_back(dpor))
        return true;
    reverse_races(dpor);
    guess_size(dpor);
    backtrack(dpor);
    return true;
}

static bool dpor_finished(const struct strategy *dpor)
{
    return dpor->done && !dpor->partial;
}

const double estimate_parts[ESTIMATE_PARTS] = {0.1, 0.25, 0.5};

static void dpor_progress(const struct strategy *dpor, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .depth = dpor->config.depth,
        .bound = FL_MAX_PREEMPTIONS,
        .runs = dpor->returned,
        .runs_redundant = dpor->redundant,
        .broken = dpor->broken,
    };
    progress->runs_estimated = guess_last(dpor->guess);
    guess_band(dpor->guess, &progress->estimated_least, &progress->estimated_most);
    for (unsigned i = 0; dpor->done && i < G_N_ELEMENTS(estimate_parts); i++)
        progress->estimate_quality[i] = guess_quality(dpor->guess, estimate_parts[i]);
    if (dpor->done)
        progress->searched[dpor->config.depth] = FL_MAX_PREEMPTIONS + 1;
}

const struct strategy_ops strategy_dpor = {
    .id = "dpor",
    .summary = "all schedules, but of those that differ in the order of independent steps one",
    .steps = true,
    .open = dpor_open,
    .next = dpor_next,
    .done = dpor_done,
    .finished = dpor_finished,
    .progress = dpor_progress,
    .close = dpor_close,
};
