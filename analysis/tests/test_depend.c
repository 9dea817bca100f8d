/* Transitions and footprints of runs made by hand. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "depend.h"
#include "spanned.h"

enum { PC = 0x01000100, FRAME = 0x500, WORD = FRAME << FL_PAGE_SHIFT | 0x40 };

static struct engine *engine;
static struct depend *depend;
static GArray *told; /* struct fl_event: the story with its spans */

static int begin_story(void **state)
{
    (void)state;
    engine = engine_new();
    depend = depend_new(FL_DEPTH_IPC);
    accesses = g_array_new(FALSE, FALSE, sizeof(struct access));
    told = g_array_new(FALSE, FALSE, sizeof(struct fl_event));
    story_begin(&story);
    return 0;
}

static int end_story(void **state)
{
    (void)state;
    depend_free(depend);
    engine_free(engine);
    g_array_free(accesses, TRUE);
    g_array_free(told, TRUE);
    return 0;
}

static const struct fl_event *told_events(void)
{
    return (const struct fl_event *)(void *)told->data;
}

/* Of the run so far. */
static const struct transition *read_story(size_t *n)
{
    g_array_set_size(told, 0);
    for (size_t i = 0; i < story.n_events; i++) {
        if (ends_span(&story.events[i]))
            tell(told, &story.events[i], 1);
        g_array_append_vals(told, &story.events[i], 1);
    }
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, told_events(), told->len);
    engine_end(engine, FL_OUTCOME_NONE);
    depend_read(depend, engine, told_events(), told->len,
                (const struct access *)(void *)accesses->data, accesses->len);
    return depend_transitions(depend, n);
}

/* The last transition that began with this thread. */
static size_t last_of(const struct transition *transitions, size_t n, uint32_t thread)
{
    while (n-- > 0)
        if (transitions[n].thread == thread)
            return n;
    fail_msg("no transition of 0x%08x", thread);
    return 0;
}

static bool in_footprint(size_t i, enum object_kind kind, uint64_t id)
{
    struct footprint *footprint = depend_footprint(depend, i);
    const bool found = footprint_touches(footprint, kind, id);
    footprint_unref(footprint);
    return found;
}

/* Entries that are no places of the depth lie within a transition, and so do hand-overs. */
static void a_run_is_cut_where_somebody_is_chosen(void **state)
{
    (void)state;
    size_t before, n;
    read_story(&before);
    story_entry(&story, STORY_MAIN, FL_POINT_MARK);
    read_story(&n);
    assert_int_equal(n, before);
    story_call(&story, STORY_MAIN, FL_LABEL_USER);
    read_story(&n);
    assert_int_equal(n, before + 1);
    story_answer(&story, STORY_MAIN, FL_ERROR_OK);
    const struct transition *transitions = read_story(&n);
    assert_int_equal(n, before + 2);
    assert_int_equal(transitions[n - 2].thread, STORY_MAIN); /* the call, and core's part of it */
    assert_int_equal(transitions[n - 2].end.thread, FL_PATH_CORE);
    assert_int_equal(transitions[n - 2].end.k, 0);
    assert_int_equal(transitions[n - 1].thread, FL_PATH_CORE); /* its answer, and main's part */
    assert_int_equal(transitions[n - 1].end.thread, 0);
}

static void who_gives_up_ends_a_transition(void **state)
{
    (void)state;
    size_t n;
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_exit(&story, STORY_T1);
    const struct transition *transitions = read_story(&n);
    assert_int_equal(transitions[n - 1].thread, STORY_T1);
    assert_int_equal(transitions[n - 2].thread, STORY_MAIN);
    assert_int_equal(transitions[n - 2].end.thread, STORY_MAIN);
    assert_int_equal(transitions[n - 2].end.k, FL_K_GIVES_UP);
    assert_true(in_footprint(n - 2, OBJECT_LIFE, STORY_MAIN));
}

static void a_preemption_chooses_its_target(void **state)
{
    (void)state;
    size_t n;
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_entry(&story, STORY_MAIN, FL_POINT_IPC_SEND);
    story_preempt(&story, STORY_T1);
    const struct transition *transitions = read_story(&n);
    assert_int_equal(transitions[n - 1].thread, STORY_T1);
    assert_int_equal(transitions[n - 2].end.thread, STORY_MAIN);
    assert_int_equal(transitions[n - 2].end.k, 0);
}

/* A call to core depends on core's taking of messages, whatever it is about. */
static void a_call_touches_whom_it_is_for(void **state)
{
    (void)state;
    size_t n;
    story_ask(&story, STORY_MAIN, FL_LABEL_USER, FL_ERROR_OK);
    const struct transition *transitions = read_story(&n);
    const size_t call = last_of(transitions, n, STORY_MAIN);
    assert_true(in_footprint(call, OBJECT_RECEIVER, FL_PATH_CORE));
    assert_true(in_footprint(call, OBJECT_THREAD, FL_PATH_CORE));
    assert_true(in_footprint(n - 1, OBJECT_RECEIVER, FL_PATH_CORE));
    assert_true(in_footprint(n - 1, OBJECT_THREAD, STORY_MAIN));
    assert_false(in_footprint(n - 1, OBJECT_RECEIVER, STORY_MAIN));
}

