/* Stories that violate one check each, as their first violation. Most are a clean one with one
 * event too many, too few, or changed. */
#include "golden.h"

#define HEAP 0x30000000u
#define LOCK 0x01003000u

static struct fl_event *find(struct story *story, uint32_t id, size_t from)
{
    return &story->events[story_find(story, id, from)];
}

/* ---- faults ---- */

static void duplicate(struct story *story, uint32_t id)
{
    golden_tell(story, "faults");
    size_t i = story_find(story, id, 0);
    story_insert(story, i + 1, i);
}

static void taken_twice(struct story *story)
{
    duplicate(story, FL_EVENT_FAULT_DELIVER);
}

static void answered_twice(struct story *story)
{
    duplicate(story, FL_EVENT_FAULT_REPLY);
}

static void resumed_twice(struct story *story)
{
    duplicate(story, FL_EVENT_FAULT_RESUME);
}

static void not_mapped(struct story *story)
{
    golden_tell(story, "faults");
    story_remove(story,
                 story_find(story, FL_EVENT_MAP, story_find(story, FL_EVENT_FAULT_RAISE, 0)));
}

static void mapped_read_only(struct story *story)
{
    golden_tell(story, "faults");
    find(story, FL_EVENT_MAP, story_find(story, FL_EVENT_FAULT_RAISE, 0))->arg = FL_RIGHTS_R;
}

static void mapped_elsewhere(struct story *story)
{
    golden_tell(story, "faults");
    find(story, FL_EVENT_MAP, story_find(story, FL_EVENT_FAULT_RAISE, 0))->space =
        FL_SPACE_DOMAIN(1);
}

static void unmapped_again(struct story *story)
{
    uint32_t fault;

    story_begin(story);
    fault = story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_READ);
    story_map(story, HEAP, FL_RIGHTS_R);
    story_entry(story, FL_PATH_CORE, FL_POINT_UNMAP);
    story_say(story, FL_EVENT_UNMAP, FL_PATH_CORE, HEAP, 0, 0x480)->space = STORY_SPACE;
    story_fault_answer(story, STORY_MAIN, fault, HEAP, FL_ACCESS_READ);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void unanswered(struct story *story)
{
    golden_tell(story, "faults");
    story_remove(story, story_find(story, FL_EVENT_FAULT_REPLY, 0));
}

static void overtaken(struct story *story)
{
    golden_tell(story, "parked");
    story_remove(story, story_find(story, FL_EVENT_FAULT_PARK, 0));
}

/* main's fault was queued first, t1's is taken first. */
static void taken_out_of_order(struct story *story)
{
    golden_tell(story, "one-page-two-faults");
    size_t main_deliver = story_find(story, FL_EVENT_FAULT_DELIVER, 0);
    size_t t1_raise = story_find(story, FL_EVENT_FAULT_RAISE, main_deliver);
    size_t t1_deliver = story_find(story, FL_EVENT_FAULT_DELIVER, t1_raise);
    story_insert(story, t1_raise + 1, t1_deliver);
    story_remove(story, t1_deliver + 1);
    story_insert(story, t1_raise + 2, main_deliver);
    story_remove(story, main_deliver);
}

static void parked_out_of_order(struct story *story)
{
    golden_two_parked(story, false);
}

static void forgotten(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_WRITE);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_IPC_WAIT, FL_PATH_CORE, FL_PATH_KERNEL, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_BLOCK);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_DEADLOCK);
}

static void halted_in_silence(struct story *story)
{
    golden_tell(story, "halted-and-reported");
    story_remove(story, story_find(story, FL_EVENT_FAULT_REPORT, 0));
}

static void answered_and_reported(struct story *story)
{
    uint32_t fault;

    story_begin(story);
    fault = story_fault(story, STORY_MAIN, HEAP, FL_ACCESS_WRITE);
    story_map(story, HEAP, FL_RIGHTS_RW);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_FAULT_REPLY, FL_PATH_CORE, STORY_MAIN, 0, fault);
    story_fault_report(story, STORY_MAIN, fault, HEAP, FL_HALT_UNRESOLVED_FAULT);
    story_end(story, FL_OUTCOME_EXITED);
}

/* ---- stacks ---- */

