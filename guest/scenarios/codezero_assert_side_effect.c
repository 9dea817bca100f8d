/* A count that is changed inside an assertion (Codezero, seed 004; mm0's vma_merge_object:
 * BUG_ON(--redundant->shadows < 0)). Where assertions are compiled out the count stays, and what
 * goes by it, merging and deleting of objects, goes wrong from then on.
 *
 * Two forks, so that there are shadows to merge when a task exits.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_COMPILED_OUT, VARIANTS };
enum { PAGES = 2, CHILDREN = 2, VALUE = 0x8000 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_assert_side_effect",
    .summary = "shadows are counted down inside an assertion, and assertions are compiled out",
    .source = "Codezero mm0, vma_merge_object and BUG_ON (seed 004)",
    .threads = "main, and two forked tasks, main.1 and main.2",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "counted down by a statement of its own",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_COMPILED_OUT] =
                {
                    .id = "compiled_out",
                    .summary = "the count goes with the assertion",
                    .expect = "vm-counts",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static uint32_t area;

/* Every task writes the first page, and sees its own there; the second is main's for all. */
static void write_own(uint32_t value)
{
    *vm_word(area, 0) = value;
    vm_expect_word(vm_word(area, 1), VALUE);
    vm_expect_word(vm_word(area, 0), value);
}

static tid_t fork_child(uint32_t number)
{
    tid_t child = vm_fork();

    if (child == 0) {
        write_own(VALUE + number);
        vm_exit(number);
    }
    program_expect(child != VM_NO_THREAD);
    return child;
}

static void main_main(void)
{
    tid_t children[CHILDREN];
    uint32_t code;

    if (info()->variant == VARIANT_COMPILED_OUT)
        program_expect(vm_policy(CORE_POLICY_UNCOUNTED_IN_ASSERTION) == FL_ERROR_OK);
    program_expect(vm_map(&area, PAGES, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    *vm_word(area, 0) = VALUE;
    *vm_word(area, 1) = VALUE;
    for (uint32_t i = 0; i < CHILDREN; i++) {
        children[i] = fork_child(i + 1);
        write_own(VALUE);
    }
    for (uint32_t i = 0; i < CHILDREN; i++)
        program_expect(vm_wait(children[i], &code) == FL_ERROR_OK && code == i + 1);
    write_own(VALUE);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
