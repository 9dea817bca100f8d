/* Stories with nothing wrong in them, of everything that comes close. */
#include "golden.h"
#include <assert.h>
#include <string.h>

#define HEAP 0x30000000u
#define LOCK 0x01003000u

static void calls(struct story *story)
{
    story_begin(story);
    story_ask(story, STORY_MAIN, FL_LABEL_RAM_ALLOC, FL_ERROR_OK);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_call(story, STORY_MAIN, FL_LABEL_ATTACH);
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
    story_exit(story, STORY_T1);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void faults(struct story *story)
{
    story_begin(story);
    for (uint32_t i = 0; i < 3; i++) {
        uint32_t fault = story_fault(story, STORY_MAIN, HEAP + i * FL_PAGE_SIZE, FL_ACCESS_WRITE);
        story_map(story, HEAP + i * FL_PAGE_SIZE, FL_RIGHTS_RW);
        story_fault_answer(story, STORY_MAIN, fault, HEAP + i * FL_PAGE_SIZE, FL_ACCESS_WRITE);
    }
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* A page is taken away and faulted in again: two faults, each resolved once. */
static void fault_again(struct story *story)
{
    uint32_t fault;

    story_begin(story);
    fault = story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_READ);
    story_map(story, HEAP, FL_RIGHTS_R);
    story_fault_answer(story, STORY_MAIN, fault, HEAP, FL_ACCESS_READ);
    story_call(story, STORY_MAIN, FL_LABEL_DETACH);
    story_entry(story, FL_PATH_CORE, FL_POINT_UNMAP);
    story_say(story, FL_EVENT_UNMAP, FL_PATH_CORE, HEAP, 0, 0x480)->space = STORY_SPACE;
    story_say(story, FL_EVENT_FLUSH, FL_PATH_CORE, HEAP, 0, 0)->space = STORY_SPACE;
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
    fault = story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_WRITE);
    story_map(story, HEAP, FL_RIGHTS_RW);
    story_fault_answer(story, STORY_MAIN, fault, HEAP, FL_ACCESS_WRITE);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* While core is about to map for main, t1 faults on the same page: the map serves both. */
static void one_page_two_faults(struct story *story)
{
    uint32_t first, second;

    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    first = story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_WRITE);
    story_entry(story, FL_PATH_CORE, FL_POINT_MAP);
    story_preempt(story, STORY_T1);
    story_entry(story, STORY_T1, FL_POINT_FAULT);
    second = ++story->faults;
    story_say(story, FL_EVENT_FAULT_RAISE, STORY_T1, HEAP + 8, FL_ACCESS_READ, second);
    story_switch(story, FL_PATH_CORE, FL_SWITCH_BLOCK);
    story_say(story, FL_EVENT_MAP, FL_PATH_CORE, HEAP, FL_RIGHTS_RW, 0x480)->space = STORY_SPACE;
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_FAULT_REPLY, FL_PATH_CORE, STORY_MAIN, 0, first);
    story_say(story, FL_EVENT_FAULT_DELIVER, FL_PATH_CORE, STORY_T1, FL_ACCESS_READ, second);
    story_switch(story, STORY_MAIN, FL_SWITCH_REPLY);
    story_say(story, FL_EVENT_FAULT_RESUME, STORY_MAIN, HEAP, FL_ACCESS_WRITE, first);
    story_exit(story, FL_PATH_CORE);
    story_fault_answer(story, STORY_T1, second, HEAP + 8, FL_ACCESS_READ);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* core puts main's fault aside, and so may answer t1's first. */
static void parked(struct story *story)
{
    uint32_t first, second;

    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    first = story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_WRITE);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_RECEIVE);
    story_say(story, FL_EVENT_FAULT_PARK, FL_PATH_CORE, STORY_MAIN, 0, first);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_IPC_WAIT, FL_PATH_CORE, FL_PATH_KERNEL, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_BLOCK);
    second = story_fault(story, STORY_T1, HEAP + FL_PAGE_SIZE, FL_ACCESS_WRITE);
    story_map(story, HEAP + FL_PAGE_SIZE, FL_RIGHTS_RW);
    story_fault_answer(story, STORY_T1, second, HEAP + FL_PAGE_SIZE, FL_ACCESS_WRITE);
    story_ask(story, STORY_T1, FL_LABEL_RAM_ALLOC, FL_ERROR_OK);
    story_call(story, STORY_T1, FL_LABEL_ATTACH);
    story_map(story, HEAP, FL_RIGHTS_RW);
    story_fault_answer(story, STORY_MAIN, first, HEAP, FL_ACCESS_WRITE);
    story_exit(story, FL_PATH_CORE);
    story_answer(story, STORY_T1, FL_ERROR_OK);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* main and t1 wait for one page, main for longer. */
