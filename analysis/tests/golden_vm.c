/* Stories of vm objects: a task writes to memory of its own, forks, writes again, its child exits,
 * and the memory is given back. And what can go wrong at each step of it. */
#include "golden.h"

#define MEMORY  0x30000000u
#define PAGES   2u
#define CHILD   FL_SPACE_DOMAIN(1)
#define FIRST   1u /* objects */
#define SHADOW  2u
#define ZERO    3u
#define FRAME_1 0x480u
#define FRAME_2 0x481u
#define FRAME_3 0x482u

/* ---- core's part ---- */

static struct fl_event *tell(struct story *story, uint32_t event, uint16_t space, uint64_t addr,
                             uint32_t arg, uint32_t aux)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_MARK);
    struct fl_event *said = story_say(story, event, FL_PATH_CORE, addr, arg, aux);
    said->space = space;
    return said;
}

static void counts(struct story *story, uint32_t object, uint32_t links, uint32_t shadows)
{
    tell(story, FL_EVENT_OBJECT_COUNTS, FL_SPACE_CORE, links, shadows, object);
}

static void map(struct story *story, uint32_t rights, uint32_t frame)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_MAP);
    story_say(story, FL_EVENT_MAP, FL_PATH_CORE, MEMORY, rights, frame)->space = STORY_SPACE;
}

static void take_away(struct story *story, uint32_t event, uint32_t rights, uint32_t frame)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_UNMAP);
    story_say(story, event, FL_PATH_CORE, MEMORY, rights, frame)->space = STORY_SPACE;
    story_say(story, FL_EVENT_FLUSH, FL_PATH_CORE, MEMORY, 0, 0)->space = STORY_SPACE;
}

/* ---- the steps ---- */

static void make_memory(struct story *story)
{
    story_call(story, STORY_MAIN, FL_LABEL_USER);
    tell(story, FL_EVENT_OBJECT_CREATE, FL_SPACE_CORE, 0, FL_OBJECT_ANONYMOUS, FIRST);
    tell(story, FL_EVENT_AREA_CREATE, STORY_SPACE, MEMORY, PAGES, FL_RIGHTS_RW);
    tell(story, FL_EVENT_AREA_SHOW, STORY_SPACE, MEMORY, 0, FIRST);
    counts(story, FIRST, 1, 0);
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
}

static void write_first(struct story *story)
{
    uint32_t fault = story_fault(story, STORY_MAIN, MEMORY, FL_ACCESS_WRITE);

    tell(story, FL_EVENT_PAGE_OWN, FL_SPACE_CORE, 0, FRAME_1, FIRST);
    map(story, FL_RIGHTS_RW, FRAME_1);
    story_fault_answer(story, STORY_MAIN, fault, MEMORY, FL_ACCESS_WRITE);
}

/* Both see the one object, and neither may write to it. */
static void fork(struct story *story)
{
    story_call(story, STORY_MAIN, FL_LABEL_USER);
    tell(story, FL_EVENT_AREA_CREATE, CHILD, MEMORY, PAGES, FL_RIGHTS_RW);
    tell(story, FL_EVENT_AREA_SHOW, CHILD, MEMORY, 0, FIRST);
    counts(story, FIRST, 2, 0);
    take_away(story, FL_EVENT_PROTECT, FL_RIGHTS_R, FRAME_1);
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
}

/* A shadow in front takes what is written. */
static void write_again(struct story *story)
{
    uint32_t fault = story_fault(story, STORY_MAIN, MEMORY, FL_ACCESS_WRITE);

    tell(story, FL_EVENT_OBJECT_CREATE, FL_SPACE_CORE, 0, FL_OBJECT_SHADOW, SHADOW);
    tell(story, FL_EVENT_OBJECT_BEHIND, FL_SPACE_CORE, 0, FIRST, SHADOW);
    tell(story, FL_EVENT_AREA_SHOW, STORY_SPACE, MEMORY, 0, SHADOW);
    counts(story, SHADOW, 1, 0);
    counts(story, FIRST, 1, 1);
    tell(story, FL_EVENT_PAGE_OWN, FL_SPACE_CORE, 0, FRAME_2, SHADOW);
    map(story, FL_RIGHTS_RW, FRAME_2);
    story_say(story, FL_EVENT_FLUSH, FL_PATH_CORE, MEMORY, 0, 0)->space = STORY_SPACE;
    story_fault_answer(story, STORY_MAIN, fault, MEMORY, FL_ACCESS_WRITE);
}

