/* The ready queue, made again from stories told by hand. That of real guests is held to what they
 * do by monitor/tests/test_vm_prune.c. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "ready_queue.h"
#include "story.h"

static struct story story;
static struct ready_queue *queue;

static int begin_story(void **state)
{
    (void)state;
    queue = ready_queue_new();
    story_begin(&story);
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_thread(&story, STORY_MAIN, STORY_T2);
    return 0;
}

static int end_story(void **state)
{
    (void)state;
    ready_queue_free(queue);
    return 0;
}

/* The story so far. */
static void listen(void)
{
    ready_queue_begin(queue);
    for (size_t i = 0; i < story.n_events; i++)
        ready_queue_event(queue, &story.events[i]);
}

static void assert_queue(uint32_t first, uint32_t second)
{
    size_t n;
    listen();
    const uint32_t *paths = ready_queue_threads(queue, &n);
    assert_true(ready_queue_is_sure(queue));
    assert_int_equal(n, 2);
    assert_int_equal(paths[0], first);
    assert_int_equal(paths[1], second);
}

/* The running thread gives way to another, by the plan. */
static void preempt(uint32_t thread, uint32_t target)
{
    story_entry(&story, thread, FL_POINT_IPC_SEND);
    story_say(&story, FL_EVENT_PREEMPT, thread, target, 1, 0);
    story_switch(&story, target, FL_SWITCH_PREEMPT);
}

/* The ready set says the same of both. */
static void who_came_first_is_told(void **state)
{
    (void)state;
    assert_queue(STORY_T1, STORY_T2);
    const uint64_t before = ready_queue_hash(queue);
    preempt(STORY_MAIN, STORY_T1);
    assert_queue(STORY_T2, STORY_MAIN);
    preempt(STORY_T1, STORY_MAIN);
    assert_queue(STORY_T2, STORY_T1);
    assert_true(ready_queue_hash(queue) != before);
    preempt(STORY_MAIN, STORY_T2);
    preempt(STORY_T2, STORY_MAIN);
    assert_queue(STORY_T1, STORY_T2);
    assert_true(ready_queue_hash(queue) == before);
}

static void it_is_not_sure_of_a_head_that_was_passed(void **state)
{
    (void)state;
    story_entry(&story, STORY_MAIN, FL_POINT_IPC_RECEIVE);
    story_say(&story, FL_EVENT_IPC_WAIT, STORY_MAIN, FL_PATH_KERNEL, 0, 0);
    story_switch(&story, STORY_T2, FL_SWITCH_BLOCK);
    listen();
    assert_false(ready_queue_is_sure(queue));
}

static void a_plan_may_pass_the_head(void **state)
{
    (void)state;
    story_entry(&story, STORY_MAIN, FL_POINT_IPC_RECEIVE);
    story_say(&story, FL_EVENT_IPC_WAIT, STORY_MAIN, FL_PATH_KERNEL, 0, 0);
    story_say(&story, FL_EVENT_PREEMPT, STORY_MAIN, STORY_T2, 1, FL_K_GIVES_UP);
    story_switch(&story, STORY_T2, FL_SWITCH_BLOCK);
    listen();
    assert_true(ready_queue_is_sure(queue));
}

static void it_is_not_sure_of_another_ready_set(void **state)
{
    (void)state;
    story_entry(&story, STORY_MAIN, FL_POINT_IPC_SEND);
    story.events[story.n_events - 1].addr = 0;
    listen();
    assert_false(ready_queue_is_sure(queue));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(who_came_first_is_told, begin_story, end_story),
        cmocka_unit_test_setup_teardown(it_is_not_sure_of_a_head_that_was_passed, begin_story,
                                        end_story),
        cmocka_unit_test_setup_teardown(a_plan_may_pass_the_head, begin_story, end_story),
        cmocka_unit_test_setup_teardown(it_is_not_sure_of_another_ready_set, begin_story,
                                        end_story),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
