/* What the plugin tells of real guests, held against what the guest says of itself. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "capture.h"
#include "engine.h"
#include "lane.h"
#include "plan.h"

enum { PATIENCE_MS = 60000, PLANS = 60, PLACES = 400 };

static struct session_options lane;
static const struct image *image;
static struct engine *engine;
static struct session *with, *without;

static struct session *open_session(bool accesses)
{
    GError *error = NULL;
    struct session_options options = lane;
    options.accesses = accesses;
    struct session *session = session_open(&options, &error);
    if (session == NULL)
        fail_msg("no session: %s", error->message);
    return session;
}

static void make_plan(struct fl_plan *plan, const char *scenario, unsigned variant)
{
    int index = image_scenario(image, scenario);
    assert_true(index >= 0);
    plan_init(plan, &image->scenarios[index], (unsigned)index, variant);
    plan->mode = FL_MODE_SPANS;
}

/* The i-th of some plans that differ: every scenario in turn, with drawn preemptions. */
static void drawn_plan(struct fl_plan *plan, unsigned i)
{
    static const char *const scenarios[] = {"genode_stack_slot", "smoke", "stack_overflow",
                                            "region_maps"};
    make_plan(plan, scenarios[i % G_N_ELEMENTS(scenarios)], 0);
    plan->policy = FL_POLICY_RANDOM;
    plan->depth = FL_DEPTH_SYNC;
    plan->seed = i + 1;
    plan->chance = UINT32_MAX >> (1 + i % 5);
}

/* And the i-th of some that preempt before one of the first instructions after an entry. */
static void early_plan(struct fl_plan *plan, unsigned i)
{
    make_plan(plan, "genode_stack_slot", 0);
    plan->n_preemptions = 1;
    plan->preemptions[0] = (struct fl_preemption){.thread = FL_PATH_DOMAIN(0),
                                                  .n = 8 + i / 3,
                                                  .k = 1 + i % 3,
                                                  .target = FL_PATH_CHILD2(0, 1)};
}

static struct run await(struct session *session)
{
    GError *error = NULL;
    struct run run;
    if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
        fail_msg("no run: %s", error != NULL ? error->message : "the guest does not answer");
    return run;
}

static struct run run_once(struct session *session, const struct fl_plan *plan)
{
    session_post(session, plan);
    return await(session);
}

/* The engine has read the run that is held. */
static void judge(struct session *session, const struct run *run)
{
    engine_begin(engine, &image->scenarios[run->plan.scenario], run->plan.variant);
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n;
        const struct fl_packet *packet = session_packet(session, run, i, &n);
        engine_events(engine, packet->events, n);
    }
    engine_end(engine, run->result.outcome);
}

static struct capture *capture_of(struct session *session, const struct fl_plan *plan)
{
    struct run run = run_once(session, plan);
    struct capture *capture = capture_take(session, &run);
    session_release(session);
    return capture;
}

static GArray *accesses_of(struct session *session, const struct fl_plan *plan)
{
    size_t n;
    run_once(session, plan);
    const struct access *log = session_accesses(session, &n);
    assert_non_null(log);
    GArray *copy = g_array_new(FALSE, FALSE, sizeof(struct access));
    g_array_append_vals(copy, log, (guint)n);
    session_release(session);
    return copy;
}

static bool same_accesses(const GArray *a, const GArray *b)
{
    return a->len == b->len && memcmp(a->data, b->data, a->len * sizeof(struct access)) == 0;
}

static uint32_t number_of(const struct access *access)
{
    return access->place & 0xffffffu;
}

/* ---- the guest does not notice ---- */

static void the_plugin_changes_no_event(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLANS; i++) {
        struct fl_plan plan;
        drawn_plan(&plan, i);
        struct capture *plain = capture_of(without, &plan);
        struct capture *watched = capture_of(with, &plan);
        assert_true(plain->result.events > 100);
        assert_true(capture_same(plain, watched));
        capture_free(plain);
        capture_free(watched);
    }
}