/* Seed 000: main has chosen slot 1 and is on its way to core with it, when t1 looks. */
static void two_reserves(struct story *story)
{
    story_begin(story);
    story_stack(story, STORY_MAIN, STORY_SLOT(0), STORY_OBJECT);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, STORY_SLOT(1), 0x4000,
               STORY_OBJECT + 0x100);
    story_entry(story, STORY_MAIN, FL_POINT_IPC_SEND);
    story_preempt(story, STORY_T1);
    story_mark(story, STORY_T1, FL_EVENT_MARK_USE, STORY_SLOT(0), 0x4000, STORY_OBJECT);
    story_stack(story, STORY_T1, STORY_SLOT(1), STORY_OBJECT + 0x200);
    story_exit(story, STORY_MAIN);
    story_say(story, FL_EVENT_IPC_SEND, STORY_MAIN, FL_PATH_CORE, FL_LABEL_ATTACH_AT, 1);
    story_say(story, FL_EVENT_IPC_DELIVER, FL_PATH_CORE, STORY_MAIN, FL_LABEL_ATTACH_AT, 0);
    story_switch(story, FL_PATH_CORE, FL_SWITCH_HANDOVER);
    story_answer(story, STORY_MAIN, FL_ERROR_REGION_CONFLICT);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_ERROR, STORY_SLOT(1), FL_ERROR_STACK_ALLOC_FAILED,
               STORY_OBJECT + 0x100);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void reserve(struct story *story, uint32_t slot)
{
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_RESERVE, slot, 0x4000, STORY_OBJECT);
}

