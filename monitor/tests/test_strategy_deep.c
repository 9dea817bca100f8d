/* auto, pct and descent on the toy guest. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <math.h>
#include "toy.h"

static struct strategy_config config_of(unsigned depth, unsigned bound)
{
    struct strategy_config config = {
        .scenario = &toy_scenario, .depth = depth, .bound = bound, .seed = 1};
    plan_init(&config.base, &toy_scenario, 0, 0);
    return config;
}

static void note(void *context, const struct run_report *report)
{
    GString *order = context;
    g_autofree char *schedule =
        plan_schedule(&toy_scenario, report->plan->preemptions, report->plan->n_preemptions);
    g_string_append_printf(order, "%u %s\n", report->plan->depth, schedule);
}

/* Drives so many runs only: strategies that draw have no end. */
static GString *first_runs(const struct strategy_ops *ops, const struct strategy_config *config,
                           struct toy *toy, unsigned in_flight, unsigned runs)
{
    GString *order = g_string_new(NULL);
    g_autofree struct fl_plan *plans = g_new0(struct fl_plan, in_flight);
    struct strategy *strategy = ops->open(config, NULL);
    unsigned issued = 0;
    for (unsigned returned = 0; returned < runs; returned++) {
        while (issued - returned < in_flight && ops->next(strategy, &plans[issued % in_flight]))
            issued++;
        assert_true(issued > returned);
        const struct run_report *report = toy_run(toy, &plans[returned % in_flight]);
        assert_int_equal(report->n_taken, report->plan->n_preemptions);
        note(order, report);
        ops->done(strategy, report);
    }
    ops->close(strategy);
    return order;
}

/* ---- auto ---- */

static bool all_known(const struct toy *toy, unsigned thread, unsigned k)
{
    (void)toy;
    (void)thread;
    return k == 2;
}

struct passes {
    unsigned depth[64], bound[64];
    unsigned n;
    const struct strategy *strategy;
};

static void see_pass(void *context, const struct run_report *report)
{
    struct passes *passes = context;
    struct strategy_progress progress;
    strategy_auto.progress(passes->strategy, &progress);
    assert_int_equal(report->plan->depth, progress.depth);
    const unsigned last = passes->n - 1;
    if (passes->n == 0 || passes->depth[last] != progress.depth ||
        passes->bound[last] != progress.bound) {
        assert_in_range(passes->n, 0, 63);
        passes->depth[passes->n] = progress.depth;
        passes->bound[passes->n++] = progress.bound;
    }
}

static uint64_t deepen(const struct strategy_config *config, struct toy *toy, struct passes *passes,
                       struct strategy_progress *progress)
{
    struct strategy *strategy = strategy_auto.open(config, NULL);
    *passes = (struct passes){.strategy = strategy};
    const uint64_t runs = toy_drive(toy, &strategy_auto, strategy, 16, see_pass, passes);
    strategy_auto.progress(strategy, progress);
    assert_int_equal(progress->runs, runs);
    strategy_auto.close(strategy);
    return runs;
}

static void cheap_and_likely_first(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2,
                      .entries = 3,
                      .instructions = 2,
                      .even_point = FL_POINT_LOCK,
                      .known = all_known};
    static const unsigned wanted[][2] = {
        {FL_DEPTH_IPC, 0},    {FL_DEPTH_SYNC, 0},   {FL_DEPTH_ACCESS, 0}, {FL_DEPTH_INSN, 0},
        {FL_DEPTH_IPC, 0},    {FL_DEPTH_IPC, 1},    {FL_DEPTH_SYNC, 0},   {FL_DEPTH_SYNC, 1},
        {FL_DEPTH_ACCESS, 0}, {FL_DEPTH_ACCESS, 1},
    };
    const struct strategy_config config = config_of(FL_DEPTH_INSN, 2);
    struct passes passes;
    struct strategy_progress progress;
    deepen(&config, &toy, &passes, &progress);
    for (size_t i = 0; i < G_N_ELEMENTS(wanted); i++) {
        assert_int_equal(passes.depth[i], wanted[i][0]);
        assert_int_equal(passes.bound[i], wanted[i][1]);
    }
    assert_int_equal(passes.depth[passes.n - 1], FL_DEPTH_ACCESS);
    assert_int_equal(passes.bound[passes.n - 1], 2);
    assert_int_equal(progress.searched[FL_DEPTH_IPC], 3);
    assert_int_equal(progress.searched[FL_DEPTH_SYNC], 3);
    assert_int_equal(progress.searched[FL_DEPTH_ACCESS], 3);
    assert_int_equal(progress.searched[FL_DEPTH_INSN], 2);
}

