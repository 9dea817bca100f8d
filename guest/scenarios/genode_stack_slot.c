/* Two threads on one stack slot (Genode, genode-main mailing list, seed 000; fixed by issue 1024).
 *
 * In one protection domain main and the first thread that it started both make threads of their
 * own, independently. The allocator finds out whether a slot is taken by walking the list of all
 * threads and comparing their context pointers; but a thread is put in that list before its pointer
 * is set, and in between an IPC to core attaches its stack. Who comes in that moment is given the
 * same slot. Core refuses the second ATTACH (region conflict), and Stack_alloc_failed is thrown.
 */
#include "program.h"
#include "thread.h"

enum { PARAM_CREATORS, PARAM_SUBTHREADS, PARAM_ORDER, PARAM_STACK_SIZE };
enum { VARIANT_RACY, VARIANT_QUICKFIX, VARIANT_FIXED, VARIANTS };
enum { MAX_CREATORS = 4, MAX_SUBTHREADS = 4, CREATOR_STACK_SIZE = 2 * FL_PAGE_SIZE };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "genode_stack_slot",
    .summary = "main and the first started thread allocate thread stacks at the same time",
    .source = "Genode mailing list, Stack_alloc_failed on OKL4; genodelabs/genode issue 1024",
    .threads =
        "main and t1 (with more creators also main.2, main.3), and the threads that each makes",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "t1"}},
    .n_params = 4,
    .params =
        {
            [PARAM_CREATORS] = {"creators", "threads that make threads, main among them", 2, 2,
                                MAX_CREATORS, 0},
            [PARAM_SUBTHREADS] = {"subthreads", "threads that each of them makes", 1, 1,
                                  MAX_SUBTHREADS, 0},
            [PARAM_ORDER] = {"order", "who begins: 0 main, 1 t1", 0, 0, 1, 0},
            [PARAM_STACK_SIZE] = {"stack_size",
                                  "bytes; above 1044480 no slot holds it: refused, no race", 8192,
                                  FL_PAGE_SIZE, 2 * FL_SLOT_SIZE, 0},
        },
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_RACY] =
                {
                    .id = "racy",
                    .summary = "as reported: in the list first, ATTACH by IPC, then its context",
                    .expect = "stack-slot-exclusive",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_QUICKFIX] =
                {
                    .id = "quickfix",
                    .summary = "the reporter's lock, released before the context is set: a gap of "
                               "a few instructions",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "a bit for each slot, set under a lock",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
        },
};

/* ---- The allocator of 2012: a list of all threads, and what their contexts point to ---- */

struct listed_thread {
    struct thread thread; /* first: the allocator is given this */
    struct listed_thread *next;
};

static struct lock list_lock;
static struct listed_thread *list;

static bool is_in_use(const struct context *context)
{
    const struct listed_thread *entry = list;

    while (entry && entry->thread.context != context)
        entry = entry->next;
    return entry != NULL;
}

/* The base of the lowest slot that no thread of the list points to; the thread is listed. */
static uint32_t choose_slot(struct thread *thread, uint32_t stack_size)
{
    struct listed_thread *entry = (struct listed_thread *)thread;
    uint32_t base = FL_CONTEXT_BASE;

    sys_lock(&list_lock);
    while (is_in_use(stack_context(base)))
        base += FL_SLOT_SIZE;
    entry->next = list;
    list = entry;
    stack_mark(FL_EVENT_MARK_RESERVE, base, stack_size, thread);
    sys_unlock(&list_lock);
    return base;
}

/* What is returned here becomes thread->context only when the caller has it (thread_create). */
static struct context *racy_alloc(struct thread *thread, uint32_t stack_size)
{
    uint32_t base = choose_slot(thread, stack_size);

    return stack_attach(base, stack_size, thread) ? stack_context(base) : NULL;
}

static struct context *quickfix_alloc(struct thread *thread, uint32_t stack_size)
{
    static struct lock alloc_lock;

    sys_lock(&alloc_lock);
    struct context *context = racy_alloc(thread, stack_size);
    sys_unlock(&alloc_lock);
    return context;
}

static void list_free(struct thread *thread)
{
    struct listed_thread **link = &list;

    stack_detach(thread);
    sys_lock(&list_lock);
    stack_mark(FL_EVENT_MARK_FREE, stack_slot_of(thread->context), thread->stack_size, thread);
    while (&(*link)->thread != thread)
        link = &(*link)->next;
    *link = (*link)->next;
    sys_unlock(&list_lock);
}

static const struct stack_allocator_ops racy_allocator = {racy_alloc, list_free};
static const struct stack_allocator_ops quickfix_allocator = {quickfix_alloc, list_free};

static const struct stack_allocator_ops *const allocators[VARIANTS] = {
    [VARIANT_RACY] = &racy_allocator,
    [VARIANT_QUICKFIX] = &quickfix_allocator,
    [VARIANT_FIXED] = &stack_bit_allocator,
};

/* ---- The application ---- */

static struct listed_thread creators[MAX_CREATORS];
static struct listed_thread subthreads[MAX_CREATORS][MAX_SUBTHREADS];

/* Works on its stack for a moment. */
static void subthread_main(void *arg)
{
    volatile uint32_t scratch[16];

    for (uint32_t i = 0; i < 16; i++)
        scratch[i] = (uint32_t)(uintptr_t)arg + i;
    for (uint32_t i = 0; i < 16; i++)
        program_expect(scratch[i] == (uint32_t)(uintptr_t)arg + i);
}

/* Makes its subthreads, then sees them end. A stack that no slot can hold must be refused. */
static void create_subthreads(void *arg)
{
    struct listed_thread *mine = arg;
    uint32_t count = info()->params[PARAM_SUBTHREADS];
    uint32_t stack_size = info()->params[PARAM_STACK_SIZE];
    uint32_t expected = stack_size <= STACK_MAX_SIZE ? FL_ERROR_OK : FL_ERROR_NO_SLOT;

    for (uint32_t i = 0; i < count; i++) {
        uint32_t status = thread_create(&mine[i].thread, stack_size, subthread_main, &mine[i]);
        if (status != expected)
            program_raise(status, 0);
    }
    for (uint32_t i = 0; i < count && expected == FL_ERROR_OK; i++) {
        thread_join(&mine[i].thread);
        program_expect(thread_destroy(&mine[i].thread) == FL_ERROR_OK);
    }
}

/* The other creators stand, with their stacks, before anybody begins. They end with the program. */
static void main_main(void)
{
    stack_allocator = allocators[info()->variant];
    for (uint32_t i = 1; i < info()->params[PARAM_CREATORS]; i++)
        program_expect(thread_create(&creators[i].thread, CREATOR_STACK_SIZE, create_subthreads,
                                     subthreads[i]) == FL_ERROR_OK);
    if (info()->params[PARAM_ORDER])
        sys_yield();
    create_subthreads(subthreads[0]);
}

const struct program program = {.main = {main_main}};
