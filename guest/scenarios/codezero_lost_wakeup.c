/* A wake-up that nobody gets (Codezero 7fb923c; "sleeping paths", seed 004). main sees that there
 * is nothing to do yet and is about to sleep; meanwhile t1 brings it and wakes whoever sleeps:
 * nobody does. */
#include "program.h"
#include "vm.h"
#include "wait_server.h"

enum { WAITS, MAIN };
enum { VARIANT_LOOKED, VARIANT_LOOKED_TWICE, VARIANT_REGISTERED, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), QUEUE = 1, ITEM = 0x17e3 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_lost_wakeup",
    .summary = "a thread is woken between its look and its sleep",
    .source = "Codezero 7fb923c, a lost wake-up; sleeping paths (seed 004)",
    .threads =
        "waits, a server with wait queues; main, which waits for what t1, its thread, brings",
    .n_domains = 2,
    .domains = {[WAITS] = {.name = "waits", .server = 1}, [MAIN] = {.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(MAIN, 1), "t1"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_LOOKED] =
                {
                    .id = "looked",
                    .summary = "looks, then sleeps",
                    .expect = "wakeup-not-lost",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_LOOKED_TWICE] =
                {
                    .id = "looked_twice",
                    .summary = "looks again before it sleeps: less likely, and no better",
                    .expect = "wakeup-not-lost",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_REGISTERED] =
                {
                    .id = "registered",
                    .summary = "is in the queue before it looks",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_MARK_DEED,
                },
        },
};

static volatile uint32_t item;
static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static bool is_there(void)
{
    wait_looks(QUEUE);
    return item != 0;
}

static void wait_looked(void)
{
    while (!is_there())
        wait_call(WAITS, WAIT_LABEL_SLEEP, QUEUE, 0);
}

static void wait_looked_twice(void)
{
    while (!is_there() && !is_there())
        wait_call(WAITS, WAIT_LABEL_SLEEP, QUEUE, 0);
}

static void wait_registered(void)
{
    for (;;) {
        wait_call(WAITS, WAIT_LABEL_PREPARE, QUEUE, WAIT_ON_SLEEP);
        if (is_there())
            break;
        wait_call(WAITS, WAIT_LABEL_SLEEP, QUEUE, 0);
    }
    wait_call(WAITS, WAIT_LABEL_CANCEL, QUEUE, 0);
}

static void (*const waits[VARIANTS])(void) = {
    [VARIANT_LOOKED] = wait_looked,
    [VARIANT_LOOKED_TWICE] = wait_looked_twice,
    [VARIANT_REGISTERED] = wait_registered,
};

static void bring(void *arg)
{
    (void)arg;
    item = ITEM;
    wait_call(WAITS, WAIT_LABEL_WAKE, QUEUE, 0);
    vm_exit(0);
}

static void main_main(void)
{
    uint32_t code;
    tid_t other;

    program_expect(vm_clone(bring, (uint32_t)(uintptr_t)(stack + STACK_WORDS), NULL,
                            VM_CLONE_SPACE | VM_CLONE_FILES, &other) == FL_ERROR_OK);
    waits[info()->variant]();
    vm_expect_word(&item, ITEM);
    program_expect(vm_wait(other, &code) == FL_ERROR_OK);
    vm_exit(0);
}

const struct program program = {.main = {[WAITS] = wait_server_main, [MAIN] = main_main}};
