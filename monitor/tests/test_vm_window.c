/* Exactness: preemptions at every k of a window of mixed instructions stand on every instruction
 * that is executed, once each and in order, and none changes what the window leaves behind.
 *
 * What is executed is known from the image: one instruction says where the next one can be
 * (follow.h).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <cmocka.h>
#include "engine.h"
#include "follow.h"
#include "lane.h"
#include "plan.h"

enum { PATIENCE_MS = 60000, LEAST = 60, MOST = 1000 };

static struct session_options lane;
static const struct image *image;
static struct code *code;
static struct engine *engine;
static struct session *with, *without;
static struct fl_plan plan;

/* ---- the guest ---- */

static struct run run_once(struct session *session)
{
    GError *error = NULL;
    struct run run;
    session_post(session, &plan);
    if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
        fail_msg("no run: %s", error != NULL ? error->message : "the guest does not answer");
    return run;
}

/* The first event of a kind of the thread main; NULL: there is none. */
static const struct fl_event *find(struct session *session, const struct run *run, uint16_t id)
{
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n;
        const struct fl_packet *packet = session_packet(session, run, i, &n);
        for (size_t j = 0; j < n; j++)
            if (fl_event_id(&packet->events[j]) == id &&
                packet->events[j].thread == FL_PATH_DOMAIN(0))
                return &packet->events[j];
    }
    return NULL;
}

/* What main's span says that an interruption ended: from which k on, and how many instructions. */
static const struct fl_event *find_cut_span(struct session *session, const struct run *run)
{
    const struct fl_event *last = NULL;
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n;
        const struct fl_packet *packet = session_packet(session, run, i, &n);
        for (size_t j = 0; j < n; j++) {
            if (fl_event_id(&packet->events[j]) == FL_EVENT_INTERRUPT)
                return last;
            if (fl_event_id(&packet->events[j]) == FL_EVENT_SPAN)
                last = &packet->events[j];
        }
    }
    return NULL;
}

static enum verdict_kind judge(struct session *session, const struct run *run)
{
    engine_begin(engine, &image->scenarios[plan.scenario], plan.variant);
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n;
        const struct fl_packet *packet = session_packet(session, run, i, &n);
        engine_events(engine, packet->events, n);
    }
    return engine_end(engine, run->result.outcome)->kind;
}

/* The span between the marks, and the pc of the mark that ends it. */
static struct span find_window(uint32_t *end)
{
    plan.mode = FL_MODE_SPANS;
    plan.n_preemptions = 0;
    struct run run = run_once(without);
    assert_int_equal(judge(without, &run), VERDICT_CLEAN);
    size_t n_spans, n_places;
    const struct span *spans = engine_spans(engine, &n_spans);
    const struct place *places = engine_places(engine, &n_places);
    struct span longest = {.instructions = 0};
    for (size_t i = 1; i < n_spans; i++)
        if (spans[i].thread == FL_PATH_DOMAIN(0) && spans[i].n_ready > 0 &&
            places[i].point == FL_POINT_MARK && places[i - 1].point == FL_POINT_MARK) {
            longest = spans[i];
            *end = places[i].pc;
        }
    assert_non_null(find(without, &run, FL_EVENT_MARK_END));
    session_release(without);
    plan.mode = FL_MODE_POSTED;
    return longest;
}

/* Preempts main there in favour of its child; where that was. */
static uint32_t preempt_at(struct session *session, const struct span *window, uint32_t k)
{
    plan.n_preemptions = 1;
    plan.preemptions[0] = (struct fl_preemption){
        .thread = window->thread, .n = window->n, .k = k, .target = FL_PATH_CHILD2(0, 1)};
    struct run run = run_once(session);
    assert_int_equal(run.result.reached, 1);
    assert_int_equal(judge(session, &run), VERDICT_CLEAN); /* main compares what it left */
    const struct fl_event *interrupt = find(session, &run, FL_EVENT_INTERRUPT);
    assert_non_null(interrupt);
    assert_int_equal(interrupt->aux, k);
    uint32_t pc = interrupt->arg;
    session_release(session);
    return pc;
}

/* The instruction that an interruption came before was not executed. */
static void a_span_that_is_cut_counts_what_was_executed(void **state)
{
    (void)state;
    uint32_t end = 0;
    const struct span window = find_window(&end);
    plan.mode = FL_MODE_SPANS;
    plan.n_preemptions = 1;
    for (uint32_t k = 1; k <= window.instructions; k += 1 + k / 4) {
        plan.preemptions[0] = (struct fl_preemption){
            .thread = window.thread, .n = window.n, .k = k, .target = FL_PATH_CHILD2(0, 1)};
        struct run run = run_once(without);
        const struct fl_event *span = find_cut_span(without, &run);
        assert_non_null(span);
        assert_int_equal(span->aux, 1);
        assert_int_equal(span->arg, k - 1);
        session_release(without);
    }
    plan.mode = FL_MODE_POSTED;
}

static void sweep(struct session *session)
{
    uint32_t end = 0;
    struct span window = find_window(&end);
    struct calls calls = {.depth = 0};
    assert_in_range(window.instructions, LEAST, MOST);
    assert_int_equal(window.k, 1);
    printf("%u boundaries\n", window.instructions);
    uint32_t pc = preempt_at(session, &window, 1);
    for (uint32_t k = 2; k <= window.instructions; k++) {
        uint32_t next = preempt_at(session, &window, k);
        if (!code_can_follow(code, &calls, pc, next))
            fail_msg("k = %u: after pc 0x%x cannot come 0x%x", k, pc, next);
        pc = next;
    }
    assert_int_equal(pc, end);
    assert_int_equal(calls.depth, 0);
}

static void every_boundary_is_hit_once(void **state)
{
    (void)state;
    sweep(without);
}

static void and_with_the_plugin_loaded(void **state)
{
    (void)state;
    sweep(with);
}

static int setup(void **state)
{
    (void)state;
    GError *error = NULL;
    lane = lane_open(lane_name());
    image = lane.image;
    int index = image_scenario(image, "rig_window");
    assert_true(index >= 0);
    const uint32_t base = FL_PROGRAM_BASE + (uint32_t)index * FL_PROGRAM_SIZE;
    code = code_open(image, base, base + FL_PROGRAM_SIZE);
    plan_init(&plan, &image->scenarios[index], (unsigned)index,
              (unsigned)scenario_variant(&image->scenarios[index], "plain"));
    engine = engine_new();
    struct session_options telling = lane;
    telling.accesses = true;
    with = session_open(&telling, &error);
    if (with == NULL)
        fail_msg("%s", error->message);
    without = session_open(&lane, &error);
    if (without == NULL)
        fail_msg("%s", error->message);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    session_close(with);
    session_close(without);
    engine_free(engine);
    code_close(code);
    image_close((struct image *)image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_boundary_is_hit_once),
        cmocka_unit_test(and_with_the_plugin_loaded),
        cmocka_unit_test(a_span_that_is_cut_counts_what_was_executed),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
