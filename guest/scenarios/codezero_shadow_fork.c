/* Fork, write, exit, in every order that there is (Codezero, seed 004): the chains of shadow
 * objects behind a private area, and the counts that keep them.
 *
 * main and two children write to pages that all three began with. Each must see what it wrote, and
 * of the others what they wrote before the fork, however the three take turns and end.
 */
#include "program.h"
#include "vm.h"

enum {
    VARIANT_FIXED,
    VARIANT_NOT_FROZEN,
    VARIANT_FIRST_ONLY,
    VARIANT_NOT_COUNTED,
    VARIANT_SAME_CACHE,
    VARIANTS
};
enum { CHILDREN = 2, PAGES = 3, AT_ONE = 0xa000, BY_MAIN = 0xb000, BY_CHILD = 0xc000 };

#define CHILD(n) FL_PATH_CHILD2(0, n)

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_shadow_fork",
    .summary = "three tasks by fork on the same private pages: write, read back, exit in any order",
    .source = "Codezero's commit log, mm0: vm objects, shadow chains, fork and exit (seed 004)",
    .threads = "main, and two forked tasks, main.1 and main.2",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 2,
    .named = {{CHILD(1), "first"}, {CHILD(2), "second"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "a write after a fork goes to a shadow of the writer's own",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_NOT_FROZEN] =
                {
                    .id = "not_frozen",
                    .summary = "a fork leaves writable shadows writable",
                    .expect = "vm-right-page",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_FIRST_ONLY] =
                {
                    .id = "first_only",
                    .summary = "a read looks into the first object only; 0 is taken for a page",
                    .expect = "vm-right-page",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_NOT_COUNTED] =
                {
                    .id = "not_counted",
                    .summary = "a shadow dropped while referred to: who was in front of it is not "
                               "counted behind it",
                    .expect = "vm-counts",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_SAME_CACHE] =
                {
                    .id = "same_cache",
                    .summary = "an object behind is dropped once its pages in memory are hidden, "
                               "though it has more",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static const uint32_t policies[VARIANTS] = {
    [VARIANT_NOT_FROZEN] = CORE_POLICY_FORK_LEAVES_WRITABLE,
    [VARIANT_FIRST_ONLY] = CORE_POLICY_READ_FIRST_ONLY,
    [VARIANT_NOT_COUNTED] = CORE_POLICY_SHADOW_NOT_COUNTED,
    [VARIANT_SAME_CACHE] = CORE_POLICY_DROP_LARGER_ORIGINAL,
};

static volatile uint32_t *pages;

static volatile uint32_t *word(uint32_t page)
{
    return &pages[page * FL_PAGE_SIZE / sizeof(*pages)];
}

static void expect_word(uint32_t page, uint32_t value)
{
    if (*word(page) != value)
        program_raise(FL_ERROR_WRONG_CONTENT, (uint32_t)(uintptr_t)word(page));
}

/* Page 1 is nobody's after the first fork; page 0 everybody writes to; page 2 is never written. */
static void child(void *arg)
{
    uint32_t index = (uint32_t)(uintptr_t)arg;

    expect_word(1, AT_ONE + 1);
    expect_word(0, index == 0 ? AT_ONE : BY_MAIN);
    *word(0) = BY_CHILD + index;
    expect_word(0, BY_CHILD + index);
    expect_word(2, 0);
    vm_exit(index);
}

/* A fork, as to memory; but on a stack of its own. On a copy of main's that is none (not_frozen),
 * what a child did would be the compiler's choice. */
static uint32_t stacks[CHILDREN][256] __attribute__((aligned(16)));

static tid_t fork_child(uint32_t index)
{
    uint32_t top = (uint32_t)(uintptr_t)stacks[index] + sizeof(stacks[index]);
    tid_t thread;

    program_expect(vm_clone(child, top, (void *)(uintptr_t)index, 0, &thread) == FL_ERROR_OK);
    return thread;
}

static void main_main(void)
{
    tid_t children[CHILDREN];
    uint32_t at = 0, code;

    if (info()->variant != VARIANT_FIXED)
        program_expect(vm_policy(policies[info()->variant]) == FL_ERROR_OK);
    program_expect(vm_map(&at, PAGES, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    pages = (volatile uint32_t *)at;
    *word(0) = AT_ONE;
    *word(1) = AT_ONE + 1;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        children[i] = fork_child(i);
        *word(0) = BY_MAIN + i;
    }
    for (uint32_t i = 0; i < CHILDREN; i++) {
        program_expect(vm_wait(children[i], &code) == FL_ERROR_OK && code == i);
        expect_word(0, BY_MAIN + CHILDREN - 1);
        expect_word(1, AT_ONE + 1);
    }
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
