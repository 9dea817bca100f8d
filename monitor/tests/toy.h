/* A toy guest for the tests of strategies: some threads, each with the same number of entries, all
 * ready from the start and never blocking, under the rig's default schedule (one FIFO queue). Small
 * enough that what a search must visit can be counted by hand.
 *
 * After each entry but its last a thread makes `instructions` steps in user mode (at depths access
 * and insn). At access, places with k >= 1 are known once `known` says so: it grows with the runs.
 */
#ifndef FAULTLINE_TOY_H
#define FAULTLINE_TOY_H

#include <assert.h>
#include <string.h>
#include "check.h"
#include "explore/strategy.h"
#include "plan.h"

#define TOY_MAX_THREADS 4
#define TOY_MAX_ENTRIES 8
#define TOY_MAX_INSNS   4
#define TOY_MAX_STEPS   (TOY_MAX_THREADS * TOY_MAX_ENTRIES * (1 + TOY_MAX_INSNS))

static const struct fl_scenario toy_scenario = {
    .id = "toy",
    .n_domains = 1,
    .n_named = 3,
    .n_params = 2,
    .n_variants = 2,
    .domains = {{.name = "main"}},
    .named = {{FL_PATH_CHILD2(0, 1), "t1"},
              {FL_PATH_CHILD2(0, 2), "t2"},
              {FL_PATH_CHILD2(0, 3), "t3"}},
    .params = {{.id = "rounds", .preset = 2, .min = 1, .max = 9}, {.id = "size", .max = 4096}},
    .variants = {{.id = "bad", .expect = "toy"}, {.id = "good", .expect = "clean"}},
};

static const struct check toy_check = {.id = "toy"};
static const struct violation toy_violation = {.check = &toy_check};

struct toy {
    unsigned threads;
    unsigned entries;      /* of each thread */
    unsigned instructions; /* of user mode after each entry but the last */
    uint16_t even_point;   /* of entries with an even number; the others are ipc-send */
    /* depth access: whether the k-th instruction of a thread is known by now to be a place */
    bool (*known)(const struct toy *toy, unsigned thread, unsigned k);
    unsigned growth[2]; /* the runs with which the generation grows; 0: with none */
    unsigned generation, runs;
    bool (*violated)(const struct toy *toy);
    uint16_t asked[FL_FAIL_KINDS]; /* in each run; what a plan lists of it is refused */

    /* of the last run */
    struct {
        unsigned thread, n, k;
    } steps[TOY_MAX_STEPS]; /* in the order of their effects */
    unsigned n_steps;
    struct place places[TOY_MAX_STEPS];
    uint32_t ready[TOY_MAX_STEPS * TOY_MAX_THREADS];
    unsigned n_ready;
    struct fl_preemption taken[TOY_MAX_STEPS];
    uint64_t taken_at[TOY_MAX_STEPS];
    struct fl_result result;
    struct verdict verdict;
    struct run_report report;
};

static inline uint32_t toy_path(unsigned thread)
{
    return thread == 0 ? FL_PATH_DOMAIN(0) : FL_PATH_CHILD2(0, thread);
}

struct toy_queue {
    unsigned at[TOY_MAX_THREADS];
    unsigned length;
};

static inline unsigned toy_remove(struct toy_queue *queue, unsigned i)
{
    const unsigned thread = queue->at[i];
    queue->length--;
    memmove(&queue->at[i], &queue->at[i + 1], (queue->length - i) * sizeof(queue->at[0]));
    return thread;
}

static inline bool toy_is_place(const struct toy *toy, const struct place *place, unsigned thread)
{
    const unsigned depth = toy->report.plan->depth;
    if (place->k == 0)
        return depth == FL_DEPTH_INSN || strategy_place(place, depth);
    return depth == FL_DEPTH_INSN ||
           (depth == FL_DEPTH_ACCESS && toy->known(toy, thread, place->k));
}

static inline void toy_note_place(struct toy *toy, unsigned thread, unsigned n, unsigned k,
                                  uint64_t event, const struct toy_queue *queue)
{
    struct place *place = &toy->places[toy->report.n_places];
    *place = (struct place){
        .thread = toy_path(thread),
        .n = n,
        .k = k,
        .point = k > 0        ? FL_POINT_NONE
                 : n % 2 == 0 ? toy->even_point
                              : FL_POINT_IPC_SEND,
        .n_ready = (uint16_t)queue->length,
        .ready = toy->n_ready,
        .event = event,
    };
    if (queue->length == 0 || !toy_is_place(toy, place, thread))
        return;
    for (unsigned other = 0; other < toy->threads; other++)
        for (unsigned i = 0; i < queue->length; i++)
            if (queue->at[i] == other)
                toy->ready[toy->n_ready++] = toy_path(other);
    toy->report.n_places++;
}

