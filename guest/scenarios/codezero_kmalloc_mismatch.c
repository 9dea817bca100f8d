/* Memory taken from one allocator and given back to another (Codezero, seed 004: "It turned out we
 * used one version of kmalloc for malloc() and another for kfree()! Now fixed").
 *
 * The kfree of libmem (kmalloc/kmalloc.c) looks for the block among its own, and returns -1 when it
 * is not there. No caller looked at that: nothing breaks, and each block that is freed is lost.
 *
 * main and t1 share an object with a count of who has it, as links and shadows of a vm object are
 * counted; the last one gives it back. "fork/exit now seems to work stably i.e. no negative shadow
 * counts" (seed 004): with the count looked at outside of the lock, there are two last ones.
 */
#include "faultline.h"

enum { VARIANT_MISMATCHED, VARIANT_COUNT_UNLOCKED, VARIANT_FIXED, VARIANTS };
enum { KMALLOC = 1, MALLOC, ALLOCATORS }; /* their numbers in marks */
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), BLOCKS = 2 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_kmalloc_mismatch",
    .summary = "a block goes back to another allocator than it came from, or goes back twice",
    .source =
        "Codezero, \"one version of kmalloc for malloc() and another for kfree()\" (seed 004)",
    .threads = "main and its thread t1, which share an object; the last to drop it gives it back",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "t1"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_MISMATCHED] =
                {
                    .id = "mismatched",
                    .summary = "as in the diary: malloc's block, kmalloc's kfree",
                    .expect = "allocator-ownership",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_COUNT_UNLOCKED] =
                {
                    .id = "count_unlocked",
                    .summary = "counts down under a lock, and looks at the count without",
                    .expect = "allocator-ownership",
                    .depth = FL_DEPTH_ACCESS,
                    .bound = 1,
                },
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "the right kfree; counts down and looks under one lock",
                    .expect = "clean",
                    .depth = FL_DEPTH_ACCESS,
                    .bound = 2,
                    .sees = FL_EVENT_MARK_FREE,
                },
        },
};

/* ---- Two allocators, each with blocks of its own ---- */

struct object {
    uint32_t holders;
    uint32_t value;
};

struct allocator {
    struct lock lock;
    bool taken[BLOCKS];
    struct object blocks[BLOCKS];
};

static struct allocator kmalloc_heap, malloc_heap;

static struct allocator *const allocators[ALLOCATORS] = {
    [KMALLOC] = &kmalloc_heap,
    [MALLOC] = &malloc_heap,
};

static struct object *allocate(uint32_t number)
{
    struct allocator *from = allocators[number];
    uint32_t i = 0;

    sys_lock(&from->lock);
    while (i < BLOCKS && from->taken[i])
        i++;
    program_expect(i < BLOCKS);
    from->taken[i] = true;
    mark_reserve_from(number, &from->blocks[i], sizeof from->blocks[i]);
    sys_unlock(&from->lock);
    return &from->blocks[i];
}

/* A block that is not among its own is passed over in silence. */
static void release(uint32_t number, const struct object *object)
{
    struct allocator *to = allocators[number];

    sys_lock(&to->lock);
    mark_free_to(number, object, sizeof *object);
    for (uint32_t i = 0; i < BLOCKS; i++)
        if (object == &to->blocks[i])
            to->taken[i] = false;
    sys_unlock(&to->lock);
}

/* ---- What of them the application calls ---- */

static struct lock count_lock;

static bool count_down(struct object *object)
{
    sys_lock(&count_lock);
    bool last = --object->holders == 0;
    sys_unlock(&count_lock);
    return last;
}

static bool count_down_and_look(struct object *object)
{
    count_down(object);
    return *(volatile uint32_t *)&object->holders == 0;
}

static const struct {
    uint32_t kfree; /* the allocator whose it is; what is taken is malloc's */
    bool (*is_last)(struct object *object);
} uses[VARIANTS] = {
    [VARIANT_MISMATCHED] = {KMALLOC, count_down},
    [VARIANT_COUNT_UNLOCKED] = {MALLOC, count_down_and_look},
    [VARIANT_FIXED] = {MALLOC, count_down},
};

static void drop(struct object *object)
{
    if (uses[info()->variant].is_last(object))
        release(uses[info()->variant].kfree, object);
}

/* ---- The application ---- */

static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static void t1_main(void *object)
{
    drop(object);
    sys_thread_exit(0);
}

static void main_main(void)
{
    struct object *object = allocate(MALLOC);
    tid_t thread;

    object->holders = 2;
    program_expect(core_thread_create((uint32_t)(uintptr_t)t1_main,
                                      (uint32_t)(uintptr_t)(stack + STACK_WORDS),
                                      (uint32_t)(uintptr_t)object, &thread) == FL_ERROR_OK);
    drop(object);
    sys_thread_join(thread);
    for (uint32_t i = 0; i < BLOCKS; i++)
        program_expect(!malloc_heap.taken[i]);
}

const struct program program = {.main = {main_main}};
