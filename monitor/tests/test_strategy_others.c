/* minimise, the strategies that draw, and replay on the toy guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "toy.h"

static struct fl_plan plan_of(const char *schedule)
{
    struct fl_plan plan;
    plan_init(&plan, &toy_scenario, 0, 0);
    assert_true(plan_parse_schedule(&plan, &toy_scenario, schedule, NULL));
    return plan;
}

/* ---- minimise ---- */

/* t1's 2nd step falls between main's 2nd and 3rd: one preemption does. */
static bool window(const struct toy *toy)
{
    const unsigned other = toy_when(toy, 1, 2);
    return other > toy_when(toy, 0, 2) && other < toy_when(toy, 0, 3);
}

/* And main's 4th between t1's 4th and 5th, and that before main's 6th: each takes one more. */
static bool three_windows(const struct toy *toy)
{
    const unsigned other = toy_when(toy, 0, 4);
    return window(toy) && other > toy_when(toy, 1, 4) && other < toy_when(toy, 1, 5) &&
           toy_when(toy, 1, 5) < toy_when(toy, 0, 6);
}

static void assert_minimised(bool (*violated)(const struct toy *), const char *from, const char *to)
{
    struct toy toy = {.threads = 3,
                      .entries = 6,
                      .even_point = FL_POINT_IPC_SEND,
                      .violated = violated,
                      .asked = {4, 4, 4}};
    const struct fl_plan given = plan_of(from);
    struct strategy_config config = {.scenario = &toy_scenario, .given = &given, .check = "toy"};
    plan_init(&config.base, &toy_scenario, 0, 0);
    struct strategy *minimise = strategy_minimise.open(&config, NULL);
    toy_drive(&toy, &strategy_minimise, minimise, 8, NULL, NULL);
    const struct fl_plan *result = minimise_result(minimise);
    if (to == NULL) {
        assert_null(result);
    } else {
        assert_non_null(result);
        g_autofree char *schedule = plan_whole_schedule(&toy_scenario, result);
        assert_string_equal(schedule, to);
        assert_int_equal(toy_run(&toy, result)->verdict->kind, VERDICT_VIOLATION);
    }
    strategy_minimise.close(minimise);
}

static void shrinks_to_one(void **state)
{
    (void)state;
    assert_minimised(window, "main@3->t1", "main@3->t1");
    assert_minimised(window, "main@3->t1, t1@4->t2, t2@2->main", "main@3->t1");
    assert_minimised(window, "main@2->t2, t2@1->main, main@3->t2, t2@3->t1", "main@3->t1");
}

static void moves_to_the_earliest(void **state)
{
    (void)state;
    /* t2 is let in first, and hands over to t1 at its third entry; t1 could have been let in there
     */
    assert_minimised(window, "main@3->t2, t2@3->t1", "main@3->t1");
}

static void keeps_what_is_needed(void **state)
{
    (void)state;
    assert_minimised(three_windows, "main@3->t1, t1@5->main, main@5->t1",
                     "main@3->t1, main@5->t1, t1@5->main");
    assert_minimised(three_windows,
                     "main@1->t2, t2@1->main, main@3->t1, t1@5->main, main@5->t1, t1@6->t2",
                     "main@3->t1, main@5->t1, t1@5->main");
}

static bool always(const struct toy *toy)
{
    (void)toy;
    return true;
}

static void shrinks_to_none(void **state)
{
    (void)state;
    assert_minimised(always, "main@3->t1, t1@4->t2, t2@2->main", "");
}

/* It takes the preemption and that table entry. */
static bool window_and_failure(const struct toy *toy)
{
    const struct fl_plan *plan = toy->report.plan;
    bool fails = false;
    for (uint32_t i = 0; i < plan->n_failures; i++)
        fails |= plan->failures[i].kind == FL_FAIL_SLAB && plan->failures[i].nth == 2;
    return fails && window(toy);
}

static void leaves_out_failures(void **state)
{
    (void)state;
    assert_minimised(window_and_failure,
                     "fail:frame@1, fail:slab@2, fail:ipc@4, main@3->t2, t2@3->t1",
                     "fail:slab@2, main@3->t1");
    assert_minimised(window, "fail:frame@1, fail:slab@2, main@3->t1", "main@3->t1");
    assert_minimised(always, "fail:frame@1", "");
    /* violated, but not everything is refused: it asks for four frames */
    assert_minimised(always, "fail:frame@5", NULL);
}

