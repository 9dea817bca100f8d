/* A stack slot that is not given back (Genode, base/src/lib/base/thread.cc, _alloc_stack): the slot
 * is chosen first, then RAM is allocated and attached to it. Where that is refused, an error is
 * returned, and the slot stays taken for good.
 *
 * main and t1 make a thread each, and core has the memory for one of the two; or there is something
 * in the way of a stack. What else may be refused, and when, is for plans to say (--fail).
 */
#include "program.h"
#include "thread.h"

enum { PARAM_REFUSED };
enum { REFUSED_NOTHING, REFUSED_RAM, REFUSED_ROOM };
enum { VARIANT_KEPT, VARIANT_LAST_CHOSEN, VARIANT_FIXED, VARIANTS };
enum { STACK_SIZE = 2 * FL_PAGE_SIZE, SLOTS = 8, MAX_HOARD = 128 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "genode_slot_leak",
    .summary = "two threads make threads, and a stack's memory is refused: is its slot given back?",
    .source = "Genode base, Thread::_alloc_stack, when RAM or attach fails",
    .threads = "main and t1, and the thread that each makes; at the end one more of main",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "t1"}},
    .n_params = 1,
    .params = {[PARAM_REFUSED] = {"refused", "0 nothing, 1 RAM for the second stack, 2 its place",
                                  REFUSED_RAM, REFUSED_NOTHING, REFUSED_ROOM, 0}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_KEPT] =
                {
                    .id = "kept",
                    .summary = "as it is: an error is returned, and the slot stays taken",
                    .expect = "stack-slot-given-back",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_LAST_CHOSEN] =
                {
                    .id = "last_chosen",
                    .summary = "the slot chosen last is given back, which may be another's by then",
                    .expect = "stack-alloc-order",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "what was chosen is given back, after the memory",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
        },
};

/* ---- Allocators that choose a slot first, as the library's does ---- */

static struct lock slots_lock;
static bool taken[SLOTS];
static uint32_t last_chosen;

static uint32_t choose_slot(uint32_t stack_size, const struct thread *thread)
{
    uint32_t slot = 0;

    sys_lock(&slots_lock);
    while (slot < SLOTS && taken[slot])
        slot++;
    program_expect(slot < SLOTS);
    taken[slot] = true;
    last_chosen = slot;
    stack_mark(FL_EVENT_MARK_RESERVE, stack_slot_base(slot), stack_size, thread);
    sys_unlock(&slots_lock);
    return slot;
}

static void give_back(uint32_t slot, uint32_t stack_size, const struct thread *thread)
{
    sys_lock(&slots_lock);
    stack_mark(FL_EVENT_MARK_FREE, stack_slot_base(slot), stack_size, thread);
    taken[slot] = false;
    sys_unlock(&slots_lock);
}

static struct context *keeping_alloc(struct thread *thread, uint32_t stack_size)
{
    uint32_t base = stack_slot_base(choose_slot(stack_size, thread));

    return stack_attach(base, stack_size, thread) ? stack_context(base) : NULL;
}

static struct context *last_chosen_alloc(struct thread *thread, uint32_t stack_size)
{
    struct context *context = keeping_alloc(thread, stack_size);

    if (!context)
        give_back(last_chosen, stack_size, thread);
    return context;
}

static void detach_and_give_back(struct thread *thread)
{
    uint32_t slot = (stack_slot_of(thread->context) - FL_CONTEXT_BASE) / FL_SLOT_SIZE;

    stack_detach(thread);
    give_back(slot, thread->stack_size, thread);
}

static const struct stack_allocator_ops keeping_allocator = {keeping_alloc, detach_and_give_back};
static const struct stack_allocator_ops last_chosen_allocator = {last_chosen_alloc,
                                                                 detach_and_give_back};

static const struct stack_allocator_ops *const allocators[VARIANTS] = {
    [VARIANT_KEPT] = &keeping_allocator,
    [VARIANT_LAST_CHOSEN] = &last_chosen_allocator,
    [VARIANT_FIXED] = &stack_bit_allocator,
};

/* ---- Memory that is short ---- */

/* Takes all RAM dataspaces that core has, but for two stacks: that of t1, and one more. */
static void take_memory(void)
{
    core_handle_t hoard[MAX_HOARD];
    uint32_t count = 0;

    while (count < MAX_HOARD && core_ram_alloc(FL_PAGE_SIZE, &hoard[count]) == FL_ERROR_OK)
        count++;
    program_expect(count < MAX_HOARD && count >= 2);
    program_expect(core_ram_free(hoard[0]) == FL_ERROR_OK &&
                   core_ram_free(hoard[1]) == FL_ERROR_OK);
}

/* Puts something where the stack of the third thread would lie: t1 has slot 0. */
static void take_place(void)
{
    uint32_t at = stack_slot_base(2) + FL_SLOT_SIZE - FL_PAGE_SIZE;
    core_handle_t memory;

    program_expect(core_ram_alloc(FL_PAGE_SIZE, &memory) == FL_ERROR_OK &&
                   core_attach_at(CORE_MAP_CONTEXT, memory, at - FL_CONTEXT_BASE, 0,
                                  FL_RIGHTS_RW) == FL_ERROR_OK);
}

static void make_short(uint32_t what)
{
    if (what == REFUSED_RAM)
        take_memory();
    else if (what == REFUSED_ROOM)
        take_place();
}

/* ---- The application ---- */

static void do_nothing(void *arg)
{
    (void)arg;
}

static bool make_thread(struct thread *thread, void (*entry)(void *arg))
{
    return thread_create(thread, STACK_SIZE, entry, NULL) == FL_ERROR_OK;
}

static void see_it_end(struct thread *thread)
{
    uint32_t status;

    thread_join(thread);
    while ((status = thread_destroy(thread)) == FL_ERROR_REFUSED)
        continue;
    program_expect(status == FL_ERROR_OK);
}

/* To be refused is no error of the program's: it goes on without. */
static void make_one(struct thread *thread)
{
    if (make_thread(thread, do_nothing))
        see_it_end(thread);
}

static void t1_main(void *arg)
{
    static struct thread made;

    (void)arg;
    make_one(&made);
}

static void main_main(void)
{
    static struct thread t1, made, later;

    stack_allocator = allocators[info()->variant];
    make_short(info()->params[PARAM_REFUSED]);
    bool started = make_thread(&t1, t1_main);
    make_one(&made);
    if (started)
        see_it_end(&t1);
    make_one(&later);
}

const struct program program = {.main = {main_main}};