static void does_without(void **state)
{
    (void)state;
    struct toy toy = {
        .threads = 2, .entries = 3, .instructions = 2, .even_point = FL_POINT_IPC_SEND};
    struct strategy_config config = config_of(FL_DEPTH_INSN, 2);
    config.without = 1u << FL_DEPTH_ACCESS;
    struct passes passes;
    struct strategy_progress progress;
    deepen(&config, &toy, &passes, &progress);
    for (unsigned i = 0; i < passes.n; i++)
        assert_int_not_equal(passes.depth[i], FL_DEPTH_ACCESS);
    assert_int_equal(passes.depth[passes.n - 1], FL_DEPTH_INSN);
}

/* Between the second and the third instruction after main's first entry. */
static bool gap(const struct toy *toy)
{
    unsigned other = 0, second = 0, third = 0;
    for (unsigned i = 0; i < toy->n_steps; i++) {
        const bool main_runs = toy->steps[i].thread == 0 && toy->steps[i].n == 1;
        if (toy->steps[i].thread == 1 && toy->steps[i].n == 1 && toy->steps[i].k == 0)
            other = i;
        if (main_runs && toy->steps[i].k == 2)
            second = i;
        if (main_runs && toy->steps[i].k == 3)
            third = i;
    }
    return other > second && other < third;
}

static void finds_what_lies_deeper(void **state)
{
    (void)state;
    struct toy toy = {.threads = 2,
                      .entries = 3,
                      .instructions = 4,
                      .even_point = FL_POINT_IPC_SEND,
                      .violated = gap};
    struct strategy_config config = config_of(FL_DEPTH_INSN, 2);
    config.without = 1u << FL_DEPTH_ACCESS;
    struct strategy *strategy = strategy_auto.open(&config, NULL);
    struct fl_plan plan;
    bool found = false;
    while (!found && strategy_auto.next(strategy, &plan)) {
        const struct run_report *report = toy_run(&toy, &plan);
        found = report->verdict->kind == VERDICT_VIOLATION;
        strategy_auto.done(strategy, report);
    }
    assert_true(found);
    g_autofree char *schedule = plan_schedule(&toy_scenario, plan.preemptions, plan.n_preemptions);
    assert_string_equal(schedule, "main@1+3->t1");
    strategy_auto.close(strategy);
}

/* ---- minimise, at depth insn ---- */

static void shrinks_instructions(void **state)
{
    (void)state;
    struct toy toy = {.threads = 3,
                      .entries = 3,
                      .instructions = 4,
                      .even_point = FL_POINT_IPC_SEND,
                      .violated = gap};
    struct strategy_config config = config_of(FL_DEPTH_INSN, 2);
    struct fl_plan given = config.base;
    given.depth = FL_DEPTH_INSN;
    assert_true(
        plan_parse_schedule(&given, &toy_scenario, "main@1+3->t2, t2@2+1->t1, t1@2->t2", NULL));
    config.given = &given;
    config.check = "toy";
    uint64_t runs = 0;
    for (unsigned in_flight = 1; in_flight <= 64; in_flight *= 8) {
        struct strategy *minimise = strategy_minimise.open(&config, NULL);
        struct strategy_progress progress;
        toy_drive(&toy, &strategy_minimise, minimise, in_flight, NULL, NULL);
        const struct fl_plan *result = minimise_result(minimise);
        assert_non_null(result);
        g_autofree char *schedule =
            plan_schedule(&toy_scenario, result->preemptions, result->n_preemptions);
        assert_string_equal(schedule, "main@1+3->t1");
        assert_int_equal(result->mode & FL_MODE_SPANS, 0);
        /* what is given out ahead does not change how many runs it took */
        strategy_minimise.progress(minimise, &progress);
        assert_true(in_flight == 1 || progress.runs == runs);
        runs = progress.runs;
        strategy_minimise.close(minimise);
    }
}