static void refuses_what_does_not_come_again(void **state)
{
    (void)state;
    assert_minimised(window, "main@4->t1", NULL);
    /* violated, but not every preemption takes place: t2 has only six entries */
    assert_minimised(window, "main@3->t1, t2@7->main", NULL);
}

/* ---- random ---- */

static struct fl_plan *random_plans(uint64_t seed, unsigned in_flight, unsigned runs)
{
    struct toy toy = {.threads = 2, .entries = 8, .even_point = FL_POINT_LOCK};
    struct strategy_config config = {
        .scenario = &toy_scenario, .depth = FL_DEPTH_SYNC, .seed = seed, .max_runs = runs};
    plan_init(&config.base, &toy_scenario, 0, 0);
    struct strategy *random = strategy_sparse.open(&config, NULL);
    struct fl_plan *plans = g_new0(struct fl_plan, runs);
    unsigned issued = 0, returned = 0;
    while (!strategy_sparse.finished(random)) {
        while (issued - returned < in_flight && strategy_sparse.next(random, &plans[issued]))
            issued++;
        strategy_sparse.done(random, toy_run(&toy, &plans[returned++]));
    }
    assert_int_equal(issued, runs);
    strategy_sparse.close(random);
    return plans;
}

static void a_random_run_depends_on_seed_and_number(void **state)
{
    (void)state;
    g_autofree struct fl_plan *one = random_plans(1, 1, 40);
    g_autofree struct fl_plan *many = random_plans(1, 16, 40);
    g_autofree struct fl_plan *other = random_plans(2, 16, 40);
    assert_memory_equal(one, many, 40 * sizeof(*one));
    assert_int_equal(one[0].policy, FL_POLICY_FIXED);
    assert_int_equal(one[0].n_preemptions, 0);
    for (unsigned i = 1; i < 40; i++) {
        assert_int_equal(one[i].policy, FL_POLICY_RANDOM);
        assert_int_equal(one[i].depth, FL_DEPTH_SYNC);
        assert_int_not_equal(one[i].seed, 0);
        assert_int_not_equal(one[i].seed, one[i - 1].seed);
        assert_int_not_equal(one[i].seed, other[i].seed);
        /* 8 places: two preemptions a run */
        assert_true(one[i].chance > UINT32_MAX / 4 - 2 && one[i].chance < UINT32_MAX / 4 + 2);
    }
}

/* ---- replay ---- */

static void replays_so_many_times(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2, .entries = 4, .even_point = FL_POINT_IPC_SEND};
    const struct fl_plan given = plan_of("main@2->t1");
    const struct strategy_config config = {
        .scenario = &toy_scenario, .given = &given, .times = 1000};
    struct strategy *replay = strategy_replay.open(&config, NULL);
    assert_int_equal(toy_drive(&toy, &strategy_replay, replay, 64, NULL, NULL), 1000);
    strategy_replay.close(replay);
}

static void the_table_knows_them(void **state)
{
    (void)state;
    for (size_t i = 0; strategies[i] != NULL; i++)
        assert_ptr_equal(strategy_find(strategies[i]->id), strategies[i]);
    assert_null(strategy_find("dsf"));
    const struct strategy_config nothing_given = {.scenario = &toy_scenario};
    g_autoptr(GError) error = NULL;
    assert_null(strategy_replay.open(&nothing_given, &error));
    assert_non_null(error);
    assert_null(strategy_minimise.open(&nothing_given, NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(shrinks_to_one),
        cmocka_unit_test(moves_to_the_earliest),
        cmocka_unit_test(keeps_what_is_needed),
        cmocka_unit_test(shrinks_to_none),
        cmocka_unit_test(leaves_out_failures),
        cmocka_unit_test(refuses_what_does_not_come_again),
        cmocka_unit_test(a_random_run_depends_on_seed_and_number),
        cmocka_unit_test(replays_so_many_times),
        cmocka_unit_test(the_table_knows_them),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