static void the_log_is_a_function_of_the_plan(void **state)
{
    (void)state;
    struct session *cold = open_session(true);
    for (unsigned i = 0; i < 12; i++) {
        struct fl_plan plan;
        drawn_plan(&plan, i);
        GArray *first = accesses_of(cold, &plan);
        GArray *again = accesses_of(with, &plan);
        assert_true(first->len > 500);
        assert_true(same_accesses(first, again));
        g_array_free(first, TRUE);
        g_array_free(again, TRUE);
    }
    session_close(cold);
}

/* ---- numbers ---- */

static void check_accesses(const struct access *log, size_t n)
{
    size_t n_spans;
    const struct span *spans = engine_spans(engine, &n_spans);
    uint32_t span = 0, number = 0;
    for (size_t i = 0; i < n; i++) {
        assert_true(log[i].span >= span && log[i].span < n_spans);
        if (log[i].span != span)
            number = 0;
        span = log[i].span;
        assert_true(number_of(&log[i]) >= MAX(1, number));
        number = number_of(&log[i]);
        assert_true(number <= spans[span].instructions);
        assert_true(log[i].address < FL_RAM_SIZE);
        assert_true(log[i].pc < FL_USER_END);
        assert_int_equal(log[i].pc < FL_PROGRAM_BASE, spans[span].space == FL_SPACE_CORE);
    }
}

static void accesses_fit_the_spans(void **state)
{
    (void)state;
    unsigned reached = 0;
    for (unsigned i = 0; i < 2 * PLANS; i++) {
        struct fl_plan plan;
        size_t n, n_spans, n_places;
        if (i < PLANS)
            drawn_plan(&plan, i);
        else
            early_plan(&plan, i - PLANS);
        struct run run = run_once(with, &plan);
        reached += i >= PLANS && run.result.reached > 0;
        judge(with, &run);
        engine_spans(engine, &n_spans);
        engine_places(engine, &n_places);
        assert_int_equal(n_spans, n_places);
        const struct access *log = session_accesses(with, &n);
        assert_true(n > 500);
        check_accesses(log, n);
        session_release(with);
    }
    assert_true(reached >= PLANS / 3);
}

/* A program's data and stacks lie in frames that events of mapping name; its message pages do not.
 */
static void addresses_are_those_of_the_frames(void **state)
{
    (void)state;
    struct fl_plan plan;
    make_plan(&plan, "stack_overflow", 0);
    struct run run = run_once(with, &plan);
    bool mapped[FL_RAM_SIZE >> FL_PAGE_SHIFT] = {false};
    for (uint32_t i = 0; i < run.result.packets; i++) {
        size_t n;
        const struct fl_packet *packet = session_packet(with, &run, i, &n);
        for (size_t j = 0; j < n; j++)
            if (fl_event_id(&packet->events[j]) == FL_EVENT_MAP)
                mapped[packet->events[j].aux] = true;
    }
    size_t n, in_mapped = 0, of_program = 0;
    const struct access *log = session_accesses(with, &n);
    for (size_t i = 0; i < n; i++) {
        of_program += log[i].pc >= FL_PROGRAM_BASE;
        in_mapped += log[i].pc >= FL_PROGRAM_BASE && mapped[log[i].address >> FL_PAGE_SHIFT];
    }
    session_release(with);
    assert_true(of_program > 300);
    assert_true(in_mapped * 10 > of_program * 7);
}

/* ---- the instruction that is told is the one that a plan finds there ---- */

static uint32_t interrupted_pc(struct session *session, const struct run *run, uint32_t *k)
{
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n;
        const struct fl_packet *packet = session_packet(session, run, i, &n);
        for (size_t j = 0; j < n; j++)
            if (fl_event_id(&packet->events[j]) == FL_EVENT_INTERRUPT) {
                *k = packet->events[j].aux;
                return packet->events[j].arg;
            }
    }
    return 0;
}

static struct fl_preemption place_of(const struct span *span, const struct access *access)
{
    return (struct fl_preemption){
        .thread = span->thread,
        .n = span->n,
        .k = span->k + number_of(access) - 1,
        .target = engine_ready(engine)[span->ready],
    };
}