/* What the child shared with its parent has one shadow left, and goes into it: `rest`, page 1 of
 * it, is what the shadow lacks. 0: nothing. */
static void child_exits(struct story *story, uint32_t rest)
{
    story_call(story, STORY_MAIN, FL_LABEL_USER);
    tell(story, FL_EVENT_AREA_DELETE, CHILD, MEMORY, PAGES, 0);
    counts(story, FIRST, 0, 1);
    tell(story, FL_EVENT_PAGE_GIVE, FL_SPACE_CORE, 0, FRAME_1, FIRST);
    if (rest != 0) {
        tell(story, FL_EVENT_PAGE_GIVE, FL_SPACE_CORE, 1, rest, FIRST);
        tell(story, FL_EVENT_PAGE_OWN, FL_SPACE_CORE, 1, rest, SHADOW);
    }
    tell(story, FL_EVENT_OBJECT_BEHIND, FL_SPACE_CORE, 0, 0, SHADOW);
    tell(story, FL_EVENT_OBJECT_DELETE, FL_SPACE_CORE, 0, 0, FIRST);
    tell(story, FL_EVENT_TASK_END, CHILD, 0, 0, 0);
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
}

static void delete_object(struct story *story, uint32_t object, uint32_t behind)
{
    tell(story, FL_EVENT_OBJECT_DELETE, FL_SPACE_CORE, 0, 0, object);
    if (behind != 0)
        counts(story, behind, 0, 0);
}