void golden_two_parked(struct story *story, bool longest_first)
{
    uint32_t first, second;

    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    first = story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_WRITE);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_RECEIVE);
    story_say(story, FL_EVENT_FAULT_PARK, FL_PATH_CORE, STORY_MAIN, 0, first);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_IPC_WAIT, FL_PATH_CORE, FL_PATH_KERNEL, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_BLOCK);
    second = story_fault(story, STORY_T1, HEAP + 8, FL_ACCESS_READ);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_RECEIVE);
    story_say(story, FL_EVENT_FAULT_PARK, FL_PATH_CORE, STORY_T1, 0, second);
    story_map(story, HEAP, FL_RIGHTS_RW);
    if (longest_first)
        story_fault_answer(story, STORY_MAIN, first, HEAP, FL_ACCESS_WRITE);
    else
        story_fault_answer(story, STORY_T1, second, HEAP + 8, FL_ACCESS_READ);
    story_exit(story, FL_PATH_CORE);
    if (longest_first)
        story_fault_answer(story, STORY_T1, second, HEAP + 8, FL_ACCESS_READ);
    else
        story_fault_answer(story, STORY_MAIN, first, HEAP, FL_ACCESS_WRITE);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void two_parked(struct story *story)
{
    golden_two_parked(story, true);
}

/* t1 runs off its stack, core says so, main goes on. */
static void halted_and_reported(struct story *story)
{
    uint32_t fault;

    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_MAIN, 0, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_YIELD);
    fault = story_fault(story, STORY_T1, STORY_SLOT(1) - 4, FL_ACCESS_WRITE);
    story_fault_report(story, STORY_T1, fault, STORY_SLOT(1) - 4, FL_HALT_UNRESOLVED_FAULT);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_IPC_WAIT, FL_PATH_CORE, FL_PATH_KERNEL, 0, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* Two threads allocate, one of them twice in the same slot, with a free between. */
