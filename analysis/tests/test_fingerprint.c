/* Where a run stands, as one number: what counts, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>
#include "check.h"
#include "engine.h"
#include "golden.h"
#include "story.h"

static struct engine *engine;

static uint64_t number_of(const struct story *story)
{
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story->events, story->n_events);
    return engine_fingerprint(engine);
}

/* main with a thread, both alive; main runs. */
static void begin(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
}

/* ---- one fact each, on top of that ---- */

static void nothing(struct story *story)
{
    (void)story;
}

static void mapped(struct story *story)
{
    story_say(story, FL_EVENT_MAP, STORY_MAIN, 0x30000000, FL_RIGHTS_R, 0x500);
}

static void mapped_writable(struct story *story)
{
    story_say(story, FL_EVENT_MAP, STORY_MAIN, 0x30000000, FL_RIGHTS_RW, 0x500);
}

static void mapped_elsewhere(struct story *story)
{
    story_say(story, FL_EVENT_MAP, STORY_MAIN, 0x30001000, FL_RIGHTS_R, 0x500);
}

static void mapped_to_another_frame(struct story *story)
{
    story_say(story, FL_EVENT_MAP, STORY_MAIN, 0x30000000, FL_RIGHTS_R, 0x501);
}

static void locked(struct story *story)
{
    story_say(story, FL_EVENT_LOCK, STORY_MAIN, 0x01003000, 0, 0);
}

static void locked_by_another(struct story *story)
{
    story_say(story, FL_EVENT_LOCK, STORY_T1, 0x01003000, 0, 0);
}

static void reserved(struct story *story)
{
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, STORY_SLOT(1), 8192, STORY_OBJECT);
}

static void reserved_for_another(struct story *story)
{
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, STORY_SLOT(1), 8192, STORY_OBJECT + 256);
}

static void reserved_twice(struct story *story) /* which violates, too */
{
    reserved(story);
    reserved_for_another(story);
}

static void faulting(struct story *story)
{
    story_fault(story, STORY_MAIN, 0x30000000, FL_ACCESS_READ);
}

static void faulting_to_write(struct story *story)
{
    story_fault(story, STORY_MAIN, 0x30000000, FL_ACCESS_WRITE);
}

static void calling(struct story *story)
{
    story_call(story, STORY_MAIN, FL_LABEL_USER);
}

static void calling_for_something_else(struct story *story)
{
    story_call(story, STORY_MAIN, FL_LABEL_THREAD_CREATE);
}

static void another_thread(struct story *story)
{
    story_thread(story, STORY_MAIN, STORY_T2);
}

static void ended(struct story *story)
{
    story_exit(story, STORY_T1);
}

static void (*const facts[])(struct story *story) = {
    nothing,
    mapped,
    mapped_writable,
    mapped_elsewhere,
    mapped_to_another_frame,
    locked,
    locked_by_another,
    reserved,
    reserved_for_another,
    reserved_twice,
    faulting,
    faulting_to_write,
    calling,
    calling_for_something_else,
    another_thread,
    ended,
};

static void every_fact_counts(void **unused)
{
    (void)unused;
    static struct story story;
    uint64_t numbers[G_N_ELEMENTS(facts)];
    for (size_t i = 0; i < G_N_ELEMENTS(facts); i++) {
        begin(&story);
        facts[i](&story);
        numbers[i] = number_of(&story);
        assert_true(numbers[i] == number_of(&story));
        for (size_t j = 0; j < i; j++)
            if (numbers[i] == numbers[j])
                fail_msg("fact %zu is told from none by %zu", i, j);
    }
}

/* Two maps, two locks: which came first is over. */
static void the_order_of_facts_does_not_count(void **unused)
{
    (void)unused;
    static struct story one, other;
    begin(&one);
    mapped(&one);
    story_say(&one, FL_EVENT_MAP, STORY_MAIN, 0x30004000, FL_RIGHTS_R, 0x502);
    locked(&one);
    story_say(&one, FL_EVENT_LOCK, STORY_T1, 0x01003004, 0, 0);
    begin(&other);
    story_say(&other, FL_EVENT_LOCK, STORY_T1, 0x01003004, 0, 0);
    locked(&other);
    story_say(&other, FL_EVENT_MAP, STORY_MAIN, 0x30004000, FL_RIGHTS_R, 0x502);
    mapped(&other);
    assert_true(number_of(&one) == number_of(&other));
}

/* What is over has left nothing, and how long it all took is nothing. */
static void what_is_over_does_not_count(void **unused)
{
    (void)unused;
    static struct story plain, longer;
    begin(&plain);
    story_ask(&plain, STORY_MAIN, FL_LABEL_USER, FL_ERROR_OK);
    begin(&longer);
    longer.time += 1000;
    story_ask(&longer, STORY_MAIN, FL_LABEL_USER, FL_ERROR_OK);
    mapped(&longer);
    story_say(&longer, FL_EVENT_UNMAP, STORY_MAIN, 0x30000000, 0, 0x500);
    story_say(&longer, FL_EVENT_FLUSH, STORY_MAIN, 0x30000000, 0, 0);
    locked(&longer);
    story_say(&longer, FL_EVENT_UNLOCK, STORY_MAIN, 0x01003000, FL_PATH_KERNEL, 0);
    story_ask(&longer, STORY_MAIN, FL_LABEL_USER, FL_ERROR_OK);
    assert_true(number_of(&plain) == number_of(&longer));
}

static bool is_clean(struct story *story, uint32_t outcome)
{
    begin(story);
    faulting(story);
    story_end(story, outcome);
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story->events, story->n_events);
    return engine_end(engine, FL_OUTCOME_NONE)->kind == VERDICT_CLEAN;
}

/* A fault that nobody answers, in a run that ends there, and in one of which the rest is known. */
static void a_run_whose_rest_is_known_is_not_judged_by_its_end(void **unused)
{
    (void)unused;
    static struct story story;
    assert_false(is_clean(&story, FL_OUTCOME_EXITED));
    assert_true(is_clean(&story, FL_OUTCOME_KNOWN));
}

static int open_engine(void **unused)
{
    (void)unused;
    engine = engine_new();
    return 0;
}

static int close_engine(void **unused)
{
    (void)unused;
    engine_free(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_fact_counts),
        cmocka_unit_test(the_order_of_facts_does_not_count),
        cmocka_unit_test(what_is_over_does_not_count),
        cmocka_unit_test(a_run_whose_rest_is_known_is_not_judged_by_its_end),
    };
    return cmocka_run_group_tests(tests, open_engine, close_engine);
}
