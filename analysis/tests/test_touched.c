/* What beginnings of runs have touched, told apart where it matters for which instructions touch
 * shared memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "spanned.h"
#include "touched.h"

enum { PC = 0x01000100, FRAME = 0x500, WORD = FRAME << FL_PAGE_SHIFT | 0x40 };

static struct engine *engine;
static struct touched *touched;

static int open_all(void **state)
{
    (void)state;
    engine = engine_new();
    touched = touched_new();
    return 0;
}

static int close_all(void **state)
{
    (void)state;
    touched_free(touched);
    engine_free(engine);
    return 0;
}

static void begin(void)
{
    accesses = g_array_new(FALSE, FALSE, sizeof(struct access));
    story_begin(&story);
}

/* Of the whole story, which is over then. */
static uint64_t end(void)
{
    story_entry(&story, story.running, FL_POINT_MARK);
    tell_engine(engine);
    touched_begin(touched, engine, (const struct access *)(void *)accesses->data, accesses->len);
    const uint64_t sum = touched_until(touched, UINT64_MAX);
    g_array_free(accesses, TRUE);
    return sum;
}

/* main's call, with an access before it. */
static uint64_t with(void (*access)(uint32_t pc, uint32_t address), uint32_t pc, uint32_t address)
{
    begin();
    if (access != NULL)
        access(pc, address);
    story_ask(&story, STORY_MAIN, FL_LABEL_USER, FL_ERROR_OK);
    return end();
}

static void each_part_of_an_access_counts(void **state)
{
    (void)state;
    const uint64_t one = with(load, PC, WORD);
    assert_true(one == with(load, PC, WORD));
    assert_true(one != with(NULL, 0, 0));
    assert_true(one != with(store, PC, WORD));
    assert_true(one != with(load, PC + 4, WORD));
    assert_true(one != with(load, PC, WORD + 4));
}

static void how_often_and_in_what_order_does_not(void **state)
{
    (void)state;
    uint64_t sums[3];
    for (unsigned i = 0; i < G_N_ELEMENTS(sums); i++) {
        begin();
        load(PC, i == 1 ? WORD : WORD + 8);
        story_ask(&story, STORY_MAIN, FL_LABEL_USER, FL_ERROR_OK);
        load(PC, i == 1 ? WORD + 8 : WORD);
        if (i == 2)
            load(PC, WORD + 8);
        sums[i] = end();
    }
    assert_true(sums[0] == sums[1] && sums[0] == sums[2]);
}

/* What a parent did before it asked for a thread, and what core did to make it, cannot conflict
 * with what the thread does. */
static void before_or_after_a_thread_was_asked_for(void **state)
{
    (void)state;
    uint64_t sums[5];
    for (unsigned i = 0; i < G_N_ELEMENTS(sums); i++) {
        begin();
        if (i == 0)
            store(PC, WORD); /* main's */
        story_call(&story, STORY_MAIN, FL_LABEL_THREAD_CREATE);
        if (i == 1)
            store(PC, WORD); /* core's, while it makes the thread */
        story_entry(&story, FL_PATH_CORE, FL_POINT_THREAD_START);
        struct fl_event *event =
            story_say(&story, FL_EVENT_THREAD_CREATE, STORY_MAIN, STORY_T1, 2, STORY_SPACE);
        event->space = FL_SPACE_CORE;
        if (i == 2)
            store(PC, WORD); /* core's, behind that */
        story_answer(&story, STORY_MAIN, FL_ERROR_OK);
        if (i == 3)
            store(PC, WORD); /* main's, with t1 there */
        sums[i] = end();
    }
    for (unsigned i = 0; i < G_N_ELEMENTS(sums); i++)
        for (unsigned j = 0; j < i; j++)
            assert_true(sums[i] != sums[j]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_part_of_an_access_counts),
        cmocka_unit_test(how_often_and_in_what_order_does_not),
        cmocka_unit_test(before_or_after_a_thread_was_asked_for),
    };
    return cmocka_run_group_tests(tests, open_all, close_all);
}
