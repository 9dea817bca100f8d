/* The report in lanes, of stories whose every event is known. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "engine.h"
#include "golden.h"
#include "report_lanes.h"

static struct story story;

static bool lookup(void *data, uint64_t pc, struct report_place *place)
{
    (void)data;
    *place = (struct report_place){.function = "f", .file = "guest/lib/x.c"};
    place->line = (unsigned)(pc % 1000);
    return true;
}

static bool name(void *data, uint64_t address, char *buffer, size_t size)
{
    (void)data;
    g_snprintf(buffer, size, "list_lock");
    return address == 0x01001000;
}

/* The story as lanes; free with g_free. */
static char *lanes_of(const struct golden *golden, bool full)
{
    golden->tell(&story);
    struct engine *engine = engine_new();
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    const struct report report = {.scenario = &story_scenario,
                                  .verdict = engine_end(engine, FL_OUTCOME_NONE),
                                  .events = story.events,
                                  .n_events = story.n_events,
                                  .lookup = lookup,
                                  .name = name};
    GString *text = g_string_new(NULL);
    report_lanes(text, &report, full);
    engine_free(engine);
    return g_string_free(text, FALSE);
}

static const struct golden *golden_called(const char *wanted)
{
    const struct golden *golden = golden_violating;
    while (strcmp(golden->name, wanted) != 0)
        golden++;
    return golden;
}

static void a_finding_in_lanes(void **state)
{
    (void)state;
    g_autofree char *text = lanes_of(golden_called("stack-slot-exclusive-two-reserves"), false);
    assert_string_equal(
        text, "main                        t1\n"
              "  ... start-up: main 1-2 ...\n"
              " 3 call core ATTACH_AT: ok  |                                            x.c:280\n"
              " 4 attach slot 0            |                                            x.c:176\n"
              " 5 publish slot 0           |                                            x.c:176\n"
              " 6 call core THREAD_CREATE t1: ok                                        x.c:280\n"
              " 7 reserve slot 1           |                                            x.c:176\n"
              " 8 ipc-send                 |                                            x.c:280\n"
              "*- preempted --------------->                                            x.c:280\n"
              "|                            1 use slot 0                                x.c:176\n"
              "|                            2 reserve slot 1                            x.c:176\n"
              "!! stack-slot-exclusive: slot 1 (0x40100000) reserved by main for t2 and by t1\n"
              "!! for t1.1\n"
              "|                            3 call core RAM_ALLOC: ok                   x.c:280\n"
              "|                            4 call core ATTACH_AT: ok                   x.c:280\n"
              "|                            5 attach slot 1                             x.c:176\n"
              "|                            6 publish slot 1                            x.c:176\n"
              "  ... t1 7, main 8-10 ...\n"
              "end: exited, 87 events\n");
}

static void assert_fits(const char *text, const char *of)
{
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line != NULL; line++)
        if (strlen(*line) > LANES_WIDTH || g_str_has_suffix(*line, " "))
            fail_msg("%s: \"%s\"", of, *line);
}

static void every_story_fits(void **state)
{
    (void)state;
    const struct golden *const all[] = {golden_violating, golden_clean};
    for (size_t i = 0; i < G_N_ELEMENTS(all); i++)
        for (const struct golden *golden = all[i]; golden->name != NULL; golden++)
            for (unsigned full = 0; full < 2; full++) {
                g_autofree char *text = lanes_of(golden, full);
                assert_fits(text, golden->name);
                assert_non_null(strstr(text, "\nend: "));
            }
}

/* What is folded away comes back with --full, and nothing is told twice. */
static void full_shows_every_entry(void **state)
{
    (void)state;
    const struct golden *golden = golden_called("stack-slot-exclusive-two-reserves");
    g_autofree char *folded = lanes_of(golden, false);
    g_autofree char *full = lanes_of(golden, true);
    assert_non_null(strstr(folded, " ..."));
    assert_null(strstr(full, "..."));
    size_t entries = 0, rows = 0;
    for (size_t i = 0; i < story.n_events; i++)
        entries += fl_event_id(&story.events[i]) == FL_EVENT_ENTRY;
    for (const char *at = full; (at = strstr(at, "x.c:")) != NULL; at++)
        rows++;
    assert_true(rows >= entries);
}

static void long_texts_are_broken_at_blanks(void **state)
{
    (void)state;
    g_autoptr(GString) text = g_string_new(NULL);
    report_wrap(text, "one two three", 8, "  ");
    assert_string_equal(text->str, "one two\n  three");
    g_string_truncate(text, 0);
    report_wrap(text, "abcdefghij", 4, " ");
    assert_string_equal(text->str, "abcd\n efg\n hij");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_finding_in_lanes),
        cmocka_unit_test(every_story_fits),
        cmocka_unit_test(full_shows_every_entry),
        cmocka_unit_test(long_texts_are_broken_at_blanks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
