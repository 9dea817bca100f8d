/* Data races on runs made by hand: what orders two accesses, and what does not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "races.h"

enum { MAIN = FL_PATH_DOMAIN(0), T1 = FL_PATH_CHILD2(0, 1), T2 = FL_PATH_CHILD2(0, 2) };
enum { LOCK = 0x01001000, OTHER_LOCK = 0x01001008, WORD = 0x00407010, FRAME = 0x407 };

/* A run: events, each entry with its span, and accesses in the spans. */
static struct {
    struct fl_event events[256];
    size_t n_events;
    struct access log[64];
    size_t n;
    uint32_t span;
    uint32_t instructions; /* of the span that is open */
    uint32_t entries;
    struct engine *engine;
    struct races *races;
} run;

static void say(uint32_t id, uint32_t thread, uint64_t addr, uint32_t arg, uint32_t aux)
{
    run.events[run.n_events++] = (struct fl_event){
        .id_time = (uint64_t)run.n_events << 16 | id,
        .thread = thread,
        .space = (uint16_t)(thread == FL_PATH_CORE ? FL_SPACE_CORE : FL_SPACE_DOMAIN(0)),
        .addr = addr,
        .arg = arg,
        .aux = aux,
    };
}

/* The thread's next user instruction touches memory. */
static void touch(enum access_kind kind, uint32_t pc, uint32_t address, unsigned log2_size)
{
    run.instructions++;
    run.log[run.n++] = (struct access){
        .pc = pc,
        .address = address,
        .span = run.span,
        .place = (uint32_t)kind << 28 | log2_size << 24 | run.instructions,
    };
}

static void load(uint32_t pc)
{
    touch(ACCESS_LOAD, pc, WORD, 2);
}

static void store(uint32_t pc)
{
    touch(ACCESS_STORE, pc, WORD, 2);
}

/* The thread enters the kernel: what it touched before is of this span. */
static void enter(uint32_t thread)
{
    say(FL_EVENT_SPAN, thread, 0, run.instructions + 1, 1);
    say(FL_EVENT_ENTRY, thread, 0, 0, ++run.entries);
    run.span++;
    run.instructions = 0;
}

static void begin(void)
{
    run.n_events = run.n = 0;
    run.span = run.instructions = run.entries = 0;
    say(FL_EVENT_RUN_BEGIN, FL_PATH_KERNEL, 0, 0, 0);
    say(FL_EVENT_THREAD_CREATE, FL_PATH_KERNEL, FL_PATH_CORE, 0, FL_SPACE_CORE);
    say(FL_EVENT_THREAD_CREATE, FL_PATH_KERNEL, MAIN, 1, FL_SPACE_DOMAIN(0));
    say(FL_EVENT_THREAD_CREATE, MAIN, T1, 2, FL_SPACE_DOMAIN(0));
    say(FL_EVENT_THREAD_CREATE, MAIN, T2, 3, FL_SPACE_DOMAIN(0));
}

static const GArray *learn(void)
{
    engine_begin(run.engine, NULL, 0);
    engine_events(run.engine, run.events, run.n_events);
    engine_end(run.engine, FL_OUTCOME_NONE);
    races_learn(run.races, run.engine, run.events, run.n_events, run.log, run.n);
    return races_list(run.races);
}

static int set_up(void **state)
{
    (void)state;
    run.engine = engine_new();
    run.races = races_new();
    begin();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    races_free(run.races);
    engine_free(run.engine);
    return 0;
}

static void with_lock(uint32_t thread, uint32_t lock, void (*access)(uint32_t pc), uint32_t pc)
{
    enter(thread);
    say(FL_EVENT_LOCK, thread, lock, 0, 0);
    access(pc);
    enter(thread);
    say(FL_EVENT_UNLOCK, thread, lock, 0, 0);
}

static void unlocked_accesses_race(void **state)
{
    (void)state;
    store(0x100);
    enter(MAIN);
    load(0x200);
    enter(T1);
    const GArray *list = learn();
    assert_int_equal(list->len, 1);
    const struct race *race = &g_array_index(list, struct race, 0);
    assert_int_equal(race->first.thread, MAIN);
    assert_int_equal(race->first.pc, 0x100);
    assert_true(race->first.store);
    assert_int_equal(race->first.n, 0);
    assert_int_equal(race->first.k, 1);
    assert_int_equal(race->second.thread, T1);
    assert_int_equal(race->second.pc, 0x200);
    assert_false(race->second.store);
    assert_int_equal(race->address, WORD);
}

static void two_loads_do_not(void **state)
{
    (void)state;
    load(0x100);
    enter(MAIN);
    load(0x200);
    enter(T1);
    assert_int_equal(learn()->len, 0);
}

static void one_lock_orders(void **state)
{
    (void)state;
    with_lock(MAIN, LOCK, store, 0x100);
    with_lock(T1, LOCK, store, 0x200);
    assert_int_equal(learn()->len, 0);
}

static void two_locks_do_not(void **state)
{
    (void)state;
    with_lock(MAIN, LOCK, store, 0x100);
    with_lock(T1, OTHER_LOCK, store, 0x200);
    assert_int_equal(learn()->len, 1);
}