/* The queue's position of the thread that the plan prefers here; its length when there is none. */
static inline unsigned toy_target(const struct fl_plan *plan, unsigned thread, unsigned n,
                                  unsigned k, const struct toy_queue *queue)
{
    for (uint32_t p = 0; p < plan->n_preemptions; p++) {
        const struct fl_preemption *preemption = &plan->preemptions[p];
        for (unsigned i = 0; preemption->thread == toy_path(thread) && preemption->n == n &&
                             preemption->k == k && i < queue->length;
             i++)
            if (toy_path(queue->at[i]) == preemption->target)
                return i;
    }
    return queue->length;
}

/* Every stop of every thread is an entry (k = 0) or an instruction. An entry is an event of its
 * own, an instruction belongs to the event that comes next. */
static inline void toy_schedule(struct toy *toy, const struct fl_plan *plan)
{
    const unsigned stops = (toy->entries - 1) * (1 + toy->instructions) + 1;
    unsigned done[TOY_MAX_THREADS] = {0};
    bool stood[TOY_MAX_THREADS] = {false};
    struct toy_queue queue = {.length = 0};
    for (unsigned i = 1; i < toy->threads; i++)
        queue.at[queue.length++] = i;
    unsigned running = 0;
    uint64_t event = 1; /* 0 is the run's begin */
    for (;;) {
        const unsigned n = done[running] / (1 + toy->instructions) + 1;
        const unsigned k = done[running] % (1 + toy->instructions);
        if (!stood[running]) {
            stood[running] = true;
            const unsigned i = toy_target(plan, running, n, k, &queue);
            if (k == 0 || i == queue.length)
                toy_note_place(toy, running, n, k, event, &queue);
            event += k == 0 || i < queue.length;
            if (i < queue.length) {
                const unsigned target = toy_remove(&queue, i);
                toy->taken[toy->report.n_taken] =
                    (struct fl_preemption){toy_path(running), n, k, toy_path(target)};
                toy->taken_at[toy->report.n_taken++] = event++;
                queue.at[queue.length++] = running;
                running = target;
                continue;
            }
        }
        toy->steps[toy->n_steps].thread = running;
        toy->steps[toy->n_steps].k = k;
        toy->steps[toy->n_steps++].n = n;
        stood[running] = false;
        if (++done[running] == stops) {
            if (queue.length == 0)
                return;
            running = toy_remove(&queue, 0);
        }
    }
}

/* Of what the plan lists to fail. */
static inline uint32_t toy_refused(const struct toy *toy, const struct fl_plan *plan)
{
    uint32_t refused = 0;
    for (uint32_t i = 0; i < plan->n_failures; i++)
        refused += plan->failures[i].nth <= toy->asked[plan->failures[i].kind];
    return refused;
}

static inline const struct run_report *toy_run(struct toy *toy, const struct fl_plan *plan)
{
    toy->n_steps = 0;
    toy->n_ready = 0;
    toy->report = (struct run_report){
        .plan = plan,
        .result = &toy->result,
        .verdict = &toy->verdict,
        .places = toy->places,
        .ready = toy->ready,
        .taken = toy->taken,
        .taken_at = toy->taken_at,
    };
    toy->runs++;
    toy->generation += toy->runs == toy->growth[0] || toy->runs == toy->growth[1];
    toy_schedule(toy, plan);
    toy->report.generation = toy->generation;
    toy->result = (struct fl_result){.reached = (uint32_t)toy->report.n_taken};
    memcpy(toy->result.asked, toy->asked, sizeof(toy->asked));
    toy->verdict = (struct verdict){.kind = VERDICT_CLEAN};
    if (toy->violated != NULL && toy->violated(toy))
        toy->verdict = (struct verdict){
            .kind = VERDICT_VIOLATION, .violations = &toy_violation, .n_violations = 1};
    toy->verdict.refused = toy_refused(toy, plan);
    return &toy->report;
}

/* When, in the order of effects, a thread's n-th entry had its own. */
static inline unsigned toy_when(const struct toy *toy, unsigned thread, unsigned n)
{
    for (unsigned i = 0; i < toy->n_steps; i++)
        if (toy->steps[i].thread == thread && toy->steps[i].n == n && toy->steps[i].k == 0)
            return i;
    g_assert_not_reached(); /* every entry has its effect */
}

/* Drives a strategy over the toy with so many plans in flight; every plan is handed to `see`. */
static inline uint64_t toy_drive(struct toy *toy, const struct strategy_ops *ops,
                                 struct strategy *strategy, unsigned in_flight,
                                 void (*see)(void *context, const struct run_report *report),
                                 void *context)
{
    g_autofree struct fl_plan *queue = g_new(struct fl_plan, in_flight);
    uint64_t head = 0, tail = 0;
    for (;;) {
        while (head - tail < in_flight && ops->next(strategy, &queue[head % in_flight]))
            head++;
        if (head == tail)
            break;
        const struct run_report *report = toy_run(toy, &queue[tail++ % in_flight]);
        if (see != NULL)
            see(context, report);
        ops->done(strategy, report);
    }
    assert(ops->finished(strategy));
    return tail;
}

#endif
