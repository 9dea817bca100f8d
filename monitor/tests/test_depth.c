/* The places of a run at each depth, on a run made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "explore/depth.h"
#include "tests/spanned.h"

enum { PC = 0x01000100, WORD = 0x00500040, LOCK = 0x01002000, FRAME = 0x480 };

static struct engine *engine;
static struct depth *depth;
static struct run_report report;

/* main makes t1, then both take a lock and touch the same word. */
static int begin(void **state)
{
    (void)state;
    engine = engine_new();
    accesses = g_array_new(FALSE, FALSE, sizeof(struct access));
    story_begin(&story);
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_entry(&story, STORY_MAIN, FL_POINT_LOCK);
    story_say(&story, FL_EVENT_LOCK, STORY_MAIN, LOCK, 0, 0);
    store(PC, WORD);
    story_entry(&story, STORY_MAIN, FL_POINT_UNLOCK);
    story_say(&story, FL_EVENT_UNLOCK, STORY_MAIN, LOCK, FL_PATH_KERNEL, 0);
    story_call(&story, STORY_MAIN, FL_LABEL_RAM_ALLOC);
    story_answer(&story, STORY_MAIN, FL_ERROR_OK);
    story_exit(&story, STORY_T1);
    load(PC + 4, WORD);
    story_exit(&story, FL_PATH_KERNEL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    g_clear_pointer(&depth, depth_free);
    engine_free(engine);
    g_array_free(accesses, TRUE);
    return 0;
}

/* told: accesses are. */
static size_t fill_told(unsigned which, bool told)
{
    depth_free(depth);
    depth = depth_new(which);
    tell_engine(engine);
    depth_fill(depth, engine, told ? (const struct access *)(void *)accesses->data : NULL,
               told ? accesses->len : 0, &report);
    return report.n_places;
}

static size_t fill(unsigned which)
{
    return fill_told(which, true);
}

/* Each once, in the order of the run: what lies inside of a span before what ends it. */
static void check_order(void)
{
    for (size_t i = 1; i < report.n_places; i++) {
        const struct place *before = &report.places[i - 1], *place = &report.places[i];
        assert_true(before->event < place->event ||
                    (before->event == place->event && before->k >= 1 &&
                     (place->k == 0 || place->k > before->k)));
        assert_true(place->n_ready > 0);
    }
}

static size_t count(uint32_t thread, bool inner)
{
    size_t n = 0;
    for (size_t i = 0; i < report.n_places; i++)
        n += report.places[i].thread == thread && (report.places[i].k >= 1) == inner;
    return n;
}

static void ipc_and_sync_are_entries(void **state)
{
    (void)state;
    size_t ipc = fill(FL_DEPTH_IPC);
    check_order();
    assert_int_equal(count(STORY_MAIN, true) + count(FL_PATH_CORE, true), 0);
    assert_int_equal(fill(FL_DEPTH_SYNC), ipc + 2);
    check_order();
    assert_int_equal(report.generation, 0);
}

static void access_adds_what_is_shared(void **state)
{
    (void)state;
    size_t sync = fill(FL_DEPTH_SYNC);
    assert_int_equal(fill(FL_DEPTH_ACCESS), sync + 1); /* t1 is alone when it loads */
    check_order();
    assert_int_equal(count(STORY_MAIN, true), 1);
    assert_int_equal(report.generation, 1);
    assert_int_equal(depth_instructions(depth), 2);
}

static void insn_is_every_instruction(void **state)
{
    (void)state;
    fill(FL_DEPTH_INSN);
    check_order();
    /* main's entries with t1 ready are lock, unlock, send and exit; the last instruction of each
     * span is the entry's own place. */
    assert_int_equal(count(STORY_MAIN, false), 4);
    assert_int_equal(count(STORY_MAIN, true), 4 * (SPAN_LENGTH - 1));
    assert_true(count(FL_PATH_CORE, false) > 0);
    assert_int_equal(count(FL_PATH_CORE, true), 0); /* alone in its space */
    assert_int_equal(depth_left_out(depth), 1u << FL_SPACE_CORE);
}

/* Nobody can tell then what core shares with others through its window. */
static void without_accesses_nothing_is_left_out(void **state)
{
    (void)state;
    size_t told = fill(FL_DEPTH_INSN);
    assert_true(fill_told(FL_DEPTH_INSN, false) > told);
    check_order();
    assert_true(count(FL_PATH_CORE, true) > 0);
    assert_int_equal(depth_left_out(depth), 0);
}

/* Core stores into a word that t1 uses, when main asks it to. */
static void cores_shared_memory_is_not_left_out(void **state)
{
    (void)state;
    story_begin(&story);
    g_array_set_size(accesses, 0);
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_call(&story, STORY_MAIN, FL_LABEL_RAM_ALLOC);
    store(FL_CORE_BASE, WORD);
    story_answer(&story, STORY_MAIN, FL_ERROR_OK);
    story_exit(&story, STORY_T1);
    load(PC, WORD);
    story_exit(&story, FL_PATH_KERNEL);
    fill(FL_DEPTH_INSN);
    check_order();
    assert_int_equal(count(FL_PATH_CORE, true), 1);
    assert_int_equal(depth_left_out(depth), 1u << FL_SPACE_CORE);
    fill(FL_DEPTH_ACCESS);
    assert_int_equal(count(FL_PATH_CORE, true), 1);
}

/* An interruption is no place of its own, neither as the end of a span nor as a beginning. */
static void insn_leaves_out_where_a_plan_stopped(void **state)
{
    (void)state;
    story_begin(&story);
    story_thread(&story, STORY_MAIN, STORY_T1);
    interrupt(SPAN_LENGTH + 1, 4);
    story_exit(&story, STORY_T1);
    story_exit(&story, FL_PATH_KERNEL);
    fill(FL_DEPTH_INSN);
    check_order();
    assert_int_equal(count(STORY_MAIN, true), SPAN_LENGTH + SPAN_LENGTH - 2);
    for (size_t i = 0; i < report.n_places; i++)
        assert_int_not_equal(report.places[i].k, SPAN_LENGTH + 1);
}

/* A page that core has mapped too, and may write. */
static void a_space_that_shares_is_not_left_out(void **state)
{
    (void)state;
    story_begin(&story);
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_call(&story, STORY_MAIN, FL_LABEL_ATTACH);
    story_entry(&story, FL_PATH_CORE, FL_POINT_MAP);
    story_say(&story, FL_EVENT_MAP, FL_PATH_CORE, FL_ATTACH_BASE, FL_RIGHTS_R, FRAME)->space =
        STORY_SPACE;
    struct fl_event *map =
        story_say(&story, FL_EVENT_MAP, FL_PATH_CORE, FL_ATTACH_BASE, FL_RIGHTS_RW, FRAME);
    story_answer(&story, STORY_MAIN, FL_ERROR_OK);
    fill(FL_DEPTH_INSN);
    assert_int_equal(depth_left_out(depth), 0);
    assert_true(count(FL_PATH_CORE, true) > 0);
    map->arg = FL_RIGHTS_R;
    fill(FL_DEPTH_INSN);
    assert_int_equal(depth_left_out(depth), 1u << FL_SPACE_CORE);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(ipc_and_sync_are_entries),
        TEST(access_adds_what_is_shared),
        TEST(insn_is_every_instruction),
        TEST(without_accesses_nothing_is_left_out),
        TEST(cores_shared_memory_is_not_left_out),
        TEST(insn_leaves_out_where_a_plan_stopped),
        TEST(a_space_that_shares_is_not_left_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
