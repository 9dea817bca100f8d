/* The model at one event as text: exact where it is known by heart, and within 80 columns at every
 * event of every golden story, and of stories out of their mind. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "engine.h"
#include "golden.h"
#include "report_lanes.h"
#include "report_state.h"

static struct story story;
static struct model model;
static struct engine *engine;

static struct report report_of_story(void)
{
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    return (struct report){
        .scenario = &story_scenario,
        .verdict = engine_end(engine, FL_OUTCOME_NONE),
        .events = story.events,
        .n_events = story.n_events,
    };
}

static const struct golden *find(const struct golden *golden, const char *name)
{
    while (golden->name != NULL && strcmp(golden->name, name) != 0)
        golden++;
    return golden->name != NULL ? golden : NULL;
}

static void tell(const char *name)
{
    const struct golden *golden = find(golden_clean, name);
    if (golden == NULL)
        golden = find(golden_violating, name);
    if (golden == NULL)
        golden = find(golden_vm_violating, name);
    if (golden == NULL)
        golden = find(golden_waits_violating, name);
    assert_non_null(golden);
    golden->tell(&story);
}

/* What the view shows right after the nth event of that id (from 0). */
static char *view_at(const char *view, uint32_t id, unsigned nth)
{
    const struct report report = report_of_story();
    size_t event = story_find(&story, id, 0);
    for (; nth > 0; nth--)
        event = story_find(&story, id, event + 1);
    GString *text = g_string_new(NULL);
    report_state_at(&model, &report, STORY_PLAIN, event);
    report_view_find(view)->print(text, &model, &report);
    return g_string_free(text, FALSE);
}

static void threads_and_messages(void **state)
{
    (void)state;
    tell("stack-slot-exclusive-two-reserves");
    g_autofree char *ready = view_at("threads", FL_EVENT_PREEMPT, 0);
    assert_string_equal(ready, "thread     space    entry  by way of     state\n"
                               "core       core         8  ipc-reply     waits for a message of "
                               "anybody\n"
                               "main       main         8  ipc-send      runs\n"
                               "t1         main         0  -             ready\n");
    g_autofree char *calls = view_at("ipc", FL_EVENT_IPC_SEND, 0);
    assert_string_equal(calls, "core       waits for a message of anybody\n"
                               "main       waits to call core RAM_ALLOC\n");
    g_autofree char *taken = view_at("ipc", FL_EVENT_IPC_DELIVER, 0);
    assert_string_equal(taken, "main       waits for core's reply to RAM_ALLOC\n");
}

static void a_slot_with_two_holders(void **state)
{
    (void)state;
    tell("stack-slot-exclusive-two-reserves");
    g_autofree char *one = view_at("slots", FL_EVENT_MARK_RESERVE, 1);
    assert_non_null(strstr(one, "main     slot 1   0x40100000  reserved  by main for t2 since "));
    assert_null(strstr(one, "and"));
    g_autofree char *two = view_at("slots", FL_EVENT_MARK_RESERVE, 2);
    assert_non_null(strstr(two, "main     slot 1   0x40100000  reserved  by main for t2 since "));
    assert_non_null(strstr(two, "\n                          and reserved  by t1 for t1.1 since "));
}

static void faults_in_flight_and_over(void **state)
{
    (void)state;
    tell("parked");
    g_autofree char *raised = view_at("faults", FL_EVENT_FAULT_RAISE, 0);
    assert_non_null(strstr(raised, " queued    -        "));
    g_autofree char *parked = view_at("faults", FL_EVENT_FAULT_PARK, 0);
    assert_non_null(strstr(parked, " parked    core     "));
    g_autofree char *over = view_at("faults", FL_EVENT_RUN_END, 0);
    assert_non_null(strstr(over, " resolved  core     "));
    assert_null(strstr(over, " parked "));
    tell("halted-and-reported");
    g_autofree char *halted = view_at("threads", FL_EVENT_RUN_END, 0);
    assert_non_null(strstr(halted, " HALTED: "));
    tell("lock-handed-over");
    g_autofree char *waits = view_at("threads", FL_EVENT_LOCK_BLOCK, 0);
    assert_non_null(strstr(waits, ", which main has\n"));
}

