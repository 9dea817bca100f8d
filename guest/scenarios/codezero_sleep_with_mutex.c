/* A thread that sleeps with a mutex (Codezero, seed 004: "a task is atomically put into a runqueue
 * and made RUNNABLE, or removed from a runqueue and made SLEEPING"). main waits for an item under a
 * mutex that t1 needs to bring one. In Codezero a thread got ready to sleep, which took it off the
 * run queue, and gave up the mutex then: preempted in between it never came to that (7ef4797).
 */
#include "program.h"
#include "vm.h"
#include "wait_server.h"

enum { WAITS, MAIN };
enum { VARIANT_OFF_AT_ONCE, VARIANT_UNLOCK_FIRST, VARIANT_UNLOCK_LAST, VARIANT_PREPARED, VARIANTS };
enum { STACK_WORDS = FL_PAGE_SIZE / sizeof(uint32_t), QUEUE = 1, MUTEX = 2 };

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "codezero_sleep_with_mutex",
    .summary = "a thread that gives up a mutex and sleeps is preempted in between",
    .source = "Codezero 7ef4797, wait_on_prepare (seed 004)",
    .threads = "waits, a server with wait queues and mutexes; main, which takes what t1 brings",
    .n_domains = 2,
    .domains = {[WAITS] = {.name = "waits", .server = 1}, [MAIN] = {.name = "main"}},
    .n_named = 1,
    .named = {{FL_PATH_CHILD2(MAIN, 1), "t1"}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_OFF_AT_ONCE] =
                {
                    .id = "off_at_once",
                    .summary = "gets ready, which takes it off the run queue; unlocks; sleeps",
                    .expect = "sleeper-holds-no-mutex",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_UNLOCK_FIRST] =
                {
                    .id = "unlock_first",
                    .summary = "unlocks, and is in no queue until it sleeps",
                    .expect = "wakeup-not-lost",
                    .depth = FL_DEPTH_IPC,
                    .bound = 1,
                },
            [VARIANT_UNLOCK_LAST] =
                {
                    .id = "unlock_last",
                    .summary = "sleeps, and unlocks once it is awake",
                    .expect = "sleeper-holds-no-mutex",
                    .depth = FL_DEPTH_IPC,
                    .bound = 0,
                },
            [VARIANT_PREPARED] =
                {
                    .id = "prepared",
                    .summary = "gets into the queue and runs on; unlocks; sleeps, if not woken yet",
                    .expect = "clean",
                    .depth = FL_DEPTH_IPC,
                    .bound = 2,
                    .sees = FL_EVENT_MARK_DEED,
                },
        },
};

static volatile uint32_t items;
static uint32_t stack[STACK_WORDS] __attribute__((aligned(FL_PAGE_SIZE)));

static void off_at_once(void)
{
    wait_call(WAITS, WAIT_LABEL_PREPARE, QUEUE, WAIT_AT_ONCE);
    wait_call(WAITS, WAIT_LABEL_UNLOCK, MUTEX, 0);
    wait_call(WAITS, WAIT_LABEL_SLEEP, QUEUE, 0);
}

static void unlock_first(void)
{
    wait_call(WAITS, WAIT_LABEL_UNLOCK, MUTEX, 0);
    wait_call(WAITS, WAIT_LABEL_SLEEP, QUEUE, 0);
}

static void unlock_last(void)
{
    wait_call(WAITS, WAIT_LABEL_SLEEP, QUEUE, 0);
    wait_call(WAITS, WAIT_LABEL_UNLOCK, MUTEX, 0);
}

static void prepared(void)
{
    wait_call(WAITS, WAIT_LABEL_PREPARE, QUEUE, WAIT_ON_SLEEP);
    wait_call(WAITS, WAIT_LABEL_UNLOCK, MUTEX, 0);
    wait_call(WAITS, WAIT_LABEL_SLEEP, QUEUE, 0);
}

/* Gives the mutex up, and waits until the queue is woken. */
static void (*const waits[VARIANTS])(void) = {
    [VARIANT_OFF_AT_ONCE] = off_at_once,
    [VARIANT_UNLOCK_FIRST] = unlock_first,
    [VARIANT_UNLOCK_LAST] = unlock_last,
    [VARIANT_PREPARED] = prepared,
};

static void bring(void *arg)
{
    (void)arg;
    wait_call(WAITS, WAIT_LABEL_LOCK, MUTEX, 0);
    items++;
    wait_call(WAITS, WAIT_LABEL_WAKE, QUEUE, 0);
    wait_call(WAITS, WAIT_LABEL_UNLOCK, MUTEX, 0);
    vm_exit(0);
}

static void take(void)
{
    wait_call(WAITS, WAIT_LABEL_LOCK, MUTEX, 0);
    for (;;) {
        wait_looks(QUEUE);
        if (items > 0)
            break;
        waits[info()->variant]();
        wait_call(WAITS, WAIT_LABEL_LOCK, MUTEX, 0);
    }
    items--;
    wait_call(WAITS, WAIT_LABEL_UNLOCK, MUTEX, 0);
}

static void main_main(void)
{
    uint32_t code;
    tid_t other;

    program_expect(vm_clone(bring, (uint32_t)(uintptr_t)(stack + STACK_WORDS), NULL,
                            VM_CLONE_SPACE | VM_CLONE_FILES, &other) == FL_ERROR_OK);
    take();
    program_expect(items == 0 && vm_wait(other, &code) == FL_ERROR_OK);
    vm_exit(0);
}

const struct program program = {.main = {[WAITS] = wait_server_main, [MAIN] = main_main}};
