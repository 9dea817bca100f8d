/* Findings and events as text. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "engine.h"
#include "golden.h"
#include "report_text.h"

static struct story story;

static bool lookup(void *data, uint64_t pc, struct report_place *place)
{
    (void)data;
    if (pc != FL_PROGRAM_BASE + 0x40 * FL_POINT_IPC_SEND)
        return false;
    *place = (struct report_place){.function = "attach", .file = "guest/lib/x.c", .line = 88};
    return true;
}

static void a_finding(void **unused)
{
    (void)unused;
    const struct golden *golden = golden_violating;
    while (strcmp(golden->name, "stack-slot-exclusive-two-reserves"))
        golden++;
    golden->tell(&story);
    const struct fl_event *preempt = &story.events[story_find(&story, FL_EVENT_PREEMPT, 0)];
    const struct fl_preemption taken[] = {
        {.thread = STORY_MAIN, .n = preempt->arg, .k = 0, .target = STORY_T1},
        {.thread = STORY_T1, .n = 2, .k = 3, .target = STORY_MAIN},
        {.thread = STORY_T1, .n = 0, .k = 11, .target = STORY_MAIN},
    };
    struct engine *engine = engine_new();
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    struct report report = {.scenario = &story_scenario,
                            .verdict = engine_end(engine, FL_OUTCOME_NONE),
                            .events = story.events,
                            .n_events = story.n_events,
                            .taken = taken,
                            .n_taken = 1,
                            .lookup = lookup};
    GString *text = g_string_new(NULL);

    report_verdict(text, &report);
    assert_string_equal(text->str, "stack-slot-exclusive: slot 1 (0x40100000) reserved by main for "
                                   "t2 and by t1 for t1.1");
    g_string_truncate(text, 0);
    report_preemptions(text, &report, 2);
    assert_string_equal(text->str, "1 preemption: main at its 8th entry (ipc-send ATTACH_AT, "
                                   "guest/lib/x.c:88) -> t1");
    g_string_truncate(text, 0);
    report.n_taken = 3;
    report_preemptions(text, &report, 4);
    assert_string_equal(
        text->str,
        "3 preemptions: main at its 8th entry (ipc-send ATTACH_AT, guest/lib/x.c:88) -> t1\n"
        "    t1 before the 3rd instruction after its 2nd entry (mark) -> main\n"
        "    t1 before the 11th instruction after its start -> main");
    g_string_free(text, TRUE);
    engine_free(engine);
}

static void expect_text(const struct fl_event *event, const char *expected)
{
    GString *text = g_string_new(NULL);

    report_event(text, &story_scenario, event);
    assert_string_equal(text->str, expected);
    g_string_free(text, TRUE);
}

static void events(void **unused)
{
    (void)unused;
    golden_tell(&story, "one-page-two-faults");
    struct fl_event *all = story.events;
    expect_text(&all[story_find(&story, FL_EVENT_IPC_SEND, 0)],
                "main      ipc_send to core THREAD_CREATE call");
    expect_text(&all[story_find(&story, FL_EVENT_FAULT_RAISE, 0)],
                "main      fault_raise address 0x30000000 write fault 1");
    expect_text(&all[story_find(&story, FL_EVENT_SWITCH, 8)],
                "main      switch from core block flushed");
    expect_text(&all[story_find(&story, FL_EVENT_MAP, 8)],
                "core      map address 0x30000000 rw- frame 1152");
    expect_text(&all[story_find(&story, FL_EVENT_RUN_END, 0)], "kernel    run_end exited lost 0");
    expect_text(&all[story_find(&story, FL_EVENT_IPC_WAIT, 0)], "core      ipc_wait from anybody");
    golden_tell(&story, "stacks");
    expect_text(&all[story_find(&story, FL_EVENT_MARK_RESERVE, 0)],
                "main      mark_reserve slot 0x40000000 size 16384 object 0x1002000");
    const struct fl_event unknown = {.id_time = 999, .thread = STORY_T1};
    expect_text(&unknown, "t1        unknown event 999");
    const struct fl_event own = {
        .id_time = FL_EVENT_IPC_SEND, .thread = STORY_T1, .addr = STORY_MAIN, .arg = 258};
    expect_text(&own, "t1        ipc_send to main USER+2");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(a_finding), cmocka_unit_test(events)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
