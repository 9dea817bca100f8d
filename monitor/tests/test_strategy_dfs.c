/* The bounded search against numbers counted by hand and by another program. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "toy.h"

struct seen {
    GHashTable *schedules;
    GString *order;
    unsigned least, most;
    const struct strategy *strategy;
    uint64_t run;
    uint64_t known_at[8]; /* runs_known when the first run of each level was made */
};

static void see(void *context, const struct run_report *report)
{
    struct seen *seen = context;
    const struct fl_plan *plan = report->plan;
    assert_int_equal(report->n_taken, plan->n_preemptions);
    for (uint32_t i = 1; i < plan->n_preemptions; i++)
        assert_true(plan_compare(&plan->preemptions[i - 1], &plan->preemptions[i]) < 0);
    char *schedule = plan_schedule(&toy_scenario, plan->preemptions, plan->n_preemptions);
    g_string_append_printf(seen->order, "%s\n", schedule);
    assert_true(g_hash_table_add(seen->schedules, schedule));
    assert_true(plan->n_preemptions >= seen->most);
    seen->most = plan->n_preemptions;
    struct strategy_progress progress;
    strategy_dfs.progress(seen->strategy, &progress);
    seen->run++;
    assert_true(seen->run <= progress.runs_known);
    seen->known_at[progress.bound] = progress.runs_known;
}

/* In the end an estimate is exact, and half way it is of the right order. */
static void assert_estimated(const struct strategy *dfs, uint64_t runs)
{
    struct strategy_progress progress;
    strategy_dfs.progress(dfs, &progress);
    assert_true(progress.runs_estimated == (double)runs);
    assert_true(progress.estimated_least <= (double)runs &&
                progress.estimated_most >= (double)runs);
    assert_true(progress.estimate_quality[2] > 0.3 && progress.estimate_quality[2] < 3);
}

static uint64_t search(struct toy *toy, unsigned depth, unsigned bound, unsigned in_flight,
                       struct seen *seen)
{
    struct strategy_config config = {.scenario = &toy_scenario, .depth = depth, .bound = bound};
    plan_init(&config.base, &toy_scenario, 0, 0);
    struct strategy *dfs = strategy_dfs.open(&config, NULL);
    *seen = (struct seen){
        .schedules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .order = g_string_new(NULL),
        .strategy = dfs,
    };
    const uint64_t runs = toy_drive(toy, &strategy_dfs, dfs, in_flight, see, seen);
    assert_estimated(dfs, runs);
    strategy_dfs.close(dfs);
    return runs;
}

static void forget(struct seen *seen)
{
    g_hash_table_unref(seen->schedules);
    g_string_free(seen->order, TRUE);
}

static uint64_t runs_of(struct toy *toy, unsigned depth, unsigned bound)
{
    struct seen seen;
    const uint64_t runs = search(toy, depth, bound, 64, &seen);
    forget(&seen);
    return runs;
}

static uint64_t choose(unsigned n, unsigned k)
{
    uint64_t result = 1;
    for (unsigned i = 1; i <= k; i++)
        result = result * (n - k + i) / i;
    return result;
}

/* Two threads of m entries: a plan of b preemptions stops the first thread at ceil(b/2) of its
 * entries and the second at floor(b/2), each in ascending order and independently, since whoever is
 * not running is ready as long as it has entries left. */
static void two_threads_as_counted_by_hand(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2, .entries = 4, .even_point = FL_POINT_IPC_SEND};
    uint64_t expected = 0;
    for (unsigned bound = 0; bound <= 5; bound++) {
        expected += choose(toy.entries, (bound + 1) / 2) * choose(toy.entries, bound / 2);
        assert_int_equal(runs_of(&toy, FL_DEPTH_IPC, bound), expected);
    }
}

/* A different program: walks the schedule and, at each entry, goes on or departs. */
static uint64_t walk(const struct toy *toy, struct toy_queue queue, unsigned running,
                     const unsigned *done, unsigned entered, unsigned budget)
{
    unsigned next_done[TOY_MAX_THREADS];
    memcpy(next_done, done, sizeof(next_done));
    uint64_t paths = 0;
    if (!(entered & 1u << running) && budget > 0) {
        for (unsigned i = 0; i < queue.length; i++) {
            struct toy_queue after = queue;
            const unsigned target = toy_remove(&after, i);
            after.at[after.length++] = running;
            paths += walk(toy, after, target, next_done, entered | 1u << running, budget - 1);
        }
    }
    if (++next_done[running] == toy->entries) {
        if (queue.length == 0)
            return paths + 1;
        running = toy_remove(&queue, 0);
        return paths + walk(toy, queue, running, next_done, entered, budget);
    }
    return paths + walk(toy, queue, running, next_done, entered & ~(1u << running), budget);
}

