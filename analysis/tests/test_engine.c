/* The hash, the places, and an engine fed with nonsense. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>
#include "check.h"
#include "engine.h"
#include "golden.h"
#include "hash.h"
#include "trace.h"

static struct engine *engine;
static struct story story;

static uint64_t story_hash(void)
{
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    return engine_end(engine, FL_OUTCOME_NONE)->event_hash;
}

/* Computed as hash.h says, apart from hash.c. */
static void hash_as_documented(void **unused)
{
    (void)unused;
    const struct fl_event event = {.id_time = UINT64_C(77) << 16 | FL_EVENT_FAULT_RAISE,
                                   .thread = STORY_T1,
                                   .space = STORY_SPACE,
                                   .point = FL_POINT_FAULT,
                                   .addr = FL_CONTEXT_BASE + 5 * FL_PAGE_SIZE + 12,
                                   .arg = FL_ACCESS_WRITE,
                                   .aux = 99};
    uint32_t page;
    const uint64_t region = trace_region(event.addr, &page);
    const uint64_t words[] = {
        (uint64_t)STORY_T1 << 32 | FL_POINT_FAULT << 16 | FL_EVENT_FAULT_RAISE,
        (uint64_t)STORY_SPACE << 48 | region << 32 | 5, (uint64_t)FL_ACCESS_WRITE << 32 | 0};
    uint64_t expected = 0xcbf29ce484222325u;

    for (unsigned i = 0; i < G_N_ELEMENTS(words); i++) {
        expected = (expected ^ words[i]) * 0x9e3779b97f4a7c15u;
        expected ^= expected >> 32;
    }
    assert_int_equal(page, 5);
    assert_true(hash_event(HASH_START, &event) == expected);
}

/* Time, code addresses, thread numbers, frames, fault numbers do not count; the rest does. */
static void hash_sees_what_matters(void **unused)
{
    (void)unused;
    golden_tell(&story, "faults");
    uint64_t hash = story_hash();
    struct fl_event *raise = &story.events[story_find(&story, FL_EVENT_FAULT_RAISE, 0)];
    struct fl_event *entry = &story.events[story_find(&story, FL_EVENT_ENTRY, 0)];

    story.events[story.n_events - 1].id_time += UINT64_C(1) << 40;
    entry->arg += 4;
    raise->addr += 4;
    assert_true(story_hash() == hash);
    raise->addr += FL_PAGE_SIZE;
    assert_true(story_hash() != hash);
    raise->addr -= FL_PAGE_SIZE;
    raise->arg = FL_ACCESS_READ;
    assert_true(story_hash() != hash);
    raise->arg = FL_ACCESS_WRITE;
    raise->thread = STORY_T1;
    assert_true(story_hash() != hash);
    raise->thread = STORY_MAIN;
    entry->point = FL_POINT_DEBUG;
    assert_true(story_hash() != hash);
}

static void places(void **unused)
{
    (void)unused;
    golden_tell(&story, "stacks");
    story_hash();
    size_t n_places, n_entries = 0;
    const struct place *all = engine_places(engine, &n_places);
    const uint32_t *ready = engine_ready(engine);
    for (size_t i = 0; i < story.n_events; i++) {
        if (fl_event_id(&story.events[i]) != FL_EVENT_ENTRY)
            continue;
        const struct place *place = &all[n_entries++];
        assert_int_equal(place->event, i);
        assert_int_equal(place->thread, story.events[i].thread);
        assert_int_equal(place->n, story.events[i].aux);
        assert_int_equal(place->k, 0);
        assert_int_equal(place->point, story.events[i].point);
        assert_int_equal(place->pc, story.events[i].arg);
        assert_int_equal(place->n_ready, __builtin_popcountll(story.events[i].addr));
        for (unsigned j = 1; j < place->n_ready; j++)
            assert_true(ready[place->ready + j - 1] < ready[place->ready + j]);
    }
    assert_int_equal(n_places, n_entries);
}

/* Thread numbers are given out again: the order of the ready threads must not show it. */
static void ready_by_path_not_by_number(void **unused)
{
    (void)unused;
    story_begin(&story);
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_thread(&story, STORY_MAIN, STORY_T2);
    for (size_t i = 0; i < story.n_events; i++)
        if (fl_event_id(&story.events[i]) == FL_EVENT_THREAD_CREATE &&
            story.events[i].addr >= STORY_T1)
            story.events[i].arg = story.events[i].addr == STORY_T1 ? 9 : 4;
    story_entry(&story, STORY_MAIN, FL_POINT_YIELD);
    story.events[story.n_events - 1].addr = 1 << 9 | 1 << 4;
    story_hash();
    size_t n_places;
    const struct place *last = &engine_places(engine, &n_places)[n_places - 1];
    last = &engine_places(engine, &n_places)[n_places - 1];
    assert_int_equal(last->n_ready, 2);
    assert_int_equal(engine_ready(engine)[last->ready], STORY_T1);
    assert_int_equal(engine_ready(engine)[last->ready + 1], STORY_T2);
}