static void places_have_the_pc_of_the_access(void **state)
{
    (void)state;
    struct fl_plan plan;
    make_plan(&plan, "genode_stack_slot", 0);
    GArray *log = accesses_of(with, &plan);
    struct run run = run_once(with, &plan);
    judge(with, &run);
    session_release(with);
    size_t n_spans;
    const struct span *spans = engine_spans(engine, &n_spans);
    unsigned tried = 0;
    for (guint i = 0; i < log->len && tried < PLACES; i += 3) {
        const struct access *access = &g_array_index(log, struct access, i);
        const struct span *span = &spans[access->span];
        if (span->n_ready == 0)
            continue;
        struct fl_plan there = plan;
        uint32_t k = 0;
        there.n_preemptions = 1;
        there.preemptions[0] = place_of(span, access);
        struct run stopped = run_once(tried % 2 == 0 ? with : without, &there);
        struct session *session = tried++ % 2 == 0 ? with : without;
        assert_int_equal(interrupted_pc(session, &stopped, &k), access->pc);
        assert_int_equal(k, there.preemptions[0].k);
        assert_int_equal(stopped.result.reached, 1);
        session_release(session);
    }
    assert_true(tried >= PLACES / 2);
    g_array_free(log, TRUE);
}

/* ---- whose accesses these are ---- */

static void post(struct session *session, const char *scenario, const char *variant)
{
    struct fl_plan plan;
    int index = image_scenario(image, scenario);
    make_plan(&plan, scenario, (unsigned)scenario_variant(&image->scenarios[index], variant));
    session_post(session, &plan);
}

/* Plans that the guest refuses, runs that it dies in, plans dropped: all without an accesses' run
 * to pair with, or with half a one. */
static void accesses_stay_with_their_runs(void **state)
{
    (void)state;
    struct session *session = open_session(true);
    struct fl_plan plan, refused;
    make_plan(&plan, "smoke", 0);
    refused = plan;
    refused.scenario = UINT16_MAX;
    session_post(session, &refused);
    await(session);
    session_release(session);
    GArray *expected = accesses_of(session, &plan);
    assert_int_equal(session_boots(session), 1);
    for (unsigned round = 0; round < 3; round++) {
        session_post(session, &refused);
        post(session, "rig_misbehave", "power_off");
        session_post(session, &plan);
        session_post(session, &refused);
        session_post(session, &plan);
        for (unsigned i = 0; i < 5; i++) {
            struct run run = await(session);
            size_t n;
            const struct access *log = session_accesses(session, &n);
            if (run.plan.scenario == plan.scenario) {
                assert_int_equal(n, expected->len);
                assert_memory_equal(log, expected->data, n * sizeof *log);
            } else if (run.plan.scenario == UINT16_MAX) {
                assert_null(log);
            }
            session_release(session);
        }
        session_post(session, &plan);
        session_drop(session);
    }
    assert_true(session_boots(session) > 3);
    g_array_free(expected, TRUE);
    session_close(session);
}

/* With the next run's more than the log holds at a time: the plugin waits and goes on. How far it
 * comes before it is ended as hung is a matter of the architecture. */
static void a_run_that_hangs_is_cut(void **state)
{
    (void)state;
    size_t n;
    post(with, "rig_misbehave", "spin");
    struct run run = await(with);
    assert_int_equal(run.result.outcome, FL_OUTCOME_HUNG);
    session_accesses(with, &n);
    assert_in_range(n, SESSION_ACCESSES / 2, SESSION_ACCESSES);
    session_release(with);
    struct fl_plan plan;
    make_plan(&plan, "smoke", 0);
    GArray *after = accesses_of(with, &plan);
    assert_true(after->len > 500 && after->len < SESSION_ACCESSES);
    g_array_free(after, TRUE);
}

static int setup(void **state)
{
    (void)state;
    lane = lane_open(lane_name());
    image = lane.image;
    engine = engine_new();
    with = open_session(true);
    without = open_session(false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    session_close(with);
    session_close(without);
    engine_free(engine);
    image_close((struct image *)image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_plugin_changes_no_event),
        cmocka_unit_test(the_log_is_a_function_of_the_plan),
        cmocka_unit_test(accesses_fit_the_spans),
        cmocka_unit_test(addresses_are_those_of_the_frames),
        cmocka_unit_test(places_have_the_pc_of_the_access),
        cmocka_unit_test(accesses_stay_with_their_runs),
        cmocka_unit_test(a_run_that_hangs_is_cut),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