static void more_threads_as_walked(void **state)
{
    (void)state;
    for (unsigned threads = 1; threads <= 4; threads++) {
        struct toy toy = {.threads = threads, .entries = 3, .even_point = FL_POINT_IPC_SEND};
        struct toy_queue queue = {.at = {1, 2, 3}, .length = threads - 1};
        const unsigned done[TOY_MAX_THREADS] = {0};
        for (unsigned bound = 0; bound <= 3; bound++)
            assert_int_equal(runs_of(&toy, FL_DEPTH_IPC, bound),
                             walk(&toy, queue, 0, done, 0, bound));
        /* at bound 1: each thread's entries, times the threads that have not run yet */
        assert_int_equal(runs_of(&toy, FL_DEPTH_IPC, 1), 1 + 3 * choose(threads, 2));
    }
}

static void order_does_not_depend_on_batches(void **state)
{
    (void)state;
    struct toy toy = {.threads = 3, .entries = 3, .even_point = FL_POINT_IPC_SEND};
    struct seen one, many;
    search(&toy, FL_DEPTH_IPC, 2, 1, &one);
    search(&toy, FL_DEPTH_IPC, 2, 64, &many);
    assert_string_equal(one.order->str, many.order->str);
    forget(&one);
    forget(&many);
}

static void totals_are_known_level_by_level(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2, .entries = 4, .even_point = FL_POINT_IPC_SEND};
    struct seen seen;
    search(&toy, FL_DEPTH_IPC, 2, 64, &seen);
    assert_int_equal(seen.known_at[0], 1);
    assert_int_equal(seen.known_at[1], 1 + 4);
    assert_int_equal(seen.known_at[2], 1 + 4 + 16);
    forget(&seen);
}

static void only_places_of_the_depth(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2, .entries = 4, .even_point = FL_POINT_LOCK};
    assert_int_equal(runs_of(&toy, FL_DEPTH_IPC, 1), 1 + 2);
    assert_int_equal(runs_of(&toy, FL_DEPTH_SYNC, 1), 1 + 4);
    toy.even_point = FL_POINT_MARK;
    assert_int_equal(runs_of(&toy, FL_DEPTH_SYNC, 1), 1 + 2);
}

static void a_run_that_stops_short_is_not_extended(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2, .entries = 4, .even_point = FL_POINT_IPC_SEND};
    struct strategy_config config = {.scenario = &toy_scenario, .bound = 2};
    plan_init(&config.base, &toy_scenario, 0, 0);
    struct strategy *dfs = strategy_dfs.open(&config, NULL);
    struct fl_plan plan;
    assert_true(strategy_dfs.next(dfs, &plan));
    strategy_dfs.done(dfs, toy_run(&toy, &plan));
    unsigned children = 0;
    while (strategy_dfs.next(dfs, &plan)) {
        struct run_report report = *toy_run(&toy, &plan);
        report.n_taken = 0;
        strategy_dfs.done(dfs, &report);
        children++;
    }
    assert_int_equal(children, 4);
    assert_true(strategy_dfs.finished(dfs));
    strategy_dfs.close(dfs);
}

/* ---- k >= 1 ---- */

/* Two threads whose stops are all places are as two threads of so many entries; the level of a plan
 * says nothing of k. */
static void instructions_as_counted_by_hand(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2, .entries = 3, .instructions = 2, .even_point = FL_POINT_MARK};
    const unsigned stops = (toy.entries - 1) * (1 + toy.instructions) + 1;
    uint64_t expected = 0;
    for (unsigned bound = 0; bound <= 4; bound++) {
        expected += choose(stops, (bound + 1) / 2) * choose(stops, bound / 2);
        assert_int_equal(runs_of(&toy, FL_DEPTH_INSN, bound), expected);
    }
    assert_int_equal(runs_of(&toy, FL_DEPTH_SYNC, 1), 1 + 2);
}

static bool even_ones(const struct toy *toy, unsigned thread, unsigned k)
{
    (void)toy;
    (void)thread;
    return k % 2 == 0;
}

static void only_the_accesses_that_are_known(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2,
                      .entries = 4,
                      .instructions = 4,
                      .even_point = FL_POINT_IPC_SEND,
                      .known = even_ones};
    const unsigned stops = 4 + 3 * 2; /* of the first thread */
    assert_int_equal(runs_of(&toy, FL_DEPTH_ACCESS, 1), 1 + stops);
    assert_int_equal(runs_of(&toy, FL_DEPTH_ACCESS, 2), 1 + stops + stops * stops);
}

/* What t1 does at k = 1 is seen to matter from the 9th run on, what anybody does at k = 3 from the
 * 30th: a search that knew it all from the start finds the same plans. */
static bool late(const struct toy *toy, unsigned thread, unsigned k)
{
    return k == 2 || (k == 1 && thread == 1 && toy->generation >= 1) ||
           (k == 3 && toy->generation >= 2);
}

static bool from_the_start(const struct toy *toy, unsigned thread, unsigned k)
{
    (void)toy;
    return k == 2 || k == 3 || (k == 1 && thread == 1);
}