/* An interruption is a place after the thread's last entry, and must go forward. */
static void interruptions(void **unused)
{
    (void)unused;
    story_begin(&story);
    story_thread(&story, STORY_MAIN, STORY_T1);
    story_say(&story, FL_EVENT_INTERRUPT, STORY_MAIN, 1 << 2, 0x1000100, 7);
    story_say(&story, FL_EVENT_INTERRUPT, STORY_MAIN, 1 << 2, 0x1000104, 8);
    story_exit(&story, STORY_T1);
    story_exit(&story, FL_PATH_KERNEL);
    story_end(&story, FL_OUTCOME_EXITED);
    size_t first = story_find(&story, FL_EVENT_INTERRUPT, 0), n_places;
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    assert_int_equal(engine_end(engine, FL_OUTCOME_NONE)->kind, VERDICT_CLEAN);
    const struct place *place = engine_places(engine, &n_places);
    while (place->event != first)
        place++;
    assert_int_equal(place->thread, STORY_MAIN);
    assert_int_equal(place->n, 1);
    assert_int_equal(place->k, 7);
    assert_int_equal(place->n_ready, 1);
    assert_int_equal(engine_ready(engine)[place->ready], STORY_T1);

    story.events[first + 1].aux = 7;
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events);
    const struct verdict *verdict = engine_end(engine, FL_OUTCOME_NONE);
    assert_string_equal(verdict->violations[0].check->id, "trace-wellformed");
}

/* Nothing of a run reaches the next one. */
static void runs_are_apart(void **unused)
{
    (void)unused;
    golden_tell(&story, "stacks");
    uint64_t hash = story_hash();
    for (unsigned i = 0; i < 1000; i++) {
        for (const struct golden *golden = golden_violating; golden->name; golden += 7) {
            golden->tell(&story);
            story_hash();
            if (golden[1].name == NULL || golden + 7 >= golden_violating + 20)
                break;
        }
        golden_tell(&story, "stacks");
        assert_true(story_hash() == hash);
        engine_begin(engine, &story_scenario, STORY_PLAIN);
        engine_events(engine, story.events, story.n_events);
        assert_int_equal(engine_end(engine, FL_OUTCOME_NONE)->kind, VERDICT_CLEAN);
    }
}

/* Marsaglia's xorshift64, so that a failure comes again. */
static uint64_t draw(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* One field of one event becomes something else: never a crash, and never a clean verdict of
 * something that cannot be. */
static void mutated_events(void **unused)
{
    uint64_t state = 1;
    (void)unused;
    for (unsigned i = 0; i < 20000; i++) {
        const struct golden *golden = &golden_clean[draw(&state) % 9];
        golden->tell(&story);
        for (uint64_t n = draw(&state) % 4; n-- > 0;) {
            uint64_t *words = (uint64_t *)(void *)&story.events[draw(&state) % story.n_events];
            words[draw(&state) % 4] ^= draw(&state) >> (draw(&state) % 64);
        }
        engine_begin(engine, &story_scenario, golden->variant);
        engine_events(engine, story.events, story.n_events);
        const struct verdict *verdict = engine_end(engine, FL_OUTCOME_NONE);
        assert_int_equal(verdict->events, story.n_events);
        for (size_t v = 0; v < verdict->n_violations; v++) {
            assert_true(verdict->violations[v].event < story.n_events);
            assert_true(g_utf8_validate(verdict->violations[v].message, -1, NULL));
        }
    }
}

/* Any events at all, as of a guest that scribbles over its ring. */
static void random_events(void **unused)
{
    static struct fl_event events[20000];
    uint64_t state = 99;
    (void)unused;
    for (unsigned run = 0; run < 10; run++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(events); i++)
            events[i] = (struct fl_event){
                .id_time = (uint64_t)i << 16 | draw(&state) % (FL_EVENT_COUNT + 1),
                .thread = draw(&state) % 3 ? STORY_MAIN : (uint32_t)draw(&state) & 0x03030303u,
                .space = (uint16_t)(draw(&state) % 4),
                .point = (uint16_t)(draw(&state) % 32),
                .addr = draw(&state) % 2 ? draw(&state) & 0x03030303u : draw(&state),
                .arg = (uint32_t)(draw(&state) % 70),
                .aux = (uint32_t)(draw(&state) % 70)};
        engine_begin(engine, run % 2 ? &story_scenario : NULL, run);
        engine_events(engine, events, G_N_ELEMENTS(events));
        assert_int_equal(engine_end(engine, run)->kind, VERDICT_VIOLATION);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hash_as_documented),
        cmocka_unit_test(hash_sees_what_matters),
        cmocka_unit_test(places),
        cmocka_unit_test(ready_by_path_not_by_number),
        cmocka_unit_test(interruptions),
        cmocka_unit_test(runs_are_apart),
        cmocka_unit_test(mutated_events),
        cmocka_unit_test(random_events),
    };

    engine = engine_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    engine_free(engine);
    return failed;
}
