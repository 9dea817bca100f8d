/* Fork and exit for their own sake: tasks that fork tasks, write, and exit in whatever order the
 * schedule has. Meant for random plans in mode audit: many shapes of chains, every count of them.
 */
#include "info.h"
#include "program.h"
#include "vm.h"

#define PAGES    3u
#define BASE     0x100u
#define MAX_FORK 4u

enum { PARAM_CHILDREN };

SCENARIO_TABLE const struct fl_scenario core_fork_stress = {
    .id = "core_fork_stress",
    .summary = "tasks that fork tasks, write, and exit in any order",
    .source = "Codezero's commit log: fork/exit now seems to work stably (seed 004)",
    .threads =
        "main, its forked tasks main.1, main.2 ..., and a task forked by every second of them",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_params = 1,
    .params = {[PARAM_CHILDREN] = {.id = "children",
                                   .summary = "tasks that main forks",
                                   .preset = 3,
                                   .min = 1,
                                   .max = MAX_FORK}},
    .n_variants = 1,
    .variants = {{
        .id = "fixed",
        .summary = "everybody sees what he wrote, or his parent before the fork",
        .expect = "clean",
        .depth = FL_DEPTH_IPC,
        .bound = 1,
    }},
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

static tid_t fork_or_end(void)
{
    tid_t child = vm_fork();

    program_expect(child != VM_NO_THREAD);
    return child;
}

static _Noreturn void grandchild(uint32_t seen)
{
    expect_word(0, seen);
    *word(0) = 1;
    *word(2) = 2;
    expect_word(0, 1);
    vm_exit(0);
}

static _Noreturn void child(uint32_t index)
{
    uint32_t page = 1 + index % 2, code;

    expect_word(0, BASE + index);
    *word(page) = index;
    if (index % 2) {
        tid_t other = fork_or_end();
        if (other == 0)
            grandchild(BASE + index);
        *word(0) = index;
        program_expect(vm_wait(other, &code) == FL_ERROR_OK);
        expect_word(0, index);
    }
    expect_word(page, index);
    vm_exit(index);
}

static void main_main(void)
{
    tid_t children[MAX_FORK];
    uint32_t at = 0, code;
    uint32_t count = info()->params[PARAM_CHILDREN];

    program_expect(vm_map(&at, PAGES, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    pages = (volatile uint32_t *)at;
    *word(0) = BASE;
    for (uint32_t i = 0; i < count; i++) {
        children[i] = fork_or_end();
        if (children[i] == 0)
            child(i);
        *word(0) = BASE + i + 1;
    }
    for (uint32_t i = 0; i < count; i++)
        program_expect(vm_wait(children[i], &code) == FL_ERROR_OK && code == i);
    expect_word(0, BASE + count);
    expect_word(1, 0);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
