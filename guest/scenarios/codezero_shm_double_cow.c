/* Anonymous shared pages are copied once, whoever comes first; who comes later maps the copy
 * (Codezero, seed 004: "every ANON && SHARED write fault was going into the COW path, causing the
 * same offset'ed page to be COW'ed twice"). Behind the shared memory lies devzero.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_COPIED_EACH, VARIANTS };
enum { CHILDREN = 2, MARK = 0xd000 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_shm_double_cow",
    .summary = "three tasks share anonymous pages: what one writes, all read",
    .source = "Codezero's commit log, mm0 (seed 004)",
    .threads = "main, and two forked tasks, main.1 and main.2",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 2,
    .named = {{FL_PATH_CHILD2(0, 1), "first"}, {FL_PATH_CHILD2(0, 2), "second"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "copied from devzero by the first writer, then mapped by all",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_COPIED_EACH] =
                {
                    .id = "copied_each",
                    .summary = "copied for each sharer that writes",
                    .expect = "vm-page-owned-once",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

/* Page 0 all write to, each to a word of its own; page 1 is read before anybody writes to it. */
static _Noreturn void child(uint32_t at, uint32_t index)
{
    vm_word(at, 0)[1 + index] = MARK + index;
    if (index == 0)
        *vm_word(at, 1) = MARK;
    vm_exit(index);
}

static void main_main(void)
{
    tid_t children[CHILDREN];
    uint32_t at = 0, code;

    if (info()->variant == VARIANT_COPIED_EACH)
        program_expect(vm_policy(CORE_POLICY_COPY_FOR_EACH_SHARER) == FL_ERROR_OK);
    program_expect(vm_map(&at, 2, FL_RIGHTS_RW | VM_MAP_SHARED | VM_MAP_ANONYMOUS, 0, 0) ==
                   FL_ERROR_OK);
    vm_expect_word(vm_word(at, 1), 0);
    for (uint32_t i = 0; i < CHILDREN; i++) {
        children[i] = vm_fork();
        if (children[i] == 0)
            child(at, i);
        program_expect(children[i] != VM_NO_THREAD);
    }
    *vm_word(at, 0) = MARK + CHILDREN;
    for (uint32_t i = 0; i < CHILDREN; i++)
        program_expect(vm_wait(children[i], &code) == FL_ERROR_OK && code == i);
    vm_expect_word(vm_word(at, 0), MARK + CHILDREN);
    for (uint32_t i = 0; i < CHILDREN; i++)
        vm_expect_word(vm_word(at, 0) + 1 + i, MARK + i);
    vm_expect_word(vm_word(at, 1), MARK);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
