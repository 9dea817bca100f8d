/* The check linearizable against brute force: of thousands of drawn histories, some of them of a
 * real sequential object and some with a result changed, it says what trying all orders says. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>
#include "engine.h"
#include "specs.h"
#include "story.h"

#define OBJECT      0x01002000u
#define MAX_CALLS   6u
#define N_HISTORIES 4000u

struct drawn {
    struct spec_call call;
    unsigned thread;
    unsigned begin, end; /* moments */
};

struct history {
    struct drawn calls[MAX_CALLS];
    unsigned n;
};

static struct engine *engine;
static struct story story;
static const uint32_t threads[] = {STORY_MAIN, STORY_T1, STORY_T2};

static const uint32_t operations[][3] = {
    {FL_OPERATION_REGISTER_WRITE, FL_OPERATION_REGISTER_READ, FL_OPERATION_REGISTER_READ},
    {FL_OPERATION_COUNTER_ADD, FL_OPERATION_COUNTER_ADD, FL_OPERATION_COUNTER_ADD},
    {FL_OPERATION_QUEUE_PUT, FL_OPERATION_QUEUE_PUT, FL_OPERATION_QUEUE_GET},
    {FL_OPERATION_STACK_PUT, FL_OPERATION_STACK_PUT, FL_OPERATION_STACK_GET},
    {FL_OPERATION_SET_ADD, FL_OPERATION_SET_REMOVE, FL_OPERATION_SET_HAS},
    {FL_OPERATION_POOL_TAKE, FL_OPERATION_POOL_TAKE, FL_OPERATION_POOL_GIVE},
};

/* Each call of a thread lies after the one before it; those of different threads may overlap. */
static void draw(GRand *random, struct history *history)
{
    const uint32_t *set = operations[g_rand_int_range(random, 0, G_N_ELEMENTS(operations))];
    unsigned now[G_N_ELEMENTS(threads)] = {0};

    history->n = (unsigned)g_rand_int_range(random, 2, MAX_CALLS + 1);
    for (unsigned i = 0; i < history->n; i++) {
        struct drawn *drawn = &history->calls[i];
        *drawn = (struct drawn){.thread = (unsigned)g_rand_int_range(random, 0, 3)};
        drawn->call.operation = set[g_rand_int_range(random, 0, 3)];
        drawn->call.argument = drawn->call.operation == FL_OPERATION_POOL_TAKE
                                   ? 2
                                   : (uint32_t)g_rand_int_range(random, 0, 3);
        static const uint32_t results[] = {0, 1, 2, 3, FL_SPEC_NONE};
        drawn->call.result = results[g_rand_int_range(random, 0, G_N_ELEMENTS(results))];
        drawn->call.ended = true;
        drawn->begin = now[drawn->thread] + (unsigned)g_rand_int_range(random, 1, 5);
        drawn->end = drawn->begin + (unsigned)g_rand_int_range(random, 1, 6);
        now[drawn->thread] = drawn->end;
    }
}

/* Moments are equal at times: what begins then is told before what ends. */
static bool before(const struct drawn *a, const struct drawn *b)
{
    return a->end < b->begin;
}

static bool some_order(const struct history *history, unsigned done, struct spec_state state)
{
    if (done == (1u << history->n) - 1)
        return true;
    for (unsigned i = 0; i < history->n; i++) {
        bool first = !(done >> i & 1);
        for (unsigned j = 0; j < history->n && first; j++)
            first = done >> j & 1 || !before(&history->calls[j], &history->calls[i]);
        struct spec_state next = state;
        if (first && spec_apply(&next, &history->calls[i].call) == SPEC_DONE &&
            some_order(history, done | 1u << i, next))
            return true;
    }
    return false;
}

static void tell_moment(const struct history *history, unsigned moment, bool ends)
{
    for (unsigned i = 0; i < history->n; i++) {
        const struct drawn *drawn = &history->calls[i];
        if (!ends && drawn->begin == moment)
            story_mark(&story, threads[drawn->thread], FL_EVENT_MARK_BEGIN, OBJECT,
                       drawn->call.argument, drawn->call.operation);
        if (ends && drawn->end == moment)
            story_mark(&story, threads[drawn->thread], FL_EVENT_MARK_END, OBJECT,
                       drawn->call.result, drawn->call.operation);
    }
}

static bool check_violates(const struct history *history)
{
    story_begin(&story);
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_thread(&story, STORY_MAIN, STORY_T2);
    for (unsigned moment = 0; moment < 64; moment++) {
        tell_moment(history, moment, false);
        tell_moment(history, moment, true);
    }
    story_end(&story, FL_OUTCOME_EXITED);
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    const struct verdict *verdict = engine_end(engine, FL_OUTCOME_EXITED);
    for (size_t i = 0; i < verdict->n_violations; i++)
        if (strstr(verdict->violations[i].message, "in no order"))
            return true;
    return false;
}

static void as_by_brute_force(void **unused)
{
    (void)unused;
    GRand *random = g_rand_new_with_seed(20);
    unsigned possible = 0;

    for (unsigned i = 0; i < N_HISTORIES; i++) {
        struct history history;
        draw(random, &history);
        const bool expected = some_order(&history, 0, (struct spec_state){0});
        if (check_violates(&history) == expected)
            fail_msg("history %u (%s, %u calls): some order: %d", i,
                     spec_name(history.calls[0].call.operation), history.n, expected);
        possible += expected;
    }
    print_message("%u of %u histories have an order\n", possible, N_HISTORIES);
    assert_in_range(possible, N_HISTORIES / 20, N_HISTORIES * 19 / 20);
    g_rand_free(random);
}

/* More than is remembered is said to be too much, never passed. */
static void too_many_to_judge(void **unused)
{
    (void)unused;
    story_begin(&story);
    for (unsigned i = 0; i < 129; i++) {
        story_mark(&story, STORY_MAIN, FL_EVENT_MARK_BEGIN, OBJECT, 1, FL_OPERATION_COUNTER_ADD);
        story_mark(&story, STORY_MAIN, FL_EVENT_MARK_END, OBJECT, i + 1, FL_OPERATION_COUNTER_ADD);
    }
    story_exit(&story, FL_PATH_KERNEL);
    story_end(&story, FL_OUTCOME_EXITED);
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    const struct verdict *verdict = engine_end(engine, FL_OUTCOME_NONE);
    assert_int_equal(verdict->kind, VERDICT_INCONCLUSIVE);
    assert_non_null(strstr(verdict->reason, "too many"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_by_brute_force),
        cmocka_unit_test(too_many_to_judge),
    };

    engine = engine_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    engine_free(engine);
    return failed;
}
