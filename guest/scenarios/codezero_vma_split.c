/* munmap in the middle: two areas where one was, both with its objects (Codezero, seed 004: "when
 * sys_munmap() splits a vma, the new vma had no copy of the objects in the original vma").
 *
 * While main takes the middle out, a thread of the same task and a forked task look at the rear.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_FIXED, VARIANT_NO_OBJECTS, VARIANTS };
enum { PAGES = 4, FROM = 1, COUNT = 2, VALUE = 0xe000, STACK_PAGES = 1 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_vma_split",
    .summary = "the middle of an area is unmapped while a thread and a forked task use its rear",
    .source = "Codezero's commit log, mm0 (seed 004)",
    .threads = "main, a forked task main.1, and main.2, a thread of the task of main",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 2,
    .named = {{FL_PATH_CHILD2(0, 1), "forked"}, {FL_PATH_CHILD2(0, 2), "thread"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "the rear of the split area has the objects of the whole",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
            [VARIANT_NO_OBJECTS] =
                {
                    .id = "no_objects",
                    .summary = "the rear has none",
                    .expect = "vm-right-page",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
        },
};

static uint32_t area;

/* The last page, which main has written; the thread writes, the forked task only reads. */
static _Noreturn void forked(void)
{
    vm_expect_word(vm_word(area, PAGES - 1), VALUE + PAGES - 1);
    vm_exit(1);
}

static void thread(void *arg)
{
    (void)arg;
    vm_expect_word(vm_word(area, PAGES - 1), VALUE + PAGES - 1);
    vm_word(area, PAGES - 1)[1] = VALUE;
    vm_exit(2);
}

static uint32_t map_anonymous(uint32_t pages)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, pages, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    return at;
}

static void main_main(void)
{
    uint32_t stack = map_anonymous(STACK_PAGES) + STACK_PAGES * FL_PAGE_SIZE, code;
    tid_t tasks[2];

    if (info()->variant == VARIANT_NO_OBJECTS)
        program_expect(vm_policy(CORE_POLICY_SPLIT_WITHOUT_OBJECTS) == FL_ERROR_OK);
    area = map_anonymous(PAGES);
    *vm_word(area, 0) = VALUE;
    *vm_word(area, PAGES - 1) = VALUE + PAGES - 1;
    tasks[0] = vm_fork();
    if (tasks[0] == 0)
        forked();
    program_expect(tasks[0] != VM_NO_THREAD);
    program_expect(vm_clone(thread, stack, NULL, VM_CLONE_SPACE | VM_CLONE_FILES, &tasks[1]) ==
                   FL_ERROR_OK);
    program_expect(vm_unmap(area + FROM * FL_PAGE_SIZE, COUNT) == FL_ERROR_OK);
    for (uint32_t i = 0; i < 2; i++)
        program_expect(vm_wait(tasks[i], &code) == FL_ERROR_OK && code == i + 1);
    vm_expect_word(vm_word(area, 0), VALUE);
    vm_expect_word(vm_word(area, PAGES - 1), VALUE + PAGES - 1);
    vm_expect_word(vm_word(area, PAGES - 1) + 1, VALUE);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