/* The next stack comes to lie in the next slot, since the first is taken for good. */
static void kept_without_ram(struct story *story)
{
    story_begin(story);
    reserve(story, STORY_SLOT(0));
    story_ask(story, STORY_MAIN, FL_LABEL_RAM_ALLOC, FL_ERROR_NO_MEMORY);
    story_stack(story, STORY_MAIN, STORY_SLOT(1), STORY_OBJECT);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* The RAM is given back, the slot is not, and there is no next. */
static void kept_without_room(struct story *story)
{
    story_begin(story);
    reserve(story, STORY_SLOT(0));
    story_ask(story, STORY_MAIN, FL_LABEL_RAM_ALLOC, FL_ERROR_OK);
    story_ask(story, STORY_MAIN, FL_LABEL_ATTACH_AT, FL_ERROR_REGION_CONFLICT);
    story_ask(story, STORY_MAIN, FL_LABEL_RAM_FREE, FL_ERROR_OK);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* The stack is there, and has no thread. */
static void kept_without_thread(struct story *story)
{
    story_begin(story);
    story_stack(story, STORY_MAIN, STORY_SLOT(0), STORY_OBJECT);
    story_ask(story, STORY_MAIN, FL_LABEL_THREAD_CREATE, FL_ERROR_NO_MEMORY);
    reserve(story, STORY_SLOT(1));
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* The plan refuses the IPC: core is never asked for the thread. */
static void kept_without_asking(struct story *story)
{
    story_begin(story);
    story_stack(story, STORY_MAIN, STORY_SLOT(0), STORY_OBJECT);
    story_entry(story, STORY_MAIN, FL_POINT_IPC_SEND);
    story_say(story, FL_EVENT_REFUSE, STORY_MAIN, 0, FL_FAIL_IPC, 3);
    story_say(story, FL_EVENT_IPC_ERROR, STORY_MAIN, FL_PATH_CORE, FL_ERROR_REFUSED, 0);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void published_first(struct story *story)
{
    golden_tell(story, "stacks");
    find(story, FL_EVENT_MARK_PUBLISH, 0)->id_time += FL_EVENT_MARK_ATTACH - FL_EVENT_MARK_PUBLISH;
    find(story, FL_EVENT_MARK_ATTACH, 0)->id_time += FL_EVENT_MARK_PUBLISH - FL_EVENT_MARK_ATTACH;
}

static void freed_attached(struct story *story)
{
    golden_tell(story, "stacks");
    size_t i = story_find(story, FL_EVENT_MARK_DETACH, 0);
    story->events[i].id_time += FL_EVENT_MARK_BEGIN - FL_EVENT_MARK_DETACH;
}

static void used_after_free(struct story *story)
{
    golden_tell(story, "stacks");
    size_t i = story_find(story, FL_EVENT_MARK_FREE, 0);
    story_insert(story, i + 1, i);
    story->events[i + 1].id_time += FL_EVENT_MARK_USE - FL_EVENT_MARK_FREE;
}

/* ---- ends ---- */

/* Each holds what the other waits for. */
static void lock_cycle(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_entry(story, STORY_MAIN, FL_POINT_LOCK);
    story_say(story, FL_EVENT_LOCK, STORY_MAIN, LOCK, 0, 0);
    story_entry(story, STORY_MAIN, FL_POINT_LOCK);
    story_preempt(story, STORY_T1);
    story_entry(story, STORY_T1, FL_POINT_LOCK);
    story_say(story, FL_EVENT_LOCK, STORY_T1, LOCK + 4, 0, 0);
    story_entry(story, STORY_T1, FL_POINT_LOCK);
    story_say(story, FL_EVENT_LOCK_BLOCK, STORY_T1, LOCK, STORY_MAIN, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
    story_say(story, FL_EVENT_LOCK_BLOCK, STORY_MAIN, LOCK + 4, STORY_T1, 0);
    story_end(story, FL_OUTCOME_DEADLOCK);
}

/* t1 takes a lock. main runs. */
static void t1_locks(struct story *story)
{
    story_begin(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_MAIN, 0, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_YIELD);
    story_entry(story, STORY_T1, FL_POINT_LOCK);
    story_say(story, FL_EVENT_LOCK, STORY_T1, LOCK, 0, 0);
}

/* Its holder was put on halt. */
static void lock_left_behind(struct story *story)
{
    t1_locks(story);
    uint32_t fault = story_fault(story, STORY_T1, 0x41000000, FL_ACCESS_WRITE);
    story_fault_report(story, STORY_T1, fault, 0x41000000, FL_HALT_UNRESOLVED_FAULT);
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_REPLY);
    story_say(story, FL_EVENT_IPC_WAIT, FL_PATH_CORE, FL_PATH_KERNEL, 0, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
    story_entry(story, STORY_MAIN, FL_POINT_LOCK);
    story_say(story, FL_EVENT_LOCK_BLOCK, STORY_MAIN, LOCK, STORY_T1, 0);
    story_end(story, FL_OUTCOME_DEADLOCK);
}

static void lock_kept(struct story *story)
{
    t1_locks(story);
    story_exit(story, STORY_MAIN);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* As copy_on_write does: new_page's is taken, page's given up. */
static void other_lock_given_up(struct story *story)
{
    t1_locks(story);
    story_entry(story, STORY_T1, FL_POINT_UNLOCK);
    story_say(story, FL_EVENT_LOCK_ERROR, STORY_T1, LOCK + 4, FL_PATH_KERNEL, FL_ERROR_NOT_OWNER);
    story_exit(story, STORY_MAIN);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void lock_of_another_given_up(struct story *story)
{
    t1_locks(story);
    story_entry(story, STORY_T1, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_T1, 0, 0, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_YIELD);
    story_entry(story, STORY_MAIN, FL_POINT_UNLOCK);
    story_say(story, FL_EVENT_LOCK_ERROR, STORY_MAIN, LOCK, STORY_T1, FL_ERROR_NOT_OWNER);
    story_end(story, FL_OUTCOME_HUNG);
}

static void undeclared_halt(struct story *story)
{
    golden_tell(story, "halted-and-reported");
}

static void halt_for_another_reason(struct story *story)
{
    golden_tell(story, "halted-and-reported");
    find(story, FL_EVENT_THREAD_HALT, 0)->arg = FL_HALT_RIGHTS;
}

static void halt_missing(struct story *story)
{
    golden_tell(story, "calls");
}

static void error_marked(struct story *story)
{
    story_begin(story);
    story_mark(story, STORY_MAIN, FL_EVENT_MARK_ERROR, STORY_SLOT(0), FL_ERROR_NO_SLOT, 0);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

static void hung(struct story *story)
{
    story_begin(story);
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_MAIN, 0, 0, 0);
    story_end(story, FL_OUTCOME_HUNG);
}

/* ---- what cannot be ---- */

static void entry_left_out(struct story *story)
{
    golden_tell(story, "calls");
    story_remove(story, story_find(story, FL_EVENT_ENTRY, story->n_events / 2));
}

static void dead_thread_acts(struct story *story)
{
    golden_tell(story, "calls");
    size_t end = story_find(story, FL_EVENT_THREAD_EXIT, 0);
    story_insert(story, end + 1, story_find(story, FL_EVENT_IPC_SEND, 0));
}

static void unknown_thread(struct story *story)
{
    golden_tell(story, "calls");
    size_t t1 = story_find(story, FL_EVENT_THREAD_CREATE, story->n_events / 3);
    story_remove(story, t1);
}

static void second_start(struct story *story)
{
    golden_tell(story, "calls");
    story_insert(story, 3, 0);
}

static void message_from_nowhere(struct story *story)
{
    golden_tell(story, "calls");
    story_remove(story, story_find(story, FL_EVENT_IPC_SEND, 0));
}

const struct golden golden_violating[] = {
    {"fault-resolved-once-taken-twice", "fault-resolved-once", taken_twice, STORY_PLAIN},
    {"fault-resolved-once-answered-twice", "fault-resolved-once", answered_twice, STORY_PLAIN},
    {"fault-resolved-once-resumed-twice", "fault-resolved-once", resumed_twice, STORY_PLAIN},
    {"fault-resolved-before-resume-not-mapped", "fault-resolved-before-resume", not_mapped,
     STORY_PLAIN},
    {"fault-resolved-before-resume-read-only", "fault-resolved-before-resume", mapped_read_only,
     STORY_PLAIN},
    {"fault-resolved-before-resume-elsewhere", "fault-resolved-before-resume", mapped_elsewhere,
     STORY_PLAIN},
    {"fault-resolved-before-resume-unmapped", "fault-resolved-before-resume", unmapped_again,
     STORY_PLAIN},
    {"fault-resolved-before-resume-unanswered", "fault-resolved-before-resume", unanswered,
     STORY_PLAIN},
    {"fault-resolved-before-resume-parked", "fault-resolved-before-resume", parked_out_of_order,
     STORY_PLAIN},
    {"fault-resolved-before-resume-overtaken", "fault-resolved-before-resume", overtaken,
     STORY_PLAIN},
    {"fault-resolved-before-resume-out-of-order", "fault-resolved-before-resume",
     taken_out_of_order, STORY_PLAIN},
    {"fault-not-lost-forgotten", "fault-not-lost", forgotten, STORY_PLAIN},
    {"fault-not-lost-silence", "fault-not-lost", halted_in_silence, STORY_HALTS},
    {"fault-not-lost-both", "fault-not-lost", answered_and_reported, STORY_PLAIN},
    {"stack-slot-exclusive-two-reserves", "stack-slot-exclusive", two_reserves, STORY_PLAIN},
    {"stack-slot-given-back-no-ram", "stack-slot-given-back", kept_without_ram, STORY_PLAIN},
    {"stack-slot-given-back-no-room", "stack-slot-given-back", kept_without_room, STORY_PLAIN},
    {"stack-slot-given-back-not-asked", "stack-slot-given-back", kept_without_asking, STORY_PLAIN},
    {"stack-slot-given-back-no-thread", "stack-slot-given-back", kept_without_thread, STORY_PLAIN},
    {"stack-alloc-order-published-first", "stack-alloc-order", published_first, STORY_PLAIN},
    {"stack-alloc-order-freed-attached", "stack-alloc-order", freed_attached, STORY_PLAIN},
    {"stack-alloc-order-used-after-free", "stack-alloc-order", used_after_free, STORY_PLAIN},
    {"no-deadlock-lock-cycle", "no-deadlock", lock_cycle, STORY_PLAIN},
    {"no-deadlock-lock-left-behind", "no-deadlock", lock_left_behind, STORY_HALTS},
    {"lock-discipline-kept", "lock-discipline", lock_kept, STORY_PLAIN},
    {"lock-discipline-other", "lock-discipline", other_lock_given_up, STORY_PLAIN},
    {"lock-discipline-anothers", "lock-discipline", lock_of_another_given_up, STORY_PLAIN},
    {"outcome-as-declared-undeclared-halt", "outcome-as-declared", undeclared_halt, STORY_PLAIN},
    {"outcome-as-declared-another-reason", "outcome-as-declared", halt_for_another_reason,
     STORY_HALTS},
    {"outcome-as-declared-halt-missing", "outcome-as-declared", halt_missing, STORY_HALTS},
    {"outcome-as-declared-error", "outcome-as-declared", error_marked, STORY_PLAIN},
    {"outcome-as-declared-hung", "outcome-as-declared", hung, STORY_PLAIN},
    {"trace-wellformed-entry-left-out", "trace-wellformed", entry_left_out, STORY_PLAIN},
    {"trace-wellformed-dead-thread", "trace-wellformed", dead_thread_acts, STORY_PLAIN},
    {"trace-wellformed-unknown-thread", "trace-wellformed", unknown_thread, STORY_PLAIN},
    {"trace-wellformed-second-start", "trace-wellformed", second_start, STORY_PLAIN},
    {"trace-wellformed-no-sender", "trace-wellformed", message_from_nowhere, STORY_PLAIN},
    {0},
};