/* The object has these frames, for page 0 and page 1. */
static void give_memory_back(struct story *story, uint32_t object, uint32_t frame, uint32_t rest,
                             uint32_t behind)
{
    story_call(story, STORY_MAIN, FL_LABEL_USER);
    take_away(story, FL_EVENT_UNMAP, 0, frame);
    tell(story, FL_EVENT_AREA_DELETE, STORY_SPACE, MEMORY, PAGES, 0);
    counts(story, object, 0, 0);
    tell(story, FL_EVENT_PAGE_GIVE, FL_SPACE_CORE, 0, frame, object);
    if (rest != 0)
        tell(story, FL_EVENT_PAGE_GIVE, FL_SPACE_CORE, 1, rest, object);
    delete_object(story, object, behind);
    tell(story, FL_EVENT_TASK_END, STORY_SPACE, 0, 0, 0);
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* ---- clean ---- */

void golden_vm_memory(struct story *story)
{
    story_begin(story);
    make_memory(story);
    write_first(story);
    give_memory_back(story, FIRST, FRAME_1, 0, 0);
}

/* Core changes a page of its own. */
void golden_vm_remapped(struct story *story)
{
    story_begin(story);
    story_call(story, STORY_MAIN, FL_LABEL_USER);
    for (unsigned i = 0; i < 2; i++) {
        story_entry(story, FL_PATH_CORE, FL_POINT_MAP);
        story_say(story, FL_EVENT_MAP, FL_PATH_CORE, MEMORY, FL_RIGHTS_R, FRAME_1 + i);
        story_say(story, FL_EVENT_FLUSH, FL_PATH_CORE, MEMORY, 0, 0);
    }
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
    story_exit(story, FL_PATH_KERNEL);
    story_end(story, FL_OUTCOME_EXITED);
}

/* Read before it is written: the page of zeros, which is there for everybody, lies behind. */
void golden_vm_zero(struct story *story)
{
    uint32_t fault;

    story_begin(story);
    make_memory(story);
    fault = story_fault(story, STORY_MAIN, MEMORY, FL_ACCESS_READ);
    tell(story, FL_EVENT_OBJECT_CREATE, FL_SPACE_CORE, 0, FL_OBJECT_DEVZERO, ZERO);
    tell(story, FL_EVENT_OBJECT_BEHIND, FL_SPACE_CORE, 0, ZERO, FIRST);
    counts(story, ZERO, 0, 1);
    tell(story, FL_EVENT_PAGE_OWN, FL_SPACE_CORE, 0, FRAME_3, ZERO);
    map(story, FL_RIGHTS_R, FRAME_3);
    story_fault_answer(story, STORY_MAIN, fault, MEMORY, FL_ACCESS_READ);
    write_first(story);
    give_memory_back(story, FIRST, FRAME_1, 0, ZERO);
}

void golden_vm_fork(struct story *story)
{
    story_begin(story);
    make_memory(story);
    write_first(story);
    fork(story);
    write_again(story);
    child_exits(story, 0);
    give_memory_back(story, SHADOW, FRAME_2, 0, 0);
}

/* The child is gone before anybody has written: the object is its parent's alone again. */
void golden_vm_exit(struct story *story)
{
    story_begin(story);
    make_memory(story);
    write_first(story);
    fork(story);
    story_call(story, STORY_MAIN, FL_LABEL_USER);
    tell(story, FL_EVENT_AREA_DELETE, CHILD, MEMORY, PAGES, 0);
    counts(story, FIRST, 1, 0);
    tell(story, FL_EVENT_TASK_END, CHILD, 0, 0, 0);
    take_away(story, FL_EVENT_PROTECT, FL_RIGHTS_RW, FRAME_1);
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
    give_memory_back(story, FIRST, FRAME_1, 0, 0);
}

/* A page that nobody wrote since the fork moves into the shadow. */
void golden_vm_merged(struct story *story)
{
    story_begin(story);
    make_memory(story);
    write_first(story);
    story_call(story, STORY_MAIN, FL_LABEL_USER);
    tell(story, FL_EVENT_PAGE_OWN, FL_SPACE_CORE, 1, FRAME_3, FIRST);
    story_answer(story, STORY_MAIN, FL_ERROR_OK);
    fork(story);
    write_again(story);
    child_exits(story, FRAME_3);
    give_memory_back(story, SHADOW, FRAME_2, FRAME_3, 0);
}

/* t1 writes to the page that main has brought in meanwhile. Its fault, told up to there: */
static uint32_t fault_again(struct story *story)
{
    story_begin(story);
    make_memory(story);
    story_thread(story, STORY_MAIN, STORY_T1);
    write_first(story);
    story_entry(story, STORY_MAIN, FL_POINT_YIELD);
    story_say(story, FL_EVENT_YIELD, STORY_MAIN, 0, 0, 0);
    story_switch(story, STORY_T1, FL_SWITCH_YIELD);
    return story_fault(story, STORY_T1, MEMORY + 8, FL_ACCESS_WRITE);
}

static void end_of_again(struct story *story, uint32_t fault, uint32_t frame)
{
    story_fault_answer(story, STORY_T1, fault, MEMORY + 8, FL_ACCESS_WRITE);
    story_exit(story, STORY_MAIN);
    give_memory_back(story, FIRST, frame, 0, 0);
}

static void say_duplicate(struct story *story, uint32_t fault)
{
    story_entry(story, FL_PATH_CORE, FL_POINT_MARK);
    story_say(story, FL_EVENT_FAULT_DUPLICATE, FL_PATH_CORE, STORY_T1, 0, fault);
}

void golden_vm_duplicate(struct story *story)
{
    uint32_t fault = fault_again(story);

    say_duplicate(story, fault);
    end_of_again(story, fault, FRAME_1);
}

/* ---- what goes wrong ---- */

static void allocated_again(struct story *story)
{
    uint32_t fault = fault_again(story);

    tell(story, FL_EVENT_PAGE_OWN, FL_SPACE_CORE, 0, FRAME_2, FIRST);
    map(story, FL_RIGHTS_RW, FRAME_2);
    story_say(story, FL_EVENT_FLUSH, FL_PATH_CORE, MEMORY, 0, 0)->space = STORY_SPACE;
    end_of_again(story, fault, FRAME_2);
}

static void allocated_in_vain(struct story *story)
{
    uint32_t fault = fault_again(story);

    tell(story, FL_EVENT_PAGE_BACK, FL_SPACE_CORE, 0, FRAME_2, FIRST);
    end_of_again(story, fault, FRAME_1);
}

static void no_duplicate(struct story *story)
{
    uint32_t fault;

    story_begin(story);
    make_memory(story);
    fault = story_fault(story, STORY_MAIN, MEMORY, FL_ACCESS_WRITE);
    story_entry(story, FL_PATH_CORE, FL_POINT_MARK);
    story_say(story, FL_EVENT_FAULT_DUPLICATE, FL_PATH_CORE, STORY_MAIN, 0, fault);
    story_fault_answer(story, STORY_MAIN, fault, MEMORY, FL_ACCESS_WRITE);
    give_memory_back(story, FIRST, FRAME_1, 0, 0);
}

/* The run ends as if t1 had gone on. */
static void duplicate_unanswered(struct story *story)
{
    say_duplicate(story, fault_again(story));
    story_entry(story, FL_PATH_CORE, FL_POINT_IPC_RECEIVE);
    story_say(story, FL_EVENT_IPC_WAIT, FL_PATH_CORE, FL_PATH_KERNEL, 0, 0);
    story_switch(story, STORY_MAIN, FL_SWITCH_BLOCK);
    give_memory_back(story, FIRST, FRAME_1, 0, 0);
}

/* The nth event of this id, from 1. */
static size_t nth(const struct story *story, uint32_t id, unsigned n)
{
    size_t at = story_find(story, id, 0);

    while (--n > 0)
        at = story_find(story, id, at + 1);
    return at;
}

/* vm_fork without the nth event of this id. */
static void without(struct story *story, uint32_t id, unsigned n)
{
    golden_vm_fork(story);
    story_remove(story, nth(story, id, n));
}

static struct fl_event *altered(struct story *story, uint32_t id, unsigned n)
{
    golden_vm_fork(story);
    return &story->events[nth(story, id, n)];
}

static void copied_twice(struct story *story)
{
    golden_vm_fork(story);
    size_t own = nth(story, FL_EVENT_PAGE_OWN, 2);
    story_insert(story, own + 1, own);
    story->events[own + 1].arg = FRAME_2 + 1;
}

static void two_owners(struct story *story)
{
    altered(story, FL_EVENT_PAGE_OWN, 2)->arg = FRAME_1;
}

static void deleted_with_pages(struct story *story)
{
    without(story, FL_EVENT_PAGE_GIVE, 1);
}

static void deleted_under_shadow(struct story *story)
{
    without(story, FL_EVENT_OBJECT_BEHIND, 2);
}

static void cycle(struct story *story)
{
    altered(story, FL_EVENT_OBJECT_BEHIND, 1)->arg = SHADOW;
}

static void area_without_objects(struct story *story)
{
    without(story, FL_EVENT_AREA_SHOW, 2);
    story_remove(story, nth(story, FL_EVENT_OBJECT_COUNTS, 2));
}

static void shadow_not_counted(struct story *story)
{
    altered(story, FL_EVENT_OBJECT_COUNTS, 4)->arg = 0;
}

static void link_not_dropped(struct story *story)
{
    altered(story, FL_EVENT_OBJECT_COUNTS, 4)->addr = 2;
}

static void audit_off(struct story *story)
{
    golden_vm_fork(story);
    size_t wait = nth(story, FL_EVENT_IPC_WAIT, 3);
    story_insert(story, wait + 1, wait);
    struct fl_event *event = &story->events[wait + 1];
    event->id_time += FL_EVENT_AUDIT_DIFFERS - FL_EVENT_IPC_WAIT;
    event->addr = UINT64_C(2) << 32 | 3;
    event->arg = FL_AUDIT_SHADOWS;
    event->aux = FIRST;
}

static void writable_after_fork(struct story *story)
{
    without(story, FL_EVENT_PROTECT, 1);
}

static void no_page_mapped(struct story *story)
{
    altered(story, FL_EVENT_MAP, 2)->aux = 0;
}

static void shadow_passed_over(struct story *story)
{
    altered(story, FL_EVENT_MAP, 3)->aux = FRAME_1;
}

static void more_than_allowed(struct story *story)
{
    altered(story, FL_EVENT_MAP, 2)->arg = FL_RIGHTS_RWX;
}

/* Core changes a page of its own, and goes on with the old one. */
static void core_not_flushed(struct story *story)
{
    golden_vm_remapped(story);
    story_remove(story, nth(story, FL_EVENT_FLUSH, 2));
}

static void switch_without_flush(struct story *story)
{
    altered(story, FL_EVENT_SWITCH, 4)->aux = 0;
}

static void still_mapped(struct story *story)
{
    without(story, FL_EVENT_UNMAP, 1);
}

static void area_left(struct story *story)
{
    golden_vm_fork(story);
    size_t end = nth(story, FL_EVENT_TASK_END, 2);
    size_t area = nth(story, FL_EVENT_AREA_DELETE, 2);
    struct fl_event delete = story->events[area];
    struct fl_event last = story->events[end];
    story->events[area] = last;
    story->events[area].id_time = fl_event_time(&delete) << 16 | FL_EVENT_TASK_END;
    story->events[end] = delete;
    story->events[end].id_time = fl_event_time(&last) << 16 | FL_EVENT_AREA_DELETE;
}

static void object_left(struct story *story)
{
    without(story, FL_EVENT_OBJECT_DELETE, 2);
}

const struct golden golden_vm_violating[] = {
    {"duplicate-fault-harmless-again", "duplicate-fault-harmless", allocated_again, STORY_PLAIN},
    {"duplicate-fault-harmless-in-vain", "duplicate-fault-harmless", allocated_in_vain,
     STORY_PLAIN},
    {"duplicate-fault-harmless-untrue", "duplicate-fault-harmless", no_duplicate, STORY_PLAIN},
    {"duplicate-fault-harmless-lost", "duplicate-fault-harmless", duplicate_unanswered,
     STORY_PLAIN},
    {"vm-page-owned-once-copied-twice", "vm-page-owned-once", copied_twice, STORY_PLAIN},
    {"vm-page-owned-once-two-owners", "vm-page-owned-once", two_owners, STORY_PLAIN},
    {"vm-page-owned-once-deleted", "vm-page-owned-once", deleted_with_pages, STORY_PLAIN},
    {"vm-shadow-chain-deleted", "vm-shadow-chain", deleted_under_shadow, STORY_PLAIN},
    {"vm-shadow-chain-cycle", "vm-shadow-chain", cycle, STORY_PLAIN},
    {"vm-shadow-chain-no-objects", "vm-shadow-chain", area_without_objects, STORY_PLAIN},
    {"vm-counts-shadow", "vm-counts", shadow_not_counted, STORY_PLAIN},
    {"vm-counts-link", "vm-counts", link_not_dropped, STORY_PLAIN},
    {"vm-counts-audit", "vm-counts", audit_off, STORY_PLAIN},
    {"vm-right-page-after-fork", "vm-right-page", writable_after_fork, STORY_PLAIN},
    {"vm-right-page-none", "vm-right-page", no_page_mapped, STORY_PLAIN},
    {"vm-right-page-passed-over", "vm-right-page", shadow_passed_over, STORY_PLAIN},
    {"vm-right-page-rights", "vm-right-page", more_than_allowed, STORY_PLAIN},
    {"vm-flush-before-reuse-core", "vm-flush-before-reuse", core_not_flushed, STORY_PLAIN},
    {"vm-flush-before-reuse-switch", "vm-flush-before-reuse", switch_without_flush, STORY_PLAIN},
    {"vm-nothing-left-mapped", "vm-nothing-left", still_mapped, STORY_PLAIN},
    {"vm-nothing-left-area", "vm-nothing-left", area_left, STORY_PLAIN},
    {"vm-nothing-left-object", "vm-nothing-left", object_left, STORY_PLAIN},
    {0},
};
