/* Stories of allocators and objects that are a scenario's own: marks outside of the context area,
 * and operations that claim a sequential specification. */
#include <assert.h>
#include "golden.h"

#define BLOCK(i) (0x01003000u + (uint32_t)(i)*64u)
#define POOL     0x01002000u

static void begin(struct story *story, uint32_t thread, uint32_t operation, uint32_t argument)
{
    story_mark(story, thread, FL_EVENT_MARK_BEGIN, POOL, argument, operation);
}

static void end(struct story *story, uint32_t thread, uint32_t operation, uint32_t result)
{
    story_mark(story, thread, FL_EVENT_MARK_END, POOL, result, operation);
}

static void two_threads(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
}

static void go_to(struct story *story, uint32_t from, uint32_t to)
{
    story_entry(story, from, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, from, 0, 0, 0);
    story_switch(story, to, FL_SWITCH_YIELD);
}

static void finish(struct story *story)
{
    story_exit(story, STORY_T1);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* Reserved and freed is all that this allocator says; a block goes to the next who asks. */
void golden_own_blocks(struct story *story)
{
    two_threads(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 0);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(1), 64, 0);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_USE, BLOCK(1), 64, 0);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(0), 64, 0);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 0);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(0), 64, 0);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(1), 64, 0);
    finish(story);
}

/* t1's take, begun while main gives block 0 back, gets that block: give came first. */
void golden_own_in_order(struct story *story)
{
    two_threads(story);
    begin(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, 2);
    end(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, 0);
    begin(story, STORY_MAIN, FL_OPERATION_POOL_GIVE, 0);
    go_to(story, STORY_MAIN, STORY_T1);
    begin(story, STORY_T1, FL_OPERATION_POOL_TAKE, 2);
    end(story, STORY_T1, FL_OPERATION_POOL_TAKE, 0);
    go_to(story, STORY_T1, STORY_MAIN);
    end(story, STORY_MAIN, FL_OPERATION_POOL_GIVE, 0);
    begin(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, 2);
    end(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, 1);
    begin(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, 2);
    end(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, FL_SPEC_NONE);
    finish(story);
}

/* As the small block lies in the large one. */
static void overlapping(struct story *story)
{
    two_threads(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 256, 0);
    go_to(story, STORY_MAIN, STORY_T1);
    story_mark(story, STORY_T1, FL_EVENT_MARK_RESERVE, BLOCK(2), 64, 0);
    go_to(story, STORY_T1, STORY_MAIN);
    finish(story);
}

/* The stack of a thread that ended, and was destroyed by two. */
static void slot_freed_twice(struct story *story)
{
    two_threads(story);
    story_stack(story, STORY_MAIN, STORY_SLOT(1), STORY_OBJECT);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_DETACH, STORY_SLOT(1), 0x4000, STORY_OBJECT);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, STORY_SLOT(1), 0x4000, STORY_OBJECT);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, STORY_SLOT(1), 0x4000, STORY_OBJECT);
    finish(story);
}

/* Blocks of two allocators; t1 gives back what main took. */
void golden_own_allocators(struct story *story)
{
    two_threads(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 1);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(1), 64, 2);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(0), 64, 1);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 2);
    go_to(story, STORY_MAIN, STORY_T1);
    story_mark(story, STORY_T1, FL_EVENT_MARK_FREE, BLOCK(1), 64, 2);
    story_mark(story, STORY_T1, FL_EVENT_MARK_FREE, BLOCK(0), 64, 0);
    go_to(story, STORY_T1, STORY_MAIN);
    finish(story);
}

/* t1, a task that main forked, gives back what it has a copy of. */
void golden_own_forked(struct story *story)
{
    two_threads(story);
    size_t fork = story->n_events - 1;
    while (story->events[fork].addr != STORY_T1)
        fork--;
    story->events[fork].aux = STORY_SPACE + 1;
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 1);
    go_to(story, STORY_MAIN, STORY_T1);
    story_mark(story, STORY_T1, FL_EVENT_MARK_FREE, BLOCK(0), 64, 1);
    go_to(story, STORY_T1, STORY_MAIN);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(0), 64, 1);
    finish(story);
    for (size_t i = fork + 1; i < story->n_events; i++) {
        struct fl_event *event = &story->events[i];
        if (event->thread == STORY_T1)
            event->space = STORY_SPACE + 1;
        if (fl_event_id(event) == FL_EVENT_SWITCH)
            event->aux = 1; /* the TLB was flushed */
    }
}

static void given_to_another(struct story *story)
{
    two_threads(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 1);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(0), 64, 2);
    finish(story);
}

static void given_twice(struct story *story)
{
    two_threads(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 1);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(0), 64, 1);
    go_to(story, STORY_MAIN, STORY_T1);
    story_mark(story, STORY_T1, FL_EVENT_MARK_FREE, BLOCK(0), 64, 1);
    go_to(story, STORY_T1, STORY_MAIN);
    finish(story);
}

static void given_though_never_had(struct story *story)
{
    two_threads(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, BLOCK(0), 64, 1);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, BLOCK(0) + 8, 64, 1);
    finish(story);
}

/* Both are given block 0, though nobody gave it back. */
static void taken_by_two(struct story *story)
{
    two_threads(story);
    begin(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, 2);
    go_to(story, STORY_MAIN, STORY_T1);
    begin(story, STORY_T1, FL_OPERATION_POOL_TAKE, 2);
    end(story, STORY_T1, FL_OPERATION_POOL_TAKE, 0);
    go_to(story, STORY_T1, STORY_MAIN);
    end(story, STORY_MAIN, FL_OPERATION_POOL_TAKE, 0);
    finish(story);
}

/* t1 reads what was written over before it began. */
static void read_too_late(struct story *story)
{
    two_threads(story);
    begin(story, STORY_MAIN, FL_OPERATION_REGISTER_WRITE, 7);
    end(story, STORY_MAIN, FL_OPERATION_REGISTER_WRITE, 0);
    go_to(story, STORY_MAIN, STORY_T1);
    begin(story, STORY_T1, FL_OPERATION_REGISTER_READ, 0);
    end(story, STORY_T1, FL_OPERATION_REGISTER_READ, 0);
    go_to(story, STORY_T1, STORY_MAIN);
    finish(story);
}

static void not_begun(struct story *story)
{
    two_threads(story);
    end(story, STORY_MAIN, FL_OPERATION_QUEUE_GET, 0);
    finish(story);
}

const struct golden golden_own_violating[] = {
    {"stack-slot-exclusive-overlap", "stack-slot-exclusive", overlapping, STORY_PLAIN},
    {"stack-alloc-order-freed-twice", "stack-alloc-order", slot_freed_twice, STORY_PLAIN},
    {"allocator-ownership-another", "allocator-ownership", given_to_another, STORY_PLAIN},
    {"allocator-ownership-twice", "allocator-ownership", given_twice, STORY_PLAIN},
    {"allocator-ownership-never-had", "allocator-ownership", given_though_never_had, STORY_PLAIN},
    {"linearizable-taken-by-two", "linearizable", taken_by_two, STORY_PLAIN},
    {"linearizable-read-too-late", "linearizable", read_too_late, STORY_PLAIN},
    {"linearizable-not-begun", "linearizable", not_begun, STORY_PLAIN},
    {0},
};
