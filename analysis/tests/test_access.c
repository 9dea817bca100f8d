/* Depth access on runs made by hand: which instructions share memory, which places that makes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "access.h"
#include "spanned.h"

/* Program counters. */
enum { MINE = 0x01000100, OTHER = 0x01000200, THIRD = 0x01000300, CORES = 0x00100100 };
enum { FRAME = 0x500, WORD = FRAME << FL_PAGE_SHIFT | 0x40 };

static struct engine *engine;
static struct access_set *set;

static int begin_story(void **state)
{
    (void)state;
    engine = engine_new();
    set = access_set_new();
    accesses = g_array_new(FALSE, FALSE, sizeof(struct access));
    story_begin(&story);
    return 0;
}

static int end_story(void **state)
{
    (void)state;
    access_set_free(set);
    engine_free(engine);
    g_array_free(accesses, TRUE);
    return 0;
}

static const struct access *log_data(void)
{
    return (const struct access *)(void *)accesses->data;
}

static size_t learn(void)
{
    tell_engine(engine);
    access_learn(set, engine, log_data(), accesses->len);
    return access_instructions(set);
}

static GArray *places(void)
{
    GArray *found = g_array_new(FALSE, FALSE, sizeof(struct place));
    access_places(set, engine, log_data(), accesses->len, found);
    return found;
}

/* main has made t1, which runs after main's next entry, and then main again, and t1 again. */
static void two_threads(void)
{
    story_thread(&story, STORY_MAIN, STORY_T1);
}

static void hand_over(uint32_t to)
{
    story_entry(&story, story.running, FL_POINT_YIELD);
    story_switch(&story, to, FL_SWITCH_YIELD);
}

/* ---- conflicts ---- */

static void a_store_and_a_load_conflict(void **state)
{
    (void)state;
    two_threads();
    store(MINE, WORD);
    hand_over(STORY_T1);
    load(OTHER, WORD);
    store(THIRD, WORD + 4);
    hand_over(STORY_MAIN);
    hand_over(STORY_T1);
    assert_int_equal(learn(), 2);
    g_autoptr(GArray) found = places();
    assert_int_equal(found->len, 2);
    assert_int_equal(g_array_index(found, struct place, 0).pc, MINE);
    assert_int_equal(g_array_index(found, struct place, 0).thread, STORY_MAIN);
    assert_int_equal(g_array_index(found, struct place, 1).pc, OTHER);
    assert_int_equal(g_array_index(found, struct place, 1).thread, STORY_T1);
}

static void two_loads_do_not(void **state)
{
    (void)state;
    two_threads();
    load(MINE, WORD);
    hand_over(STORY_T1);
    load(OTHER, WORD);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 0);
}

static void nor_does_a_thread_with_itself(void **state)
{
    (void)state;
    two_threads();
    store(MINE, WORD);
    load(OTHER, WORD);
    hand_over(STORY_T1);
    load(THIRD, WORD + FL_PAGE_SIZE);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 0);
}

static void accesses_cover_granules(void **state)
{
    (void)state;
    two_threads();
    note_access(ACCESS_STORE, MINE, WORD, 1, 3);     /* WORD and WORD + 4 */
    note_access(ACCESS_STORE, MINE + 4, WORD, 2, 2); /* WORD alone */
    hand_over(STORY_T1);
    note_access(ACCESS_LOAD, OTHER, WORD + 7, 1, 0); /* a byte of the second */
    note_access(ACCESS_LOAD, OTHER + 4, WORD + 8, 2, 0);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 2);
}

/* Every granule on both sides of a page's end, at the end of RAM. */
static void nothing_reaches_beyond(void **state)
{
    (void)state;
    two_threads();
    note_access(ACCESS_STORE, MINE, FL_RAM_SIZE - 4, 1, 15);
    note_access(ACCESS_STORE, MINE, UINT32_MAX, 1, 15);
    hand_over(STORY_T1);
    note_access(ACCESS_STORE, OTHER, FL_RAM_SIZE - 4, 1, 15);
    hand_over(STORY_MAIN);
    store(THIRD, 0); /* in a span that never ended, and so is all behind it */
    note_access(ACCESS_STORE, THIRD, WORD, 1, 2);
    assert_int_equal(learn(), 2);
}