static void stacks(struct story *story)
{
    story_begin(story);
    story_stack(story, STORY_MAIN, STORY_SLOT(0), STORY_OBJECT);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_stack(story, STORY_MAIN, STORY_SLOT(1), STORY_OBJECT + 0x100);
    story_entry(story, STORY_MAIN, FL_POINT_THREAD_JOIN);
    story_say(story, FL_EVENT_JOIN_BLOCK, STORY_MAIN, STORY_T1, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_BLOCK);
    story_mark(story, STORY_T1, FL_EVENT_MARK_USE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_stack(story, STORY_T1, STORY_SLOT(2), STORY_OBJECT + 0x200);
    story_entry(story, STORY_T1, FL_POINT_THREAD_EXIT);
    story_say(story, FL_EVENT_THREAD_EXIT, STORY_T1, 0, 0, 2);
    story_say(story, FL_EVENT_JOIN, STORY_MAIN, STORY_T1, 1, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_EXIT);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_DETACH, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_ask(story, STORY_MAIN, FL_LABEL_DETACH, FL_ERROR_OK);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_stack(story, STORY_MAIN, STORY_SLOT(0), STORY_OBJECT + 0x300);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void refuse_memory(struct story *story)
{
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_ask(story, STORY_MAIN, FL_LABEL_RAM_ALLOC, FL_ERROR_NO_MEMORY);
}

/* core refuses the attachment; the slot goes back as it is. */
static void refused_attach(struct story *story)
{
    story_begin(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_ask(story, STORY_MAIN, FL_LABEL_RAM_ALLOC, FL_ERROR_OK);
    story_ask(story, STORY_MAIN, FL_LABEL_ATTACH_AT, FL_ERROR_REGION_CONFLICT);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* core has no RAM, then no room, then no thread: each time the slot goes back, and to the next. At
 * last the RAM is there when it is asked for again. */
static void refused_and_given_back(struct story *story)
{
    story_begin(story);
    refuse_memory(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_stack(story, STORY_MAIN, STORY_SLOT(0), STORY_OBJECT);
    story_ask(story, STORY_MAIN, FL_LABEL_THREAD_CREATE, FL_ERROR_NO_MEMORY);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_DETACH, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_ask(story, STORY_MAIN, FL_LABEL_DETACH, FL_ERROR_OK);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_FREE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    refuse_memory(story);
    story_ask(story, STORY_MAIN, FL_LABEL_ATTACH_AT, FL_ERROR_OK);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_ATTACH, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_PUBLISH, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_exit(story, STORY_T1);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* A lock is handed over to the one who waits for it. */
static void lock_handed_over(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_entry(story, STORY_MAIN, FL_POINT_LOCK);
    story_say(story, FL_EVENT_LOCK, STORY_MAIN, LOCK, 0, 0);
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_MAIN, 0, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_YIELD);
    story_entry(story, STORY_T1, FL_POINT_LOCK);
    story_say(story, FL_EVENT_LOCK_BLOCK, STORY_T1, LOCK, STORY_MAIN, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
    story_entry(story, STORY_MAIN, FL_POINT_UNLOCK);
    story_say(story, FL_EVENT_UNLOCK, STORY_MAIN, LOCK, STORY_T1, 0);
    story_say(story, FL_EVENT_LOCK, STORY_T1, LOCK, 1, 0);
    story_exit(story, STORY_T1);
    story_entry(story, STORY_T1, FL_POINT_UNLOCK);
    story_say(story, FL_EVENT_UNLOCK, STORY_T1, LOCK, FL_PATH_KERNEL, 0);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* Two locks at a time, given up in the order in which they were taken. */
static void locks_given_up(struct story *story)
{
    story_begin(story);
    for (uint32_t i = 0; i < 2; i++) {
        story_entry(story, STORY_MAIN, FL_POINT_LOCK);
        story_say(story, FL_EVENT_LOCK, STORY_MAIN, LOCK + 4 * i, 0, 0);
    }
    for (uint32_t i = 0; i < 2; i++) {
        story_entry(story, STORY_MAIN, FL_POINT_UNLOCK);
        story_say(story, FL_EVENT_UNLOCK, STORY_MAIN, LOCK + 4 * i, FL_PATH_KERNEL, 0);
    }
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

const struct golden golden_clean[] = {
    {"calls", "trace-wellformed", calls, STORY_PLAIN},
    {"faults", "fault-resolved-before-resume", faults, STORY_PLAIN},
    {"fault-again", "fault-resolved-once", fault_again, STORY_PLAIN},
    {"one-page-two-faults", "fault-resolved-before-resume", one_page_two_faults, STORY_PLAIN},
    {"parked", "fault-resolved-before-resume", parked, STORY_PLAIN},
    {"two-parked", "fault-resolved-before-resume", two_parked, STORY_PLAIN},
    {"halted-and-reported", "fault-not-lost", halted_and_reported, STORY_HALTS},
    {"declared-halt", "outcome-as-declared", halted_and_reported, STORY_HALTS},
    {"stacks", "stack-slot-exclusive", stacks, STORY_PLAIN},
    {"refused-and-given-back", "stack-slot-given-back", refused_and_given_back, STORY_PLAIN},
    {"refused-attach", "stack-alloc-order", refused_attach, STORY_PLAIN},
    {"lock-handed-over", "no-deadlock", lock_handed_over, STORY_PLAIN},
    {"locks-given-up", "lock-discipline", locks_given_up, STORY_PLAIN},
    {"vm-memory", "vm-counts", golden_vm_memory, STORY_PLAIN},
    {"vm-remapped", "vm-flush-before-reuse", golden_vm_remapped, STORY_PLAIN},
    {"vm-zero", "vm-right-page", golden_vm_zero, STORY_PLAIN},
    {"vm-fork", "vm-shadow-chain", golden_vm_fork, STORY_PLAIN},
    {"vm-exit", "vm-nothing-left", golden_vm_exit, STORY_PLAIN},
    {"vm-duplicate", "duplicate-fault-harmless", golden_vm_duplicate, STORY_PLAIN},
    {"waits-woken", "wakeup-not-lost", golden_waits_woken, STORY_PLAIN},
    {"waits-heard", "message-intact", golden_waits_heard, STORY_PLAIN},
    {"waits-obtained", "message-page-own", golden_waits_obtained, STORY_PLAIN},
    {"refused-undone", "nothing-leaked", golden_refused_undone, STORY_PLAIN},
    {"suspended", "never-half-suspended", golden_suspended, STORY_PLAIN},
    {"waits-unlocked", "sleeper-holds-no-mutex", golden_waits_unlocked, STORY_PLAIN},
    {"own-blocks", "stack-alloc-order", golden_own_blocks, STORY_PLAIN},
    {"own-allocators", "allocator-ownership", golden_own_allocators, STORY_PLAIN},
    {"own-forked", "allocator-ownership", golden_own_forked, STORY_PLAIN},
    {"own-in-order", "linearizable", golden_own_in_order, STORY_PLAIN},
    {"vm-merged", "vm-page-owned-once", golden_vm_merged, STORY_PLAIN},
    {0},
};

void golden_tell(struct story *story, const char *name)
{
    const struct golden *golden = golden_clean;

    while (golden->name && strcmp(golden->name, name))
        golden++;
    assert(golden->name);
    golden->tell(story);
}
