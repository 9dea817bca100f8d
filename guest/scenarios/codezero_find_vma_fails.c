/* A fault outside of every area (Codezero, seed 004). Codezero's pager said "Hmm. No vma for faulty
 * region. Bad things will happen." and went on with an area that is NULL; nobody resolved the
 * fault, and the thread was answered all the same.
 *
 * One thread strays off the end of an area, one into a hole that was mapped a moment ago, a forked
 * task to address 0. Each is put on halt, and everybody else goes on.
 */
#include "program.h"
#include "vm.h"

enum { VARIANT_HALTED, VARIANT_NO_AREA, VARIANT_ANSWERED, VARIANTS };
enum { THREADS = 2, PAGES = 3, HOLE = 1, VALUE = 0x6000 };

#define FORKED FL_PATH_CHILD2(0, 1)
#define BEYOND FL_PATH_CHILD2(0, 2)
#define INSIDE FL_PATH_CHILD2(0, 3)

#define HALTED_THREADS                                                                             \
    .n_halts = 3, .halts = {{FORKED, FL_HALT_UNRESOLVED_FAULT},                                    \
                            {BEYOND, FL_HALT_UNRESOLVED_FAULT},                                    \
                            {INSIDE, FL_HALT_UNRESOLVED_FAULT}}

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_find_vma_fails",
    .summary = "threads fault where there is no area: off the end of one, in a hole, at address 0",
    .source = "Codezero mm0, page_fault_handler: find_vma finds nothing (seed 004)",
    .threads = "main; forked, a task; beyond and inside, threads of the task of main",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_named = 3,
    .named = {{FORKED, "forked"}, {BEYOND, "beyond"}, {INSIDE, "inside"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_HALTED] =
                {
                    .id = "halted",
                    .summary = "the fault is reported and its thread halted; all others go on",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    HALTED_THREADS,
                },
            [VARIANT_NO_AREA] =
                {
                    .id = "no_area",
                    .summary = "as it was: the pager goes on with no area, and faults itself",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_ANSWERED] =
                {
                    .id = "answered",
                    .summary = "the thread is answered with nothing resolved, and faults again",
                    .expect = "fault-resolved-before-resume",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                    HALTED_THREADS,
                },
        },
};

static const uint32_t policies[VARIANTS] = {
    [VARIANT_NO_AREA] = CORE_POLICY_GOES_ON_WITHOUT_AREA,
    [VARIANT_ANSWERED] = CORE_POLICY_ANSWERED_ALL_THE_SAME,
};

static uint32_t area; /* of main: PAGES, of which one is taken out */

/* Comes back only if there is something. */
static _Noreturn void stray(uint32_t address)
{
    *vm_word(address, 0) = VALUE;
    program_raise(FL_ERROR_INVALID, address);
}

static void beyond(void *unused)
{
    (void)unused;
    stray(area + PAGES * FL_PAGE_SIZE);
}

/* The page was there, and it was this thread that wrote to it. */
static void inside(void *unused)
{
    uint32_t hole = area + HOLE * FL_PAGE_SIZE;

    (void)unused;
    *vm_word(hole, 0) = VALUE;
    program_expect(vm_unmap(hole, 1) == FL_ERROR_OK);
    stray(hole);
}

static uint32_t map_anonymous(uint32_t pages)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, pages, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    return at;
}

static tid_t start(void (*entry)(void *), uint32_t stack)
{
    tid_t thread;

    program_expect(vm_clone(entry, stack + FL_PAGE_SIZE, NULL, VM_CLONE_SPACE | VM_CLONE_FILES,
                            &thread) == FL_ERROR_OK);
    return thread;
}

/* What a halted thread had is given back when it is waited for. */
static void finish(tid_t thread)
{
    uint32_t code;

    program_expect(vm_wait(thread, &code) == FL_ERROR_OK && code == FL_ERROR_PARTNER_GONE);
}

static void main_main(void)
{
    if (info()->variant != VARIANT_HALTED)
        program_expect(vm_policy(policies[info()->variant]) == FL_ERROR_OK);
    uint32_t stacks = map_anonymous(THREADS); /* first: nothing comes to lie behind the area */

    area = map_anonymous(PAGES);
    *vm_word(area, 0) = VALUE;
    tid_t forked = vm_fork();
    if (forked == 0)
        stray(0);
    program_expect(forked != VM_NO_THREAD);
    tid_t first = start(beyond, stacks), other = start(inside, stacks + FL_PAGE_SIZE);
    *vm_word(area, PAGES - 1) = VALUE;
    finish(forked);
    finish(first);
    finish(other);
    vm_expect_word(vm_word(area, 0), VALUE);
    vm_expect_word(vm_word(area, PAGES - 1), VALUE);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
