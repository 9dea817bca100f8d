/* Places of a real guest: a plan's preemptions at k = 0 and k >= 1 happen where it says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "lane.h"
#include "plan.h"

#define PATIENCE_MS 30000

static struct session_options lane;
static const struct image *image;
static struct session *session;

static struct fl_result run_schedule(const char *name, const char *variant, const char *schedule)
{
    GError *error = NULL;
    const int index = image_scenario(image, name);
    assert_true(index >= 0);
    const struct fl_scenario *scenario = &image->scenarios[index];
    struct fl_plan plan;
    struct run run;
    plan_init(&plan, scenario, (unsigned)index, (unsigned)scenario_variant(scenario, variant));
    if (!plan_parse_schedule(&plan, scenario, schedule, &error))
        fail_msg("%s", error->message);
    session_post(session, &plan);
    assert_int_equal(session_wait(session, PATIENCE_MS, &run, NULL, &error), SESSION_RUN);
    session_release(session);
    return run.result;
}

/* On its tenth entry, then at an instruction after it. */
static void one_entry_has_places_before_and_after(void **state)
{
    (void)state;
    struct fl_result result =
        run_schedule("smoke", "plain", "ping@10->pong, pong@0+3->ping, ping@10+5->pong");
    assert_int_equal(result.outcome, FL_OUTCOME_EXITED);
    assert_int_equal(result.reached, 3);
}

static void neighbouring_instructions_are_two_places(void **state)
{
    (void)state;
    struct fl_result result = run_schedule(
        "smoke", "plain", "ping@10+5->pong, pong@0+3->ping, ping@10+6->pong, pong@0+4->ping");
    assert_int_equal(result.outcome, FL_OUTCOME_EXITED);
    assert_int_equal(result.reached, 4);
}

/* A target that cannot run is not preempted for, and hides nothing that comes after it. */
static void a_place_without_its_target_is_passed(void **state)
{
    (void)state;
    struct fl_result result =
        run_schedule("smoke", "plain", "ping@10->core, ping@10+4->core, ping@10+5->pong");
    assert_int_equal(result.outcome, FL_OUTCOME_EXITED);
    assert_int_equal(result.reached, 1);
}

static void the_budget_ends_before_a_far_place(void **state)
{
    (void)state;
    struct fl_result plain = run_schedule("rig_misbehave", "spin", "");
    struct fl_result far = run_schedule("rig_misbehave", "spin", "main@0+4000000000->core");
    assert_int_equal(plain.outcome, FL_OUTCOME_HUNG);
    assert_int_equal(far.outcome, FL_OUTCOME_HUNG);
    assert_int_equal(far.instructions, plain.instructions);
}

/* Its target runs where the head of the queue would. */
static void a_thread_that_gives_up_names_who_runs(void **state)
{
    (void)state;
    struct fl_result result = run_schedule("genode_stack_slot", "fixed",
                                           "main@19+gives-up->main.2, main.2@2+gives-up->t1");
    assert_int_equal(result.outcome, FL_OUTCOME_EXITED);
    assert_int_equal(result.reached, 2);
    result = run_schedule("genode_stack_slot", "fixed", "main@18+gives-up->t1");
    assert_int_equal(result.outcome, FL_OUTCOME_EXITED);
    assert_int_equal(result.reached, 0);
}

static int open_guest(void **state)
{
    (void)state;
    GError *error = NULL;
    lane = lane_open(lane_name());
    image = lane.image;
    session = session_open(&lane, &error);
    if (session == NULL)
        print_error("%s\n", error->message);
    return session == NULL;
}

static int close_guest(void **state)
{
    (void)state;
    session_close(session);
    image_close((struct image *)image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_entry_has_places_before_and_after),
        cmocka_unit_test(neighbouring_instructions_are_two_places),
        cmocka_unit_test(a_place_without_its_target_is_passed),
        cmocka_unit_test(the_budget_ends_before_a_far_place),
        cmocka_unit_test(a_thread_that_gives_up_names_who_runs),
    };
    return cmocka_run_group_tests(tests, open_guest, close_guest);
}
