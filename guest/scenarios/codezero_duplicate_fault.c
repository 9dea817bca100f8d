/* Threads of one task that fault on one page (Codezero, seed 004): "threads may become runnable
 * during the handling of the first fault. This causes duplicate faults on the same private page",
 * and there "a spurious page allocation". What the first of them wrote to its page is lost then.
 */
#include "file_server.h"
#include "program.h"
#include "vm.h"

enum { FILES, MAIN };
enum { VARIANT_UNDETECTED, VARIANT_CHECKED_LATE, VARIANT_GENERIC, VARIANTS };
enum { PARAM_KIND, PARAM_THREADS };
enum { KIND_WRITE, KIND_READ_WRITE, KIND_COW, KIND_EXEC, KINDS };
enum { MAX_FAULTERS = 3, STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), VALUE = 0xd000 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_duplicate_fault",
    .summary = "two or three threads of one task fault on one page at once",
    .source = "Codezero's commit log, mm0: duplicate faults (seed 004)",
    .threads = "files, a server; main, and threads of its task; after a fork the child before them",
    .n_domains = 2,
    .domains = {[FILES] = {.name = "files", .server = 1}, [MAIN] = {.name = "main"}},
    .n_params = 2,
    .params = {[PARAM_KIND] = {.id = "kind",
                               .summary = "0 write, 1 read then write, 2 write after a fork, 3 "
                                          "instruction fetch",
                               .preset = KIND_WRITE,
                               .min = 0,
                               .max = KINDS - 1},
               [PARAM_THREADS] = {.id = "threads",
                                  .summary = "that fault, main among them",
                                  .preset = 2,
                                  .min = 2,
                                  .max = MAX_FAULTERS}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_UNDETECTED] =
                {
                    .id = "undetected",
                    .summary = "each fault gets a page of its own",
                    .expect = "duplicate-fault-harmless",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_CHECKED_LATE] =
                {
                    .id = "checked_late",
                    .summary = "a page is taken for each, and given back when there is one already",
                    .expect = "duplicate-fault-harmless",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_GENERIC] =
                {
                    .id = "generic",
                    .summary = "what is mapped or on its way is known before anything is done",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_FAULT_DUPLICATE,
                },
        },
};

static const uint32_t policies[VARIANTS] = {
    [VARIANT_UNDETECTED] = CORE_POLICY_DUPLICATES_UNSEEN,
    [VARIANT_CHECKED_LATE] = CORE_POLICY_DUPLICATES_LATE,
};

static volatile uint32_t *page;
static tid_t forked;
/* A page each, so that none of them is where two fault. */
static uint32_t stacks[MAX_FAULTERS][STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

/* ---- What each of them does ---- */

static void write_own_word(uint32_t who)
{
    page[who] = VALUE + who;
}

static void read_then_write(uint32_t who)
{
    program_expect(page[who] == 0);
    page[who] = VALUE + who;
}

static void execute(uint32_t who)
{
    (void)who;
    program_expect(((uint32_t(*)(void))(uintptr_t)page)() == FILE_CODE_RESULT);
}

/* ---- What comes before, and must hold in the end ---- */

static void map_anonymous(void)
{
    uint32_t at = 0;

    program_expect(vm_map(&at, 1, FL_RIGHTS_RW | VM_MAP_ANONYMOUS, 0, 0) == FL_ERROR_OK);
    page = vm_word(at, 0);
}

/* The page is there, and may not be written as long as a child is shown it. */
static void map_and_fork(void)
{
    map_anonymous();
    page[MAX_FAULTERS] = VALUE;
    tid_t child = vm_fork();
    if (child == 0) {
        tid_t parent = sys_utcb()->parent;
        struct msg msg = {0};
        program_expect(sys_receive(&parent, &msg) == FL_ERROR_OK);
        vm_expect_word(&page[MAX_FAULTERS], VALUE);
        vm_exit(0);
    }
    program_expect(child != VM_NO_THREAD);
    forked = child;
}

static void map_code(void)
{
    uint32_t at = 0, descriptor, size;

    program_expect(file_open("/one/code", &descriptor, &size) == FL_ERROR_OK &&
                   vm_map(&at, 1, FL_RIGHTS_RX, descriptor, 0) == FL_ERROR_OK);
    page = vm_word(at, 0);
}

static void expect_words(uint32_t threads)
{
    for (uint32_t who = 0; who < threads; who++)
        vm_expect_word(&page[who], VALUE + who);
}

static void expect_words_and_first(uint32_t threads)
{
    struct msg msg = {.label = FL_LABEL_USER};
    uint32_t code;

    expect_words(threads);
    vm_expect_word(&page[MAX_FAULTERS], VALUE);
    program_expect(sys_send(forked, &msg) == FL_ERROR_OK && vm_wait(forked, &code) == FL_ERROR_OK);
}

static void expect_nothing(uint32_t threads)
{
    (void)threads;
}

static const struct {
    void (*prepare)(void);
    void (*touch)(uint32_t who);
    void (*look)(uint32_t threads);
} kinds[KINDS] = {
    [KIND_WRITE] = {map_anonymous, write_own_word, expect_words},
    [KIND_READ_WRITE] = {map_anonymous, read_then_write, expect_words},
    [KIND_COW] = {map_and_fork, write_own_word, expect_words_and_first},
    [KIND_EXEC] = {map_code, execute, expect_nothing},
};

static void faulter(void *who)
{
    kinds[info()->params[PARAM_KIND]].touch((uint32_t)(uintptr_t)who);
    vm_exit(0);
}

static void main_main(void)
{
    uint32_t kind = info()->params[PARAM_KIND], threads = info()->params[PARAM_THREADS], code;
    tid_t others[MAX_FAULTERS];

    if (info()->variant != VARIANT_GENERIC)
        program_expect(vm_policy(policies[info()->variant]) == FL_ERROR_OK);
    kinds[kind].prepare();
    for (uint32_t who = 1; who < threads; who++)
        program_expect(vm_clone(faulter, (uint32_t)(uintptr_t)(stacks[who] + STACK_WORDS),
                                (void *)(uintptr_t)who, VM_CLONE_SPACE | VM_CLONE_FILES,
                                &others[who]) == FL_ERROR_OK);
    kinds[kind].touch(0);
    for (uint32_t who = 1; who < threads; who++)
        program_expect(vm_wait(others[who], &code) == FL_ERROR_OK);
    kinds[kind].look(threads);
    vm_exit(0);
}

const struct program program = {.main = {[FILES] = file_server_main, [MAIN] = main_main}};
