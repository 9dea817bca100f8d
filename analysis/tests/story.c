#include "story.h"
#include <assert.h>
#include <string.h>

#define STACK_SIZE 0x4000u
#define TIME_STEP  500u

const struct fl_scenario story_scenario = {
    .id = "story",
    .summary = "event streams made by hand",
    .source = "analysis/tests/story.c",
    .threads = "main starts t1 and t2",
    .n_domains = 1,
    .n_named = 2,
    .n_variants = 2,
    .domains = {{.name = "main"}},
    .named = {{.path = STORY_T1, .name = "t1"}, {.path = STORY_T2, .name = "t2"}},
    .variants =
        {
            [STORY_PLAIN] = {.id = "plain", .summary = "everybody exits", .expect = "clean"},
            [STORY_HALTS] = {.id = "halts",
                             .summary = "t1 runs into what nobody can resolve",
                             .expect = "clean",
                             .n_halts = 1,
                             .halts = {{.thread = STORY_T1, .reason = FL_HALT_UNRESOLVED_FAULT}}},
        },
};

static uint16_t space_of(uint32_t thread)
{
    return thread == FL_PATH_KERNEL ? FL_SPACE_KERNEL
           : thread == FL_PATH_CORE ? FL_SPACE_CORE
                                    : STORY_SPACE;
}

static unsigned index_of(const struct story *story, uint32_t thread)
{
    unsigned i = 0;

    while (i < story->n_threads && story->threads[i].path != thread)
        i++;
    assert(i < story->n_threads);
    return i;
}

static uint64_t bit_of(const struct story *story, uint32_t thread)
{
    return UINT64_C(1) << story->threads[index_of(story, thread)].tid;
}

static void add_thread(struct story *story, uint32_t thread)
{
    assert(story->n_threads < FL_MAX_THREADS);
    story->threads[story->n_threads].path = thread;
    story->threads[story->n_threads].n = 0;
    story->threads[story->n_threads].tid = story->n_threads;
    story->n_threads++;
    story->ready |= bit_of(story, thread);
}

struct fl_event *story_say(struct story *story, uint32_t id, uint32_t thread, uint64_t addr,
                           uint32_t arg, uint32_t aux)
{
    assert(story->n_events < STORY_MAX_EVENTS);
    struct fl_event *event = &story->events[story->n_events++];
    *event = (struct fl_event){.id_time = story->time << 16 | id,
                               .thread = thread,
                               .space = space_of(thread),
                               .point = story->point,
                               .addr = addr,
                               .arg = arg,
                               .aux = aux};
    return event;
}

void story_entry(struct story *story, uint32_t thread, uint32_t point)
{
    unsigned i = index_of(story, thread);

    story->time += TIME_STEP;
    story->point = (uint16_t)point;
    story_say(story, FL_EVENT_ENTRY, thread, story->ready & ~bit_of(story, thread),
              FL_PROGRAM_BASE + 0x40 * point, ++story->threads[i].n);
}

void story_switch(struct story *story, uint32_t to, uint32_t reason)
{
    story_say(story, FL_EVENT_SWITCH, to, story->running, reason,
              space_of(to) != space_of(story->running));
    story->ready &= ~bit_of(story, to);
    if (reason == FL_SWITCH_PREEMPT || reason == FL_SWITCH_YIELD)
        story->ready |= bit_of(story, story->running);
    story->running = to;
}

void story_preempt(struct story *story, uint32_t target)
{
    unsigned i = index_of(story, story->running);

    story_say(story, FL_EVENT_PREEMPT, story->running, target, story->threads[i].n, 0);
    story_switch(story, target, FL_SWITCH_PREEMPT);
}

static void core_waits(struct story *story)
{
    story_say(story, FL_EVENT_IPC_WAIT, FL_PATH_CORE, FL_PATH_KERNEL, 0, 0);
}

void story_begin(struct story *story)
{
    memset(story, 0, sizeof(*story));
    story_say(story, FL_EVENT_RUN_BEGIN, FL_PATH_KERNEL, 0, 0, 0);
    story_say(story, FL_EVENT_THREAD_CREATE, FL_PATH_KERNEL, FL_PATH_CORE, 0, FL_SPACE_CORE);
    add_thread(story, FL_PATH_CORE);
    story_switch(story, FL_PATH_CORE, FL_SWITCH_START);
    story_entry(story, FL_PATH_CORE, FL_POINT_SPACE);
    story_map(story, FL_PROGRAM_BASE, FL_RIGHTS_RX);
    story_entry(story, FL_PATH_CORE, FL_POINT_THREAD_START);
    story_say(story, FL_EVENT_THREAD_CREATE, FL_PATH_KERNEL, STORY_MAIN, 1, STORY_SPACE);
    add_thread(story, STORY_MAIN);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    core_waits(story);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
}

void story_end(struct story *story, uint32_t outcome)
{
    story->time += TIME_STEP;
    story->point = FL_POINT_NONE;
    story_say(story, FL_EVENT_RUN_END, FL_PATH_KERNEL, 0, outcome, 0);
}