static void chains_of_objects(void **state)
{
    (void)state;
    tell("vm-fork");
    g_autofree char *early = view_at("chain", FL_EVENT_RUN_BEGIN, 0);
    assert_string_equal(early, "no vm object and no vm area\n");
    g_autofree char *behind = view_at("chain", FL_EVENT_OBJECT_BEHIND, 0);
    assert_non_null(strstr(behind, ", 1 shadow, "));
    g_autofree char *maps = view_at("maps", FL_EVENT_AREA_SHOW, 0);
    assert_non_null(strstr(maps, "area of main"));
    assert_non_null(strstr(maps, ", from page 0 of object "));
    tell("vm-shadow-chain-cycle"); /* a ring of objects is walked once */
    g_autofree char *ring = view_at("chain", FL_EVENT_RUN_END, 0);
    assert_non_null(strstr(ring, "object "));
}

static void names_of_views(void **state)
{
    (void)state;
    assert_string_equal(report_view_find("maps")->name, "maps");
    assert_string_equal(report_view_find("th")->name, "threads");
    assert_null(report_view_find(""));
    assert_null(report_view_find("x"));
}

/* ---- everywhere ---- */

static void assert_fits(const char *text, const char *of)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    assert_true(g_str_has_suffix(text, "\n"));
    for (char **line = lines; *line != NULL; line++)
        if (strlen(*line) > LANES_WIDTH || g_str_has_suffix(*line, " "))
            fail_msg("%s: \"%s\"", of, *line);
}

static void look_at(const struct report *report, size_t event, const char *of)
{
    report_state_at(&model, report, STORY_PLAIN, event);
    for (const struct report_view *view = report_views; view->name != NULL; view++) {
        g_autoptr(GString) text = g_string_new(NULL);
        view->print(text, &model, report);
        assert_fits(text->str, of);
    }
    const struct lanes_window window = {
        .event = event, .thread = model.running, .before = 5, .after = 3};
    g_autoptr(GString) lanes = g_string_new(NULL);
    report_lanes_around(lanes, report, &window);
    assert_fits(lanes->str, of);
    const char *mark = strstr(lanes->str, "=>");
    assert_non_null(mark);
    assert_null(strstr(mark + 1, "=>"));
}

static void every_moment_of_every_story(void **state)
{
    (void)state;
    const struct golden *const all[] = {golden_violating,        golden_clean,
                                        golden_vm_violating,     golden_waits_violating,
                                        golden_own_violating,    golden_suspend_violating,
                                        golden_refused_violating};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        for (const struct golden *golden = all[i]; golden->name != NULL; golden++) {
            golden->tell(&story);
            const struct report report = report_of_story();
            for (size_t event = 0; event < report.n_events; event++)
                look_at(&report, event, golden->name);
        }
}

/* A linear congruential generator (Knuth, TAOCP 2, 3.3.4). */
static uint32_t draw(void)
{
    static uint64_t seed = 1;
    seed = seed * 6364136223846793005u + 1442695040888963407u;
    return (uint32_t)(seed >> 33);
}

/* Fields flipped at random: the guest says what cannot be. */
static void stories_out_of_their_mind(void **state)
{
    (void)state;
    for (const struct golden *golden = golden_clean; golden->name != NULL; golden++)
        for (unsigned round = 0; round < 4; round++) {
            golden->tell(&story);
            for (unsigned i = 0; i < 12; i++) {
                uint8_t *byte = (uint8_t *)&story.events[draw() % story.n_events];
                byte[draw() % sizeof(struct fl_event)] ^= (uint8_t)(1u << draw() % 8);
            }
            const struct report report = report_of_story();
            for (unsigned i = 0; i < 8; i++) {
                g_autoptr(GString) text = g_string_new(NULL);
                report_state_at(&model, &report, STORY_PLAIN, draw() % report.n_events);
                for (const struct report_view *view = report_views; view->name != NULL; view++)
                    view->print(text, &model, &report);
                assert_true(g_str_has_suffix(text->str, "\n"));
            }
        }
}

static int setup(void **state)
{
    (void)state;
    model_init(&model);
    engine = engine_new();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    model_free(&model);
    engine_free(engine);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(threads_and_messages),
        cmocka_unit_test(a_slot_with_two_holders),
        cmocka_unit_test(faults_in_flight_and_over),
        cmocka_unit_test(chains_of_objects),
        cmocka_unit_test(names_of_views),
        cmocka_unit_test(every_moment_of_every_story),
        cmocka_unit_test(stories_out_of_their_mind),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
