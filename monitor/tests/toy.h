/* A toy guest for the tests of strategies: some threads, each with the same number of entries, all
 * ready from the start and never blocking, under the rig's default schedule (one FIFO queue). Small
 * enough that what a search must visit can be counted by hand.
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
#define TOY_MAX_STEPS   (TOY_MAX_THREADS * TOY_MAX_ENTRIES)

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
    unsigned entries;    /* of each thread */
    uint16_t even_point; /* of entries with an even number; the others are ipc-send */
    bool (*violated)(const struct toy *toy);

    /* of the last run */
    struct {
        unsigned thread, n;
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

static inline void toy_note_place(struct toy *toy, unsigned thread, unsigned n, uint64_t event,
                                  const struct toy_queue *queue)
{
    struct place *place = &toy->places[toy->report.n_places];
    *place = (struct place){
        .thread = toy_path(thread),
        .n = n,
        .point = n % 2 == 0 ? toy->even_point : FL_POINT_IPC_SEND,
        .ready = toy->n_ready,
        .event = event,
    };
    for (unsigned other = 0; other < toy->threads; other++)
        for (unsigned i = 0; i < queue->length; i++)
            if (queue->at[i] == other)
                toy->ready[toy->n_ready++] = toy_path(other);
    place->n_ready = (uint16_t)(toy->n_ready - place->ready);
    toy->report.n_places++;
}

/* The queue's position of the thread that the plan prefers here; its length when there is none. */
static inline unsigned toy_target(const struct fl_plan *plan, unsigned thread, unsigned n,
                                  const struct toy_queue *queue)
{
    for (uint32_t p = 0; p < plan->n_preemptions; p++)
        if (plan->preemptions[p].thread == toy_path(thread) && plan->preemptions[p].n == n)
            for (unsigned i = 0; i < queue->length; i++)
                if (toy_path(queue->at[i]) == plan->preemptions[p].target)
                    return i;
    return queue->length;
}

static inline void toy_schedule(struct toy *toy, const struct fl_plan *plan)
{
    unsigned done[TOY_MAX_THREADS] = {0};
    bool entered[TOY_MAX_THREADS] = {false};
    struct toy_queue queue = {.length = 0};
    for (unsigned i = 1; i < toy->threads; i++)
        queue.at[queue.length++] = i;
    unsigned running = 0;
    uint64_t event = 1; /* 0 is the run's begin */
    for (;;) {
        const unsigned n = done[running] + 1;
        if (!entered[running]) {
            entered[running] = true;
            toy_note_place(toy, running, n, event++, &queue);
            const unsigned i = toy_target(plan, running, n, &queue);
            if (i < queue.length) {
                const unsigned target = toy_remove(&queue, i);
                toy->taken[toy->report.n_taken] =
                    (struct fl_preemption){toy_path(running), n, 0, toy_path(target)};
                toy->taken_at[toy->report.n_taken++] = event++;
                queue.at[queue.length++] = running;
                running = target;
                continue;
            }
        }
        toy->steps[toy->n_steps].thread = running;
        toy->steps[toy->n_steps++].n = n;
        entered[running] = false;
        if (++done[running] == toy->entries) {
            if (queue.length == 0)
                return;
            running = toy_remove(&queue, 0);
        }
    }
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
    toy_schedule(toy, plan);
    toy->result = (struct fl_result){.reached = (uint32_t)toy->report.n_taken};
    toy->verdict = (struct verdict){.kind = VERDICT_CLEAN};
    if (toy->violated != NULL && toy->violated(toy))
        toy->verdict = (struct verdict){
            .kind = VERDICT_VIOLATION, .violations = &toy_violation, .n_violations = 1};
    return &toy->report;
}

/* When, in the order of effects, a thread's n-th entry had its own. */
static inline unsigned toy_when(const struct toy *toy, unsigned thread, unsigned n)
{
    for (unsigned i = 0; i < toy->n_steps; i++)
        if (toy->steps[i].thread == thread && toy->steps[i].n == n)
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
