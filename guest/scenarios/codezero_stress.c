/* All that tasks do, at once: for random plans and audits (Codezero, seed 004: "fork/exit now seems
 * to work stably i.e. no negative shadow counts etc.").
 *
 * In each round main forks tasks, each of which forks one of its own. All write to private pages
 * that they began with, to pages of their own, and to shared memory; all end at their own time.
 */
#include "program.h"
#include "vm.h"

enum { PARAM_TASKS, PARAM_PAGES, PARAM_ROUNDS };
enum { VARIANT_PLAIN, VARIANTS };
enum { KEY = 1, MAX_TASKS = 3, SELF = 0x700000 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_stress",
    .summary = "tasks fork tasks; all write private and shared pages, map, unmap, and exit",
    .source = "Codezero's commit log, mm0: fork and exit (seed 004)",
    .threads = "main; in each round main.N, forked by main, and main.N.1, forked by that",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_params = 3,
    .params =
        {
            [PARAM_TASKS] = {"tasks", "that main forks in a round", 2, 1, MAX_TASKS, 0},
            [PARAM_PAGES] = {"pages", "private ones that main has written before a fork", 3, 2, 64,
                             0},
            [PARAM_ROUNDS] = {"rounds", "after each of which all have ended", 1, 1, 3, 0},
        },
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_PLAIN] =
                {
                    .id = "plain",
                    .summary = "everything as it should be",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
        },
};

static void write_and_expect(volatile uint32_t *there, uint32_t value)
{
    *there = value;
    sys_yield();
    if (*there != value)
        program_raise(FL_ERROR_WRONG_CONTENT, (uint32_t)(uintptr_t)there);
}

static uint32_t map_anonymous(uint32_t pages)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, pages, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    return at;
}

/* A page that all had and one of its own; the middle of what it maps goes again. */
static void work(uint32_t inherited, uint32_t shared, uint32_t self)
{
    uint32_t own = map_anonymous(3);

    *vm_word(own, 1) = self;
    write_and_expect(vm_word(own, 2), self);
    program_expect(vm_unmap(own + FL_PAGE_SIZE, 1) == FL_ERROR_OK);
    write_and_expect(vm_word(inherited, 0), self);
    write_and_expect(vm_word(shared, 0) + self % 64, self);
    if (*vm_word(own, 2) != self || *vm_word(inherited, 1) != 1)
        program_raise(FL_ERROR_WRONG_CONTENT, own);
}

static _Noreturn void grandchild(uint32_t inherited, uint32_t shared, uint32_t self)
{
    work(inherited, shared, self);
    vm_exit(self);
}

/* Sees its own child end before it does. */
static _Noreturn void child(uint32_t inherited, uint32_t shared, uint32_t index)
{
    uint32_t self = SELF + 2 * index, code;
    tid_t task = vm_fork();

    if (task == 0)
        grandchild(inherited, shared, self + 1);
    program_expect(task != VM_NO_THREAD);
    work(inherited, shared, self);
    program_expect(vm_wait(task, &code) == FL_ERROR_OK && code == self + 1);
    vm_exit(self);
}

static void one_round(uint32_t inherited, uint32_t shared)
{
    const uint32_t count = info()->params[PARAM_TASKS];
    tid_t tasks[MAX_TASKS];
    uint32_t code;

    for (uint32_t i = 0; i < count; i++) {
        tasks[i] = vm_fork();
        if (tasks[i] == 0)
            child(inherited, shared, i);
        program_expect(tasks[i] != VM_NO_THREAD);
        *vm_word(inherited, 0) = i;
    }
    for (uint32_t i = 0; i < count; i++)
        program_expect(vm_wait(tasks[i], &code) == FL_ERROR_OK && code == SELF + 2 * i);
    program_expect(*vm_word(inherited, 0) == count - 1);
    for (uint32_t i = 0; i < 2 * count; i++)
        program_expect(vm_word(shared, 0)[(SELF + i) % 64] == SELF + i);
}

static void main_main(void)
{
    uint32_t inherited = map_anonymous(info()->params[PARAM_PAGES]), shared;

    for (uint32_t page = 0; page < info()->params[PARAM_PAGES]; page++)
        *vm_word(inherited, page) = page;
    program_expect(vm_shm_attach(KEY, 1, &shared) == FL_ERROR_OK);
    for (uint32_t round = 0; round < info()->params[PARAM_ROUNDS]; round++)
        one_round(inherited, shared);
    vm_exit(0);
}

const struct program program = {.main = {main_main}};