/* The quick fix's gap: what follows the unlock is not protected by it. */
static void what_follows_the_unlock_races(void **state)
{
    (void)state;
    with_lock(MAIN, LOCK, load, 0x100);
    store(0x104);
    enter(MAIN);
    with_lock(T1, LOCK, load, 0x200);
    const GArray *list = learn();
    assert_int_equal(list->len, 1);
    assert_int_equal(g_array_index(list, struct race, 0).first.pc, 0x104);
    assert_int_equal(g_array_index(list, struct race, 0).second.pc, 0x200);
}

static void messages_and_replies_order(void **state)
{
    (void)state;
    store(0x100);
    enter(MAIN);
    say(FL_EVENT_IPC_SEND, MAIN, T1, 0, 1);
    say(FL_EVENT_IPC_DELIVER, T1, MAIN, 0, 0);
    store(0x200);
    enter(T1);
    say(FL_EVENT_IPC_REPLY, T1, MAIN, 0, 0);
    store(0x104);
    enter(MAIN);
    assert_int_equal(learn()->len, 0);
}

static void a_message_not_taken_does_not(void **state)
{
    (void)state;
    store(0x100);
    enter(MAIN);
    say(FL_EVENT_IPC_SEND, MAIN, T1, 0, 1);
    store(0x200);
    enter(T1);
    assert_int_equal(learn()->len, 1);
}

static void what_follows_a_message_races(void **state)
{
    (void)state;
    enter(MAIN);
    say(FL_EVENT_IPC_SEND, MAIN, T1, 0, 0);
    store(0x100);
    enter(MAIN);
    say(FL_EVENT_IPC_DELIVER, T1, MAIN, 0, 0);
    load(0x200);
    enter(T1);
    assert_int_equal(learn()->len, 1);
}

static void faults_order(void **state)
{
    (void)state;
    store(0x100);
    enter(MAIN);
    say(FL_EVENT_FAULT_RAISE, MAIN, 0x40000000, FL_ACCESS_WRITE, 1);
    say(FL_EVENT_FAULT_DELIVER, T1, MAIN, FL_ACCESS_WRITE, 1);
    store(0x200);
    enter(T1);
    say(FL_EVENT_FAULT_REPLY, T1, MAIN, 0, 1);
    load(0x104);
    enter(MAIN);
    assert_int_equal(learn()->len, 0);
}

static void end_and_join_order(void **state)
{
    (void)state;
    store(0x200);
    enter(T1);
    say(FL_EVENT_THREAD_EXIT, T1, 0, 0, 2);
    enter(MAIN);
    say(FL_EVENT_JOIN, MAIN, T1, 0, 0);
    load(0x100);
    enter(MAIN);
    assert_int_equal(learn()->len, 0);
}

static void what_the_parent_does_later_races(void **state)
{
    (void)state;
    const uint32_t child = FL_PATH_CHILD2(0, 3);
    store(0x100);
    enter(MAIN);
    say(FL_EVENT_THREAD_CREATE, MAIN, child, 4, FL_SPACE_DOMAIN(0));
    load(0x300);
    enter(child);
    assert_int_equal(learn()->len, 0);
    store(0x104);
    enter(MAIN);
    assert_int_equal(learn()->len, 1);
}

static void sizes_count(void **state)
{
    (void)state;
    touch(ACCESS_STORE, 0x100, WORD, 3);
    enter(MAIN);
    touch(ACCESS_LOAD, 0x200, WORD + 4, 2);
    enter(T1);
    touch(ACCESS_LOAD, 0x204, WORD + 8, 2);
    enter(T1);
    const GArray *list = learn();
    assert_int_equal(list->len, 1);
    assert_int_equal(g_array_index(list, struct race, 0).second.pc, 0x200);
}

/* Each pair of instructions once, whatever the order and the number of runs. */
static void a_pair_is_told_once(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 3; i++) {
        store(0x100);
        enter(MAIN);
        load(0x200);
        enter(T1);
    }
    load(0x208);
    enter(T2);
    assert_int_equal(learn()->len, 2);
    begin();
    load(0x200);
    enter(T1);
    store(0x100);
    enter(MAIN);
    const GArray *list = learn();
    assert_int_equal(list->len, 2);
    assert_int_equal(g_array_index(list, struct race, 0).first.thread, MAIN);
    assert_true(g_array_index(list, struct race, 0).times > 1);
}

/* A frame that was unmapped and mapped again holds other memory. */
static void a_new_life_of_a_frame_is_other_memory(void **state)
{
    (void)state;
    enter(FL_PATH_CORE);
    say(FL_EVENT_MAP, FL_PATH_CORE, 0x01001000, FL_RIGHTS_RW, FRAME);
    store(0x100);
    enter(MAIN);
    enter(FL_PATH_CORE);
    say(FL_EVENT_UNMAP, FL_PATH_CORE, 0x01001000, 0, FRAME);
    enter(FL_PATH_CORE);
    say(FL_EVENT_MAP, FL_PATH_CORE, 0x01001000, FL_RIGHTS_RW, FRAME);
    store(0x200);
    enter(T1);
    assert_int_equal(learn()->len, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(unlocked_accesses_race),
        TEST(two_loads_do_not),
        TEST(one_lock_orders),
        TEST(two_locks_do_not),
        TEST(what_follows_the_unlock_races),
        TEST(messages_and_replies_order),
        TEST(a_message_not_taken_does_not),
        TEST(what_follows_a_message_races),
        TEST(faults_order),
        TEST(end_and_join_order),
        TEST(what_the_parent_does_later_races),
        TEST(sizes_count),
        TEST(a_pair_is_told_once),
        TEST(a_new_life_of_a_frame_is_other_memory),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
