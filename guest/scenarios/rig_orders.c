/* Threads whose orders can be counted by hand, each order that matters once: what a search that
 * leaves out equivalent schedules is held to. How a thread ends says what it saw: its exit code.
 *
 * Before each access stands a kernel entry that neither blocks nor wakes anybody, a call of the
 * thread to itself; so the access is of one transition, and the next entry ends it.
 *
 * stores: main and main.1 store to one word m times each, and load it at the end. Two accesses of
 * which one is a store do not commute, the two loads do. Of the C(2m + 2, m + 1) orders, the
 * C(2m, m) that end with both loads count twice: C(2m + 2, m + 1) - C(2m, m) are left.
 * All numbers count twice: core's first wait comes before main's first call to it or after.
 * apart: each has a word of its own, and there is one order.
 * counter: each adds 1 to one word m times, by a load and a store with an entry in between.
 * messages: main.1 and main.2 send m messages each to main, which takes all.
 */
#include "program.h"
#include "thread.h"

enum { PARAM_ROUNDS };
enum { VARIANT_STORES, VARIANT_APART, VARIANT_COUNTER, VARIANT_MESSAGES, VARIANTS };
enum { STACK_SIZE = 2 * FL_PAGE_SIZE, MAX_THREADS = 3 };

#define VARIANT(ID, SUMMARY)                                                                       \
    {                                                                                              \
        .id = ID, .summary = SUMMARY, .expect = "clean", .depth = FL_DEPTH_IPC, .bound = 1         \
    }

static const struct fl_scenario scenario SCENARIO_TABLE = {
    .id = "rig_orders",
    .summary = "a number of orders that is known beforehand",
    .source = "the rig's own",
    .threads = "main and main.1; of variant messages also main.2",
    .n_domains = 1,
    .domains = {{.name = "main"}},
    .n_params = 1,
    .params = {[PARAM_ROUNDS] = {"rounds", "how often each thread does it", 2, 1, 4, 0}},
    .n_variants = VARIANTS,
    .variants =
        {
            [VARIANT_STORES] = VARIANT("stores", "two threads store to one word"),
            [VARIANT_APART] = VARIANT("apart", "two threads store to a word of their own each"),
            [VARIANT_COUNTER] = VARIANT("counter", "two threads add to one word"),
            [VARIANT_MESSAGES] = VARIANT("messages", "two threads send to a third"),
        },
};

static volatile uint32_t words[2];

static void place(void)
{
    struct msg msg = {.label = FL_LABEL_USER};
    program_expect(sys_call(sys_utcb()->self, &msg) == FL_ERROR_NO_THREAD);
}

static void store(uint32_t who)
{
    volatile uint32_t *word = &words[info()->variant == VARIANT_APART ? who : 0];
    for (uint32_t i = 1; i <= info()->params[PARAM_ROUNDS]; i++) {
        place();
        *word = who << 4 | i;
    }
    place();
    sys_thread_exit(*word);
}

static void count(uint32_t who)
{
    (void)who;
    for (uint32_t i = info()->params[PARAM_ROUNDS]; i > 0; i--) {
        place();
        uint32_t seen = words[0];
        place();
        words[0] = seen + 1;
    }
    place();
    sys_thread_exit(words[0]);
}

/* The order in which they came, a digit each. */
static void receive(void)
{
    uint32_t order = 0;
    for (uint32_t i = 2 * info()->params[PARAM_ROUNDS]; i > 0; i--) {
        struct msg msg = {.label = 0};
        tid_t from = 0;
        program_expect(sys_receive(&from, &msg) == FL_ERROR_OK);
        order = order << 2 | msg.w[0];
    }
    sys_thread_exit(order);
}

static void send(uint32_t who)
{
    for (uint32_t i = info()->params[PARAM_ROUNDS]; i > 0; i--) {
        struct msg msg = {.label = FL_LABEL_USER, .w = {who}};
        program_expect(sys_send(sys_utcb()->parent, &msg) == FL_ERROR_OK);
    }
}

static void (*const parts[VARIANTS])(uint32_t who) = {
    [VARIANT_STORES] = store,
    [VARIANT_APART] = store,
    [VARIANT_COUNTER] = count,
    [VARIANT_MESSAGES] = send,
};

static void helper_main(void *arg)
{
    parts[info()->variant]((uint32_t)(uintptr_t)arg);
}

static void main_main(void)
{
    static struct thread helpers[MAX_THREADS];
    const uint32_t last = info()->variant == VARIANT_MESSAGES ? 2 : 1;

    for (uint32_t i = 1; i <= last; i++)
        program_expect(thread_create(&helpers[i], STACK_SIZE, helper_main, (void *)(uintptr_t)i) ==
                       FL_ERROR_OK);
    if (info()->variant == VARIANT_MESSAGES)
        receive();
    parts[info()->variant](0);
}

const struct program program = {.main = {main_main}};
