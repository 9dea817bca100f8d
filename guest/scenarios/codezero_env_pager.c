/* The environment page (Codezero, seed 004): "environment is backed by a special per-task file ...
 * filled in by the env pager, by simple copying of env data into the faulty page upon a fault".
 *
 * env is that pager: of the threads of two tasks, at one address in both. Each thread reads the
 * environment and changes a word of it that is its own.
 */
#include "program.h"
#include "core.h"
#include "vm.h"

enum { ENV, ONE, TWO };
enum { VARIANT_ONE_FILE, VARIANT_LENT_FIRST, VARIANT_FILLED_AGAIN, VARIANT_FIXED, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), THREADS = 2, TASKS = 2, NAME = 0x4e56 };

#define ENVIRONMENT (FL_ATTACH_BASE + 0x100000u)
/* Where env has the pages of all tasks. */
#define FILES (FL_ATTACH_BASE + 0x200000u)

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_env_pager",
    .summary = "the environment of a task is filled in by a pager when it faults",
    .source = "Codezero, the env pager (seed 004)",
    .threads = "env, a pager; one and two, tasks, with two threads each",
    .n_domains = 3,
    .domains =
        {[ENV] = {.name = "env", .server = 1}, [ONE] = {.name = "one"}, [TWO] = {.name = "two"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_ONE_FILE] =
                {
                    .id = "one_file",
                    .summary = "one file for all tasks: a task sees another's environment",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_LENT_FIRST] =
                {
                    .id = "lent_first",
                    .summary = "mapped, then filled: who needs no fault any more reads zeros",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_FILLED_AGAIN] =
                {
                    .id = "filled_again",
                    .summary = "every fault fills the page: what was changed is lost",
                    .expect = "outcome-as-declared",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_FIXED] =
                {
                    .id = "fixed",
                    .summary = "a file a task, filled once, before it is mapped",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                },
        },
};

/* What a task is told by its environment. */
struct environment {
    uint32_t name;             /* of the task */
    uint32_t changed[THREADS]; /* by its threads; at first the name, too */
};

static uint32_t name_of(uint32_t domain)
{
    return NAME + domain;
}

/* ---- The pager ---- */

/* The domain's file, as env has it mapped. */
static uint32_t file_of(uint32_t domain)
{
    return FILES + (info()->variant == VARIANT_ONE_FILE ? 0 : domain - ONE) * FL_PAGE_SIZE;
}

static void fill(uint32_t file, uint32_t domain)
{
    volatile struct environment *environment = (struct environment *)(uintptr_t)file;

    for (uint32_t i = 0; i < THREADS; i++)
        environment->changed[i] = name_of(domain);
    environment->name = name_of(domain);
}

static bool is_filled(uint32_t file)
{
    return ((volatile const struct environment *)(uintptr_t)file)->name != 0;
}

static void lend(tid_t faulter, uint32_t file)
{
    uint32_t status = core_page_lend(faulter, ENVIRONMENT, file, FL_RIGHTS_RW);
    /* a conflict: the page was lent to another thread of that task meanwhile */
    program_expect(status == FL_ERROR_OK || status == FL_ERROR_REGION_CONFLICT);
}

static void serve_fault(tid_t faulter, uint32_t domain)
{
    uint32_t file = file_of(domain);
    bool fills = !is_filled(file) || info()->variant == VARIANT_FILLED_AGAIN;

    if (info()->variant == VARIANT_LENT_FIRST)
        lend(faulter, file);
    if (fills)
        fill(file, domain);
    if (info()->variant != VARIANT_LENT_FIRST)
        lend(faulter, file);
}

static void env_main(void)
{
    core_handle_t memory;
    struct msg msg = {0};
    tid_t faulter = 0;

    program_expect(core_ram_alloc(TASKS * FL_PAGE_SIZE, &memory) == FL_ERROR_OK &&
                   core_attach_at(CORE_MAP_SPACE, memory, FILES, 0, FL_RIGHTS_RW) == FL_ERROR_OK);
    for (;;) {
        program_expect(sys_reply_wait(&faulter, &msg) == FL_ERROR_OK &&
                       msg.label == FL_LABEL_FAULT &&
                       (msg.w[0] & ~(FL_PAGE_SIZE - 1)) == ENVIRONMENT);
        serve_fault(faulter, SYS_FAULT_SPACE(msg.w[3]) - FL_SPACE_DOMAIN(0));
    }
}

/* ---- Tasks ---- */

static struct environment *const environment = (struct environment *)ENVIRONMENT;
static uint32_t stacks[THREADS][STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static void use_environment(uint32_t self)
{
    uint32_t name = name_of(info()->domain);

    vm_expect_word(&environment->name, name);
    vm_expect_word(&environment->changed[self], name);
    *(volatile uint32_t *)&environment->changed[self] = name + self + 1;
    sys_thread_exit(0);
}

static void task_main(void)
{
    tid_t threads[THREADS];

    program_expect(core_pager_set(program_thread(ENV)) == FL_ERROR_OK);
    for (uint32_t i = 0; i < THREADS; i++)
        program_expect(core_thread_create((uint32_t)(uintptr_t)use_environment,
                                          (uint32_t)(uintptr_t)(stacks[i] + STACK_WORDS), i,
                                          &threads[i]) == FL_ERROR_OK);
    for (uint32_t i = 0; i < THREADS; i++)
        sys_thread_join(threads[i]);
    for (uint32_t i = 0; i < THREADS; i++)
        vm_expect_word(&environment->changed[i], name_of(info()->domain) + i + 1);
}

const struct program program = {.main = {[ENV] = env_main, [ONE] = task_main, [TWO] = task_main}};
