/* The lock of one page taken, that of another given up (Codezero, mm0/mm/fault.c, copy_on_write,
 * which seed 004 is about: "faults are handled by copy_on_write").
 *
 * To fill in what it knows of the copy it locks new_page, and unlocks page, the original. So the
 * copy stays locked, and whoever merges the shadow later, which locks each page that it moves,
 * waits for ever. And the original is unlocked, whoever has it locked just then.
 */
#include "faultline.h"

enum { VARIANT_OTHER_PAGE, VARIANT_FIXED, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), ORIGINAL = 1, SHADOW, FRONT };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_page_locks",
    .summary = "a page is copied on write; new_page is locked, page is unlocked",
    .source = "Codezero, mm0/mm/fault.c: copy_on_write, vma_merge_object (seed 004)",
    .threads = "main, which copies a page, and t1, which looks at the original; both move pages",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "t1"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_OTHER_PAGE] =
                {
                    .id = "other_page",
                    .summary = "as it was: new_page is locked, page is unlocked",
                    .expect = "lock-discipline",
                    .depth = FL_DEPTH_SYNC,
                    .bound = 0,
                },
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "the page that was locked is unlocked",
                    .expect = "clean",
                    .depth = FL_DEPTH_SYNC,
                    .bound = 2,
                    .sees = FL_EVENT_UNLOCK,
                },
        },
};

struct page {
    struct lock lock;
    uint32_t owner; /* vm object */
    uint32_t content;
};

static struct page page, new_page;
static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static struct page *const unlocks[VARIANTS] = {
    [VARIANT_OTHER_PAGE] = &page,
    [VARIANT_FIXED] = &new_page,
};

/* The unlocking has no result to look at in Codezero, either. */
static void copy_on_write(void)
{
    sys_lock(&new_page.lock);
    new_page.content = page.content;
    new_page.owner = SHADOW;
    sys_unlock(&unlocks[info()->variant]->lock);
}

/* A shadow is merged with the one in front of it, which has its pages from then on. */
static void move_page(struct page *moved, uint32_t from, uint32_t to)
{
    sys_lock(&moved->lock);
    if (moved->owner == from)
        moved->owner = to;
    sys_unlock(&moved->lock);
}

static void t1_main(void)
{
    move_page(&page, ORIGINAL, ORIGINAL);
    move_page(&new_page, SHADOW, FRONT);
    sys_thread_exit(0);
}

static void main_main(void)
{
    tid_t thread;

    page.owner = ORIGINAL;
    page.content = 1;
    program_expect(core_thread_create((uint32_t)(uintptr_t)t1_main,
                                      (uint32_t)(uintptr_t)(stack + STACK_WORDS), 0,
                                      &thread) == FL_ERROR_OK);
    copy_on_write();
    sys_thread_join(thread);
    move_page(&new_page, SHADOW, FRONT);
    program_expect(page.owner == ORIGINAL && new_page.owner == FRONT &&
                   new_page.content == page.content);
}

const struct program program = {.main = {main_main}};