/* Accesses belong to the transition in which they were made: before the entry that ends it. */
static void accesses_are_in_their_transition(void **state)
{
    (void)state;
    size_t n;
    store(PC, WORD);
    story_entry(&story, STORY_MAIN, FL_POINT_IPC_SEND);
    load(PC, WORD + 4);
    story_entry(&story, STORY_MAIN, FL_POINT_IPC_SEND);
    read_story(&n);
    assert_true(in_footprint(n - 3, OBJECT_MEMORY, WORD >> 2));
    assert_false(in_footprint(n - 3, OBJECT_MEMORY, (WORD >> 2) + 1));
    assert_true(in_footprint(n - 2, OBJECT_MEMORY, (WORD >> 2) + 1));
    assert_true(in_footprint(n - 2, OBJECT_FRAME, FRAME));
    assert_false(in_footprint(n - 1, OBJECT_FRAME, FRAME));
}

/* A fault reads the page that a mapping writes; who touched a frame depends on its mapping. */
static void pages_and_frames_are_told_of(void **state)
{
    (void)state;
    size_t n;
    const uint32_t address = STORY_SLOT(0);
    const uint64_t page = (uint64_t)STORY_SPACE << 40 | address >> FL_PAGE_SHIFT;
    const uint32_t fault = story_fault(&story, STORY_MAIN, address, FL_ACCESS_WRITE);
    story_map(&story, address, FL_RIGHTS_RW);
    story_fault_answer(&story, STORY_MAIN, fault, address, FL_ACCESS_WRITE);
    const struct transition *transitions = read_story(&n);
    const size_t raised = last_of(transitions, n, STORY_MAIN);
    assert_true(in_footprint(raised, OBJECT_PAGE, page));
    assert_true(in_footprint(raised - 1, OBJECT_PAGE, page)); /* it ended with the access */
    assert_true(in_footprint(raised, OBJECT_RECEIVER, FL_PATH_CORE));
    size_t map = transitions[raised].first_event, maps = raised;
    while (fl_event_id(&told_events()[map]) != FL_EVENT_MAP)
        map++;
    while (map - transitions[maps].first_event >= transitions[maps].events)
        maps++;
    assert_true(maps > raised);
    assert_true(in_footprint(maps, OBJECT_PAGE, page));
    assert_true(in_footprint(maps, OBJECT_FRAME, told_events()[map].aux));
}

/* ---- footprints ---- */

static struct footprint *made_of(touch a, touch b)
{
    g_autoptr(GArray) touches = g_array_new(FALSE, FALSE, sizeof(touch));
    g_array_append_val(touches, a);
    g_array_append_val(touches, b);
    return footprint_new(touches);
}

static bool depend_on(const struct relation *relation, touch a, touch b)
{
    struct footprint *one = made_of(a, touch_of(OBJECT_THREAD, 1, true));
    struct footprint *other = made_of(touch_of(OBJECT_THREAD, 2, true), b);
    const bool result = footprints_depend(relation, one, other);
    assert_int_equal(footprints_depend(relation, other, one), result);
    footprint_unref(one);
    footprint_unref(other);
    return result;
}

static void reads_commute_and_writes_do_not(void **state)
{
    (void)state;
    for (enum object_kind kind = 0; kind < OBJECT_KINDS; kind++) {
        const touch reads = touch_of(kind, 7, false), writes = touch_of(kind, 7, true);
        assert_false(depend_on(&relation_true, reads, reads));
        assert_true(depend_on(&relation_true, reads, writes));
        assert_true(depend_on(&relation_true, writes, writes));
        assert_false(depend_on(&relation_true, writes, touch_of(kind, 8, true)));
    }
    struct relation relation = relation_true;
    relation.depends[OBJECT_LOCK].write_write = false;
    assert_false(
        depend_on(&relation, touch_of(OBJECT_LOCK, 7, true), touch_of(OBJECT_LOCK, 7, true)));
    assert_true(
        depend_on(&relation, touch_of(OBJECT_LOCK, 7, false), touch_of(OBJECT_LOCK, 7, true)));
}

static void an_object_read_and_written_is_written(void **state)
{
    (void)state;
    struct footprint *footprint =
        made_of(touch_of(OBJECT_MEMORY, 3, true), touch_of(OBJECT_MEMORY, 3, false));
    assert_int_equal(footprint->n, 1);
    assert_true(touch_writes(footprint->touches[0]));
    assert_int_equal(touch_kind(footprint->touches[0]), OBJECT_MEMORY);
    assert_false(footprint_touches(footprint, OBJECT_MEMORY, 4));
    footprint_unref(footprint);
}

#define STORY_TEST(f) cmocka_unit_test_setup_teardown(f, begin_story, end_story)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORY_TEST(a_run_is_cut_where_somebody_is_chosen),
        STORY_TEST(who_gives_up_ends_a_transition),
        STORY_TEST(a_preemption_chooses_its_target),
        STORY_TEST(a_call_touches_whom_it_is_for),
        STORY_TEST(accesses_are_in_their_transition),
        STORY_TEST(pages_and_frames_are_told_of),
        cmocka_unit_test(reads_commute_and_writes_do_not),
        cmocka_unit_test(an_object_read_and_written_is_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
