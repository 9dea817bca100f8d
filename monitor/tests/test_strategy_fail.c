/* Failures with the plans of another strategy, on the toy guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "toy.h"

#define ALLOC (1u << FL_FAIL_FRAME | 1u << FL_FAIL_SLAB)

static struct toy toy_asking(unsigned frames, unsigned slabs, unsigned ipcs)
{
    return (struct toy){.threads = 2,
                        .entries = 3,
                        .even_point = FL_POINT_IPC_SEND,
                        .asked = {(uint16_t)frames, (uint16_t)slabs, (uint16_t)ipcs}};
}

static struct strategy_config config_of(const struct strategy_ops *inner, unsigned fails)
{
    struct strategy_config config = {
        .scenario = &toy_scenario, .bound = 1, .seed = 5, .fails = fails, .inner = inner};
    plan_init(&config.base, &toy_scenario, 0, 0);
    return config;
}

static void note_schedule(void *context, const struct run_report *report)
{
    GPtrArray *schedules = context;
    assert_true(report->plan->mode & FL_MODE_FAIL);
    g_ptr_array_add(schedules, plan_whole_schedule(&toy_scenario, report->plan));
}

/* The schedules of a search, in their order. */
static GPtrArray *search(struct toy toy, const struct strategy_config *config, unsigned in_flight,
                         struct strategy_progress *progress)
{
    GPtrArray *schedules = g_ptr_array_new_with_free_func(g_free);
    struct strategy *fail = strategy_fail.open(config, NULL);
    assert_non_null(fail);
    toy_drive(&toy, &strategy_fail, fail, in_flight, note_schedule, schedules);
    strategy_fail.progress(fail, progress);
    strategy_fail.close(fail);
    return schedules;
}

static uint64_t dfs_runs(void)
{
    struct toy toy = toy_asking(0, 0, 0);
    const struct strategy_config config = config_of(NULL, 0);
    struct strategy *dfs = strategy_dfs.open(&config, NULL);
    const uint64_t runs = toy_drive(&toy, &strategy_dfs, dfs, 4, NULL, NULL);
    strategy_dfs.close(dfs);
    return runs;
}

static const char *at(const GPtrArray *schedules, guint i)
{
    return g_ptr_array_index(schedules, i);
}

/* Each of the five once with each plan that dfs has, after the run that counts. */
static void every_failure_with_every_plan(void **state)
{
    (void)state;
    const struct strategy_config config = config_of(&strategy_dfs, ALLOC);
    struct strategy_progress progress;
    g_autoptr(GPtrArray) schedules = search(toy_asking(2, 3, 9), &config, 4, &progress);
    const uint64_t each = dfs_runs();
    assert_true(each > 3);
    assert_int_equal(schedules->len, 1 + 5 * each);
    assert_string_equal(at(schedules, 0), "");
    assert_string_equal(at(schedules, 1), "fail:frame@1");
    assert_string_equal(at(schedules, (guint)(1 + each)), "fail:frame@2");
    assert_string_equal(at(schedules, (guint)(1 + 4 * each)), "fail:slab@3");
    g_autoptr(GHashTable) once = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < schedules->len; i++)
        assert_true(g_hash_table_add(once, schedules->pdata[i]));

    assert_int_equal(progress.failures[FL_FAIL_FRAME], 2);
    assert_int_equal(progress.failures[FL_FAIL_SLAB], 3);
    assert_int_equal(progress.failures[FL_FAIL_IPC], 0);
    assert_int_equal(progress.failures_done, 5);
    assert_int_equal(progress.failures_hit, 5);
    assert_int_equal(progress.runs_hit, 5 * each);
    assert_int_equal(progress.runs, schedules->len);
}

static void the_order_does_not_depend_on_what_is_in_flight(void **state)
{
    (void)state;
    const struct strategy_config config = config_of(&strategy_dfs, ALLOC | 1u << FL_FAIL_IPC);
    struct strategy_progress progress;
    g_autoptr(GPtrArray) one = search(toy_asking(1, 2, 1), &config, 1, &progress);
    g_autoptr(GPtrArray) many = search(toy_asking(1, 2, 1), &config, 16, &progress);
    assert_int_equal(one->len, many->len);
    for (guint i = 0; i < one->len; i++)
        assert_string_equal(at(one, i), at(many, i));
}

static void nothing_is_asked_for(void **state)
{
    (void)state;
    const struct strategy_config config = config_of(&strategy_dfs, 1u << FL_FAIL_IPC);
    struct strategy_progress progress;
    g_autoptr(GPtrArray) schedules = search(toy_asking(4, 4, 0), &config, 4, &progress);
    assert_int_equal(schedules->len, 1);
    assert_int_equal(progress.runs_hit, 0);
}

/* One failure or two, of the kinds asked for, the same for a seed. */
static void drawn_plans_get_drawn_failures(void **state)
{
    (void)state;
    static const struct strategy_ops *const inner[] = {&strategy_random, &strategy_sparse,
                                                       &strategy_pct};
    for (size_t i = 0; i < G_N_ELEMENTS(inner); i++) {
        struct strategy_config config = config_of(inner[i], 1u << FL_FAIL_SLAB);
        struct fl_plan plans[2][40];
        unsigned twos = 0;
        for (unsigned again = 0; again < 2; again++) {
            struct toy toy = toy_asking(3, 6, 3);
            struct strategy *fail = strategy_fail.open(&config, NULL);
            for (unsigned j = 0; j < 40; j++) {
                assert_true(strategy_fail.next(fail, &plans[again][j]));
                strategy_fail.done(fail, toy_run(&toy, &plans[again][j]));
            }
            strategy_fail.close(fail);
        }
        assert_memory_equal(plans[0], plans[1], sizeof(plans[0]));
        assert_int_equal(plans[0][0].n_failures, 0);
        for (unsigned j = 1; j < 40; j++) {
            assert_in_range(plans[0][j].n_failures, 1, 2);
            assert_int_equal(plans[0][j].failures[0].kind, FL_FAIL_SLAB);
            assert_in_range(plans[0][j].failures[0].nth, 1, 6);
            twos += plans[0][j].n_failures == 2;
        }
        assert_in_range(twos, 5, 35);
    }
}

static void goes_with_some_strategies_only(void **state)
{
    (void)state;
    g_autoptr(GError) error = NULL;
    const struct strategy_config nothing = config_of(&strategy_dfs, 0);
    assert_null(strategy_fail.open(&nothing, &error));
    assert_non_null(strstr(error->message, "--fail alloc"));
    g_clear_error(&error);
    const struct strategy_config dpor = config_of(&strategy_dpor, ALLOC);
    assert_null(strategy_fail.open(&dpor, &error));
    assert_non_null(strstr(error->message, "not with dpor"));
    g_clear_error(&error);
    struct strategy_config deep = config_of(&strategy_pct, ALLOC);
    deep.depth = FL_DEPTH_INSN;
    assert_null(strategy_fail.open(&deep, &error));
    assert_non_null(strstr(error->message, "ipc and sync only"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_failure_with_every_plan),
        cmocka_unit_test(the_order_does_not_depend_on_what_is_in_flight),
        cmocka_unit_test(nothing_is_asked_for),
        cmocka_unit_test(drawn_plans_get_drawn_failures),
        cmocka_unit_test(goes_with_some_strategies_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