/* ---- other memory in the same place ---- */

static void map_frame(uint32_t id)
{
    story_call(&story, story.running, FL_LABEL_ATTACH);
    story_entry(&story, FL_PATH_CORE, FL_POINT_MAP);
    story_say(&story, id, FL_PATH_CORE, FL_ATTACH_BASE, id == FL_EVENT_MAP ? FL_RIGHTS_RW : 0,
              FRAME)
        ->space = STORY_SPACE;
    story_answer(&story, STORY_MAIN, FL_ERROR_OK);
}

static void share_across(bool unmapped_between)
{
    two_threads();
    map_frame(FL_EVENT_MAP);
    store(MINE, WORD);
    if (unmapped_between)
        map_frame(FL_EVENT_UNMAP);
    map_frame(FL_EVENT_MAP);
    hand_over(STORY_T1);
    load(OTHER, WORD);
    hand_over(STORY_MAIN);
}

static void a_frame_mapped_again_is_other_memory(void **state)
{
    (void)state;
    share_across(true);
    assert_int_equal(learn(), 0);
}

static void a_frame_that_stays_mapped_is_not(void **state)
{
    (void)state;
    share_across(false);
    assert_int_equal(learn(), 2);
}

/* ---- what comes before a thread is made ---- */

static void what_a_parent_did_before_does_not_conflict(void **state)
{
    (void)state;
    store(MINE, WORD);
    two_threads();
    hand_over(STORY_T1);
    load(OTHER, WORD);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 0);
}

static void what_it_does_after_does(void **state)
{
    (void)state;
    store(MINE, WORD);
    two_threads();
    store(THIRD, WORD);
    hand_over(STORY_T1);
    load(OTHER, WORD);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 2); /* OTHER and THIRD */
}

/* t2 is made by t1, which main made after the store. */
static void nor_with_a_grandchild(void **state)
{
    (void)state;
    const uint32_t grandchild = STORY_T1 | 1u << 8;
    store(MINE, WORD);
    two_threads();
    hand_over(STORY_T1);
    story_thread(&story, STORY_T1, grandchild);
    hand_over(grandchild);
    store(OTHER, WORD);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 0);
}

static void core_stores(uint32_t label)
{
    story_call(&story, STORY_MAIN, label);
    store(CORES, WORD);
}

static void core_clears_memory_in_the_request_for_a_thread(void **state)
{
    (void)state;
    core_stores(FL_LABEL_THREAD_CREATE);
    story_entry(&story, FL_PATH_CORE, FL_POINT_THREAD_START);
    story_say(&story, FL_EVENT_THREAD_CREATE, STORY_MAIN, STORY_T1, 2, STORY_SPACE);
    story.threads[story.n_threads].path = STORY_T1;
    story.threads[story.n_threads++].tid = 2;
    story.ready |= 4;
    story_answer(&story, STORY_MAIN, FL_ERROR_OK);
    hand_over(STORY_T1);
    load(OTHER, WORD);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 0);
}

static void what_core_did_for_another_request_conflicts(void **state)
{
    (void)state;
    core_stores(FL_LABEL_RAM_ALLOC);
    story_answer(&story, STORY_MAIN, FL_ERROR_OK);
    two_threads();
    hand_over(STORY_T1);
    load(OTHER, WORD);
    hand_over(STORY_MAIN);
    assert_int_equal(learn(), 2);
}

/* ---- the set, and places ---- */

static void the_set_only_grows(void **state)
{
    (void)state;
    assert_int_equal(access_generation(set), 0);
    two_threads();
    store(MINE, WORD);
    hand_over(STORY_T1);
    load(OTHER, WORD);
    hand_over(STORY_MAIN);
    learn();
    assert_int_equal(access_generation(set), 1);
    learn();
    assert_int_equal(access_generation(set), 1);
    store(THIRD, WORD);
    hand_over(STORY_T1);
    assert_int_equal(learn(), 3);
    assert_int_equal(access_generation(set), 2);
    access_learn(set, engine, NULL, 0);
    assert_int_equal(access_instructions(set), 3);
}