/* ---- pct ---- */

static void the_bound_is_that_of_the_paper(void **state)
{
    (void)state;
    assert_true(fabs(pct_bound(2, 10, 1, 1) - 1.0 / 20) < 1e-12);
    assert_true(fabs(pct_bound(5, 34, 1, 1000) - (1 - pow(1 - 1.0 / 170, 1000))) < 1e-9);
    assert_true(fabs(pct_bound(3, 8, 2, 7) - (1 - pow(1 - 1.0 / 192, 7))) < 1e-12);
    assert_true(pct_bound(1, 1, 0, 1) > 0.999);
    assert_true(pct_bound(4, 40, 1, 0) == 0);
}

static void pct_learns_between_rounds(void **state)
{
    (void)state;
    struct toy toy = {.threads = 3, .entries = 4, .even_point = FL_POINT_IPC_SEND};
    struct strategy_config config = config_of(FL_DEPTH_IPC, 1);
    config.max_runs = 20;
    struct strategy *pct = strategy_pct.open(&config, NULL);
    struct fl_plan plan;
    assert_true(strategy_pct.next(pct, &plan));
    assert_int_equal(plan.policy, FL_POLICY_FIXED);
    assert_false(strategy_pct.next(pct, &plan)); /* the first round is one run */
    assert_true(strategy_pct.done(pct, toy_run(&toy, &plan)));
    for (unsigned i = 1; i < 20; i++) {
        assert_true(strategy_pct.next(pct, &plan));
        assert_int_equal(plan.policy, FL_POLICY_PCT);
        assert_int_equal(plan.changes, 1);
        assert_int_equal(plan.chance, 8); /* where another is ready: all but the last thread's */
        assert_int_not_equal(plan.seed, 0);
        strategy_pct.done(pct, toy_run(&toy, &plan));
    }
    assert_true(strategy_pct.finished(pct));
    struct strategy_progress progress;
    strategy_pct.progress(pct, &progress);
    assert_int_equal(progress.threads, 3);
    assert_int_equal(progress.places, 8);
    assert_true(fabs(progress.probability - pct_bound(3, 8, 1, 19)) < 1e-12);
    strategy_pct.close(pct);
}

/* ---- descent ---- */

static void descents_depend_on_the_seed_alone(void **state)
{
    (void)state;
    struct toy toy = {.threads = 3,
                      .entries = 3,
                      .instructions = 2,
                      .even_point = FL_POINT_IPC_SEND,
                      .known = all_known,
                      .growth = {40, 90}};
    const struct strategy_config config = config_of(FL_DEPTH_ACCESS, 3);
    struct strategy_config other = config;
    other.seed = 2;
    struct toy again = toy, third = toy;
    g_autoptr(GString) one = first_runs(&strategy_descent, &config, &toy, 1, 300);
    g_autoptr(GString) many = first_runs(&strategy_descent, &config, &again, 64, 300);
    g_autoptr(GString) different = first_runs(&strategy_descent, &other, &third, 64, 300);
    assert_string_equal(one->str, many->str);
    assert_string_not_equal(one->str, different->str);
    assert_non_null(strstr(one->str, "+2->")); /* an instruction */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(cheap_and_likely_first),
        cmocka_unit_test(does_without),
        cmocka_unit_test(finds_what_lies_deeper),
        cmocka_unit_test(shrinks_instructions),
        cmocka_unit_test(the_bound_is_that_of_the_paper),
        cmocka_unit_test(pct_learns_between_rounds),
        cmocka_unit_test(descents_depend_on_the_seed_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