static void learn(void *context, const struct run_report *report)
{
    GHashTable *schedules = context;
    g_hash_table_add(schedules, plan_schedule(&toy_scenario, report->plan->preemptions,
                                              report->plan->n_preemptions));
}

/* No two states are alike. */
static bool all_new_done(struct strategy *stateful, const struct run_report *report)
{
    static uint64_t met;
    g_autofree struct state_hash *states = g_new(struct state_hash, report->n_places + 1);
    struct run_report with = *report;
    for (size_t i = 0; i < report->n_places; i++)
        states[i] = (struct state_hash){++met, 1};
    with.states = states;
    return strategy_stateful.done(stateful, &with);
}

static GHashTable *plans_run(struct toy *toy, const struct strategy_ops *ops, unsigned bound,
                             uint64_t *runs)
{
    GHashTable *schedules = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    struct strategy_config config = {
        .scenario = &toy_scenario, .depth = FL_DEPTH_ACCESS, .bound = bound};
    plan_init(&config.base, &toy_scenario, 0, 0);
    struct strategy *strategy = ops->open(&config, NULL);
    *runs = toy_drive(toy, ops, strategy, 16, learn, schedules);
    ops->close(strategy);
    return schedules;
}

static void assert_none_missed(const struct strategy_ops *ops)
{
    struct toy growing = {.threads = 3,
                          .entries = 3,
                          .instructions = 4,
                          .even_point = FL_POINT_IPC_SEND,
                          .known = late,
                          .growth = {9, 30}};
    struct toy grown = growing;
    grown.known = from_the_start;
    grown.growth[0] = grown.growth[1] = 0;
    uint64_t runs, runs_grown;
    GHashTable *found = plans_run(&growing, ops, 2, &runs);
    GHashTable *all = plans_run(&grown, &strategy_dfs, 2, &runs_grown);
    assert_int_equal(growing.generation, 2);
    assert_int_equal(g_hash_table_size(all), runs_grown);
    assert_int_equal(g_hash_table_size(found), runs_grown);
    GHashTableIter each;
    gpointer schedule;
    g_hash_table_iter_init(&each, all);
    while (g_hash_table_iter_next(&each, &schedule, NULL))
        assert_true(g_hash_table_contains(found, schedule));
    /* plans without children are not run twice; the others, once more for each time it grew */
    assert_true(runs > runs_grown && runs <= runs_grown + 2 * runs_of(&grown, FL_DEPTH_ACCESS, 1));
    g_hash_table_unref(found);
    g_hash_table_unref(all);
}

static void places_that_come_late_are_not_missed(void **state)
{
    (void)state;
    struct strategy_ops stateful = strategy_stateful;
    stateful.done = all_new_done;
    assert_none_missed(&strategy_dfs);
    assert_none_missed(&stateful);
}

/* What a shallower search has run is left out, but where its children are wanted. */
static void what_was_searched_is_left_out(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2, .entries = 4, .even_point = FL_POINT_LOCK};
    const uint64_t ipc = runs_of(&toy, FL_DEPTH_IPC, 2), ipc_1 = runs_of(&toy, FL_DEPTH_IPC, 1);
    const uint64_t all = runs_of(&toy, FL_DEPTH_SYNC, 2);
    struct strategy_config config = {.scenario = &toy_scenario,
                                     .depth = FL_DEPTH_SYNC,
                                     .bound = 2,
                                     .searched = {[FL_DEPTH_IPC] = 3}};
    plan_init(&config.base, &toy_scenario, 0, 0);
    struct strategy *dfs = strategy_dfs.open(&config, NULL);
    assert_int_equal(toy_drive(&toy, &strategy_dfs, dfs, 8, NULL, NULL), all - ipc + ipc_1);
    strategy_dfs.close(dfs);
}

static void refuses_what_it_cannot_search(void **state)
{
    (void)state;
    GError *error = NULL;
    const struct strategy_config config = {.scenario = &toy_scenario,
                                           .bound = FL_MAX_PREEMPTIONS + 1};
    assert_null(strategy_dfs.open(&config, &error));
    assert_non_null(strstr(error->message, "250"));
    g_clear_error(&error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(two_threads_as_counted_by_hand),
        cmocka_unit_test(more_threads_as_walked),
        cmocka_unit_test(order_does_not_depend_on_batches),
        cmocka_unit_test(totals_are_known_level_by_level),
        cmocka_unit_test(only_places_of_the_depth),
        cmocka_unit_test(a_run_that_stops_short_is_not_extended),
        cmocka_unit_test(instructions_as_counted_by_hand),
        cmocka_unit_test(only_the_accesses_that_are_known),
        cmocka_unit_test(places_that_come_late_are_not_missed),
        cmocka_unit_test(what_was_searched_is_left_out),
        cmocka_unit_test(refuses_what_it_cannot_search),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