void story_call(struct story *story, uint32_t thread, uint32_t label)
{
    story_entry(story, thread, FL_POINT_IPC_SEND);
    story_say(story, FL_EVENT_IPC_SEND, thread, FL_PATH_CORE, label, 1);
    story_say(story, FL_EVENT_IPC_DELIVER, FL_PATH_CORE, thread, label, 0);
    story_switch(story, FL_PATH_CORE, FL_SWITCH_HANDOVER);
}

void story_answer(struct story *story, uint32_t thread, uint32_t status)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_IPC_REPLY, FL_PATH_CORE, thread, status, 0);
    core_waits(story);
    story_switch(story, thread, FL_SWITCH_REPLY);
}

void story_ask(struct story *story, uint32_t thread, uint32_t label, uint32_t status)
{
    story_call(story, thread, label);
    story_answer(story, thread, status);
}

void story_thread(struct story *story, uint32_t parent, uint32_t child)
{
    story_call(story, parent, FL_LABEL_THREAD_CREATE);
    story_entry(story, FL_PATH_CORE, FL_POINT_THREAD_START);
    struct fl_event *event =
        story_say(story, FL_EVENT_THREAD_CREATE, parent, child, story->n_threads, STORY_SPACE);
    event->space = FL_SPACE_CORE;
    add_thread(story, child);
    story_answer(story, parent, FL_ERROR_OK);
}

void story_exit(struct story *story, uint32_t next)
{
    uint32_t thread = story->running;

    story_entry(story, thread, FL_POINT_THREAD_EXIT);
    story_say(story, FL_EVENT_THREAD_EXIT, thread, 0, 0,
              story->threads[index_of(story, thread)].tid);
    if (next != FL_PATH_KERNEL)
        story_switch(story, next, FL_SWITCH_EXIT);
}

uint32_t story_fault(struct story *story, uint32_t thread, uint32_t address, uint32_t access)
{
    uint32_t fault = ++story->faults;

    story_entry(story, thread, FL_POINT_FAULT);
    story_say(story, FL_EVENT_FAULT_RAISE, thread, address, access, fault);
    story_say(story, FL_EVENT_FAULT_DELIVER, FL_PATH_CORE, thread, access, fault);
    story_switch(story, FL_PATH_CORE, FL_SWITCH_HANDOVER);
    return fault;
}

void story_map(struct story *story, uint32_t address, uint32_t rights)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_MAP);
    story_say(story, FL_EVENT_MAP, FL_PATH_CORE, address & ~(FL_PAGE_SIZE - 1), rights, 0x480)
        ->space = STORY_SPACE;
}

void story_fault_answer(struct story *story, uint32_t thread, uint32_t fault, uint32_t address,
                        uint32_t access)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_FAULT_REPLY, FL_PATH_CORE, thread, 0, fault);
    core_waits(story);
    story_switch(story, thread, FL_SWITCH_REPLY);
    story_say(story, FL_EVENT_FAULT_RESUME, thread, address, access, fault);
}

void story_fault_report(struct story *story, uint32_t thread, uint32_t fault, uint32_t address,
                        uint32_t reason)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_THREAD_HALT);
    story_say(story, FL_EVENT_FAULT_REPORT, FL_PATH_CORE, thread, reason, fault);
    story_say(story, FL_EVENT_THREAD_HALT, thread, address, reason, fault);
}

void story_mark(struct story *story, uint32_t thread, uint32_t event, uint32_t address,
                uint32_t arg, uint32_t object)
{
    story_entry(story, thread, FL_POINT_MARK);
    story_say(story, event, thread, address, arg, object);
}

void story_stack(struct story *story, uint32_t thread, uint32_t slot, uint32_t object)
{
    story_mark(story, thread, FL_EVENT_MARK_RESERVE, slot, STACK_SIZE, object);
    story_ask(story, thread, FL_LABEL_RAM_ALLOC, FL_ERROR_OK);
    story_ask(story, thread, FL_LABEL_ATTACH_AT, FL_ERROR_OK);
    story_mark(story, thread, FL_EVENT_MARK_ATTACH, slot, STACK_SIZE, object);
    story_mark(story, thread, FL_EVENT_MARK_PUBLISH, slot, STACK_SIZE, object);
}

size_t story_find(const struct story *story, uint32_t id, size_t from)
{
    size_t i = from;

    while (i < story->n_events && fl_event_id(&story->events[i]) != id)
        i++;
    assert(i < story->n_events);
    return i;
}

void story_remove(struct story *story, size_t index)
{
    assert(index < story->n_events);
    memmove(&story->events[index], &story->events[index + 1],
            (--story->n_events - index) * sizeof(*story->events));
}

void story_insert(struct story *story, size_t index, size_t source)
{
    struct fl_event copy = story->events[source];

    assert(index <= story->n_events && story->n_events < STORY_MAX_EVENTS);
    memmove(&story->events[index + 1], &story->events[index],
            (story->n_events++ - index) * sizeof(*story->events));
    copy.id_time = (uint64_t)fl_event_id(&copy) | fl_event_time(&story->events[index + 1]) << 16;
    story->events[index] = copy;
}
