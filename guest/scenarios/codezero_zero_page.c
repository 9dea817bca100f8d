/* Every page that nobody wrote is one page of zeros, and it is devzero's (Codezero, seed 004:
 * "fixed the error that zero page didn't have an owner (devzero)"). Without an owner nobody knows
 * where it is mapped and when it can go.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_NO_OWNER, VARIANTS };
enum { PAGES = 2 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_zero_page",
    .summary = "two tasks read pages that nobody wrote, and write one of them later",
    .source = "Codezero's commit log, mm0 (seed 004)",
    .threads = "main, and a forked task, main.1",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(0, 1), "forked"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "the page of zeros is owned by devzero",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_NO_OWNER] =
                {
                    .id = "no_owner",
                    .summary = "it is mapped, and nobody owns it",
                    .expect = "vm-right-page",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static void read_then_write(uint32_t at, uint32_t value)
{
    for (uint32_t page = 0; page < PAGES; page++)
        vm_expect_word(vm_word(at, page), 0);
    *vm_word(at, 0) = value;
    vm_expect_word(vm_word(at, 0), value);
    vm_expect_word(vm_word(at, 1), 0);
}

static void main_main(void)
{
    uint32_t at = 0, code;

    if (info()->variant == VARIANT_NO_OWNER)
        program_expect(vm_policy(CORE_POLICY_ZERO_PAGE_OF_NOBODY) == FL_ERROR_OK);
    program_expect(vm_map(&at, PAGES, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    tid_t child = vm_fork();
    if (child == 0) {
        read_then_write(at, 1);
        vm_exit(0);
    }
    program_expect(child != VM_NO_THREAD);
    read_then_write(at, 2);
    program_expect(vm_wait(child, &code) == FL_ERROR_OK && code == 0);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