/* An instruction with several accesses is one place; the span's first is none where an interruption
 * stood, its last is none where it entered the kernel. */
static void places_are_what_a_plan_can_name(void **state)
{
    (void)state;
    two_threads();
    note_access(ACCESS_STORE, MINE, WORD, 1, 2);
    note_access(ACCESS_STORE, MINE, WORD + 4, 1, 2);
    note_access(ACCESS_STORE, MINE, WORD, SPAN_LENGTH, 2);
    interrupt(11, 4);
    note_access(ACCESS_STORE, MINE, WORD, 1, 2);
    note_access(ACCESS_STORE, MINE, WORD, 3, 2);
    note_access(ACCESS_STORE, MINE, WORD, SPAN_LENGTH, 2);
    note_access(ACCESS_STORE, MINE, WORD, SPAN_LENGTH + 1, 2);
    hand_over(STORY_T1);
    load(OTHER, WORD);
    load(OTHER, WORD + 4);
    hand_over(STORY_MAIN);
    story_exit(&story, STORY_T1);
    load(OTHER, WORD); /* alone: nobody else could run */
    story_exit(&story, FL_PATH_KERNEL);
    assert_int_equal(learn(), 2);
    g_autoptr(GArray) found = places();
    static const uint32_t expected[] = {1, 10, 13, 5};
    assert_int_equal(found->len, G_N_ELEMENTS(expected));
    for (guint i = 0; i < found->len; i++) {
        const struct place *place = &g_array_index(found, struct place, i);
        assert_int_equal(place->k, expected[i]);
        assert_int_equal(place->point, FL_POINT_NONE);
        assert_int_equal(place->n_ready, 1);
        assert_int_equal(place->n, i < 3 ? 1 : 0); /* t1 has not entered the kernel yet */
    }
}

/* ---- spans ---- */

static void spans_are_told(void **state)
{
    (void)state;
    size_t n, n_places;
    two_threads();
    uint32_t at = span_now();
    interrupt(4, 4);
    interrupt(7, 4);
    hand_over(STORY_T1);
    tell_engine(engine);
    const struct span *spans = engine_spans(engine, &n);
    const struct place *entries = engine_places(engine, &n_places);
    assert_int_equal(n, n_places);
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(spans[i].thread, entries[i].thread);
        assert_true(spans[i].event == entries[i].event);
        assert_int_equal(spans[i].instructions, SPAN_LENGTH);
        assert_int_equal(spans[i].n, entries[i].n - (entries[i].k == 0 ? 1 : 0));
        assert_int_equal(spans[i].k, i == at + 1 ? 4 : i == at + 2 ? 7 : 1);
        assert_int_equal(spans[i].resumed, i == at + 1 || i == at + 2);
        assert_int_equal(spans[i].interrupted, i == at || i == at + 1);
        assert_int_equal(spans[i].n_ready, entries[i].n_ready);
    }
}

static void without_events_there_are_none(void **state)
{
    (void)state;
    size_t n;
    two_threads();
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    engine_end(engine, FL_OUTCOME_NONE);
    engine_spans(engine, &n);
    assert_int_equal(n, 0);
    store(MINE, WORD);
    access_learn(set, engine, log_data(), accesses->len);
    assert_int_equal(access_instructions(set), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, begin_story, end_story)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_store_and_a_load_conflict),
        TEST(two_loads_do_not),
        TEST(nor_does_a_thread_with_itself),
        TEST(accesses_cover_granules),
        TEST(nothing_reaches_beyond),
        TEST(a_frame_mapped_again_is_other_memory),
        TEST(a_frame_that_stays_mapped_is_not),
        TEST(what_a_parent_did_before_does_not_conflict),
        TEST(what_it_does_after_does),
        TEST(nor_with_a_grandchild),
        TEST(core_clears_memory_in_the_request_for_a_thread),
        TEST(what_core_did_for_another_request_conflicts),
        TEST(the_set_only_grows),
        TEST(places_are_what_a_plan_can_name),
        TEST(spans_are_told),
        TEST(without_events_there_are_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
