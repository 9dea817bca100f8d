/* Suspending a thread (Codezero, seed 004: "implemented reasonable way to suspend task"). The wish
 * may find it anywhere, so that it is looked for wherever the thread may stand: when it is asleep,
 * about to sleep, interrupted in user mode, at the end of a system call. Each variant leaves one
 * out.
 *
 * main suspends t1, looks at what it does, resumes it, and gives it what it waits for.
 */
#include "program.h"
#include "core.h"

enum { MAIN };
enum {
    VARIANT_NOT_ASLEEP,
    VARIANT_NOT_BEFORE_SLEEP,
    VARIANT_NOT_IN_USER,
    VARIANT_NOT_AT_END,
    VARIANT_ALL,
    VARIANT_ALL_ANYWHERE,
    VARIANTS
};
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), ROUNDS = 2 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_suspend",
    .summary = "a thread is suspended while it sleeps, is about to, runs, or is in a system call",
    .source = "Codezero, \"reasonable way to suspend task\" (seed 004)",
    .threads = "main, and its thread t1, which it suspends and resumes",
    .n_domains = 1,
    .domains = {[MAIN] = {.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(MAIN, 1), "t1"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_NOT_ASLEEP] =
                {
                    .id = "not_asleep",
                    .summary = "a sleep is not interrupted",
                    .expect = "never-half-suspended",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_NOT_BEFORE_SLEEP] =
                {
                    .id = "not_before_sleep",
                    .summary = "the wish comes right before the thread goes to sleep",
                    .expect = "never-half-suspended",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_NOT_IN_USER] =
                {
                    .id = "not_in_user",
                    .summary = "the wish comes when the thread is interrupted in user mode",
                    .expect = "never-half-suspended",
                    .depth = FL_DEPTH_ACCESS,
                    .bound = 1,
                },
            [VARIANT_NOT_AT_END] =
                {
                    .id = "not_at_end",
                    .summary = "the wish comes when the thread is in a system call",
                    .expect = "never-half-suspended",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_ALL] =
                {
                    .id = "fixed",
                    .summary = "it is looked for at all four",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 6,
                    .sees = FL_EVENT_SUSPENDED,
                },
            [VARIANT_ALL_ANYWHERE] =
                {
                    .id = "fixed_anywhere",
                    .summary = "the same, with interruptions in user mode",
                    .expect = "clean",
                    .depth = FL_DEPTH_ACCESS,
                    .bound = 6,
                    .sees = FL_EVENT_SUSPENDED,
                },
        },
};

static const uint32_t left_out[VARIANTS] = {
    [VARIANT_NOT_ASLEEP] = SYS_SUSPEND_ASLEEP,
    [VARIANT_NOT_BEFORE_SLEEP] = SYS_SUSPEND_BEFORE_SLEEP,
    [VARIANT_NOT_IN_USER] = SYS_SUSPEND_IN_USER,
    [VARIANT_NOT_AT_END] = SYS_SUSPEND_AT_END,
};

static volatile uint32_t steps; /* of t1 */
static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

/* Sleeps until main has sent something. */
static void wait_for_main(void)
{
    struct msg msg;
    tid_t from;
    uint32_t status;

    do {
        from = sys_utcb()->parent;
        msg = (struct msg){0};
        status = sys_receive(&from, &msg);
    } while (status == FL_ERROR_INTERRUPTED);
    program_expect(status == FL_ERROR_OK);
}

static void work(void)
{
    for (uint32_t round = 0; round < ROUNDS; round++) {
        steps++;
        wait_for_main();
    }
    steps++;
    sys_thread_exit(0);
}

/* Refused when it has ended. */
static void suspend_and_look(tid_t thread)
{
    uint32_t status = sys_thread_suspend(thread, SYS_SUSPEND_ALL & ~left_out[info()->variant]);

    if (status == FL_ERROR_OK) {
        uint32_t before = steps;
        sys_yield();
        program_expect(steps == before && sys_thread_resume(thread) == FL_ERROR_OK);
    } else {
        program_expect(status == FL_ERROR_NO_THREAD || status == FL_ERROR_PARTNER_GONE);
    }
}

static void main_main(void)
{
    struct msg msg = {.label = FL_LABEL_USER};
    tid_t thread;

    program_expect(core_thread_create((uint32_t)(uintptr_t)work,
                                      (uint32_t)(uintptr_t)(stack + STACK_WORDS), 0,
                                      &thread) == FL_ERROR_OK);
    sys_yield();
    for (uint32_t round = 0; round < ROUNDS; round++) {
        suspend_and_look(thread);
        program_expect(sys_send(thread, &msg) == FL_ERROR_OK);
    }
    suspend_and_look(thread);
    sys_thread_join(thread);
    program_expect(steps == ROUNDS + 1);
}

const struct program program = {.main = {[MAIN] = main_main}};
