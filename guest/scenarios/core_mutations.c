/* Core and kernel broken on purpose, a line each (guest/mutations/policies), under a program that
 * uses all of vm: two threads that write to one page at once, a fork, a split, exits. */
#include "info.h"
#include "program.h"
#include "vm.h"

#define PAGES 3u /* the first two are written, the third nobody touches */

enum {
    VARIANT_FIXED,
    VARIANT_WRITTEN_AGAIN,
    VARIANT_NOT_COPIED,
    VARIANT_DELETED_EARLY,
    VARIANT_NOT_COUNTED,
    VARIANT_ALL_RIGHTS,
    VARIANT_STILL_MAPPED,
    VARIANT_AREA_KEPT,
    VARIANT_NOT_FLUSHED,
    VARIANT_SPLIT_EMPTY,
    VARIANT_TASK_KEPT,
    VARIANTS
};

#define MUTATION(ID, text, check, preemptions)                                                     \
    {                                                                                              \
        .id = ID, .summary = text, .expect = check, .depth = FL_DEPTH_IPC, .bound = preemptions    \
    }

SCENARIO_TABLE const struct fl_scenario core_mutations = {
    .id = "core_mutations",
    .summary = "lines of core and kernel broken on purpose: what the checks of vm must see",
    .source = "guest/mutations/policies",
    .threads = "main, its thread main.1, and a forked task, main.2",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] = MUTATION("fixed", "nothing is broken", "clean", 1),
            [VARIANT_WRITTEN_AGAIN] = MUTATION(
                "written_again", "a page that the first object has is copied to it once more",
                "vm-page-owned-once", 0),
            [VARIANT_NOT_COPIED] =
                MUTATION("not_copied", "on a write the page itself is taken, not a copy",
                         "vm-page-owned-once", 0),
            [VARIANT_DELETED_EARLY] =
                MUTATION("deleted_early", "an object goes though others are before it",
                         "vm-shadow-chain", 0),
            [VARIANT_NOT_COUNTED] = MUTATION(
                "not_counted", "who is before the zero page is not counted", "vm-counts", 0),
            [VARIANT_ALL_RIGHTS] = MUTATION(
                "all_rights", "a page is mapped with all that its area allows", "vm-right-page", 0),
            [VARIANT_STILL_MAPPED] = MUTATION(
                "still_mapped", "what is taken out of an area stays mapped", "vm-nothing-left", 0),
            [VARIANT_AREA_KEPT] =
                MUTATION("area_kept", "an exit leaves an area", "vm-nothing-left", 0),
            [VARIANT_NOT_FLUSHED] = MUTATION("not_flushed", "a switch of spaces does not flush",
                                             "vm-flush-before-reuse", 0),
            [VARIANT_SPLIT_EMPTY] = MUTATION(
                "split_empty", "what is left behind a hole gets no objects", "vm-shadow-chain", 0),
            [VARIANT_TASK_KEPT] = MUTATION(
                "task_kept", "a fork that fails leaves task and areas: only --fail alloc sees it",
                "clean", 0),
        },
};

static const uint32_t policies[VARIANTS] = {
    [VARIANT_WRITTEN_AGAIN] = CORE_POLICY_WRITTEN_AGAIN,
    [VARIANT_NOT_COPIED] = CORE_POLICY_NOT_COPIED,
    [VARIANT_DELETED_EARLY] = CORE_POLICY_DELETED_EARLY,
    [VARIANT_NOT_COUNTED] = CORE_POLICY_NOT_COUNTED,
    [VARIANT_ALL_RIGHTS] = CORE_POLICY_ALL_RIGHTS,
    [VARIANT_STILL_MAPPED] = CORE_POLICY_STILL_MAPPED,
    [VARIANT_AREA_KEPT] = CORE_POLICY_AREA_KEPT,
    [VARIANT_SPLIT_EMPTY] = CORE_POLICY_SPLIT_WITHOUT_OBJECTS,
    [VARIANT_TASK_KEPT] = CORE_POLICY_TASK_KEPT,
};

static volatile uint32_t *pages;
static uint32_t stack[256] __attribute__((aligned(8)));

static volatile uint32_t *word(uint32_t page, uint32_t index)
{
    return &pages[page * FL_PAGE_SIZE / sizeof(*pages) + index];
}

static void expect_word(uint32_t page, uint32_t index, uint32_t value)
{
    if (*word(page, index) != value)
        program_raise(FL_ERROR_WRONG_CONTENT, (uint32_t)(uintptr_t)word(page, index));
}

/* The same page as main, at the same time. */
static void second_writer(void *unused)
{
    (void)unused;
    *word(1, 1) = 11;
    vm_exit(0);
}

static void write_together(void)
{
    tid_t writer;
    uint32_t code;

    program_expect(vm_clone(second_writer, (uint32_t)(uintptr_t)(stack + 256), 0,
                            VM_CLONE_SPACE | VM_CLONE_FILES, &writer) == FL_ERROR_OK);
    *word(1, 0) = 10;
    program_expect(vm_wait(writer, &code) == FL_ERROR_OK);
    expect_word(1, 0, 10);
    expect_word(1, 1, 11);
}

static void write_apart(void)
{
    uint32_t code;
    tid_t child = vm_fork();

    if (child == 0) {
        expect_word(0, 0, 1);
        *word(0, 0) = 3;
        expect_word(0, 0, 3);
        vm_exit(0);
    }
    program_expect(child != VM_NO_THREAD);
    *word(0, 0) = 2;
    program_expect(vm_wait(child, &code) == FL_ERROR_OK);
    expect_word(0, 0, 2);
    *word(1, 0) = 12; /* main's alone again, but not writable yet */
    expect_word(1, 0, 12);
}

static void main_main(void)
{
    uint32_t at = 0;

    if (info()->variant == VARIANT_NOT_FLUSHED)
        sys_debug(SYS_DEBUG_NO_FLUSH, 0, 0);
    else if (info()->variant != VARIANT_FIXED)
        program_expect(vm_policy(policies[info()->variant]) == FL_ERROR_OK);
    program_expect(vm_map(&at, PAGES, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    pages = (volatile uint32_t *)at;
    *word(0, 0) = 1;
    if (info()->variant == VARIANT_NOT_FLUSHED)
        vm_exit(0); /* whatever else it did would be by chance */
    write_together();
    write_apart();
    program_expect(vm_unmap(at + FL_PAGE_SIZE, 1) == FL_ERROR_OK);
    vm_exit(0); /* nobody looks at what is left on either side */
}

const struct program program = {.main = {main_main}};
