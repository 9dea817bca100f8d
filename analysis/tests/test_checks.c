/* Every check fires on what violates it and keeps still on what does not; and the engine around
 * them: order of violations, losses, hash, places. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include <glib.h>
#include "check.h"
#include "engine.h"
#include "golden.h"

static struct engine *engine;
static struct story story;

static const struct verdict *judge(unsigned variant, uint32_t outcome)
{
    engine_begin(engine, &story_scenario, variant);
    engine_events(engine, story.events, story.n_events);
    return engine_end(engine, outcome);
}

static void clean_stories(void **unused)
{
    (void)unused;
    for (const struct golden *golden = golden_clean; golden->name; golden++) {
        golden->tell(&story);
        const struct verdict *verdict = judge(golden->variant, FL_OUTCOME_NONE);
        if (verdict->kind != VERDICT_CLEAN)
            fail_msg("%s: %s: %s", golden->name,
                     verdict->n_violations ? verdict->violations[0].check->id : "inconclusive",
                     verdict->n_violations ? verdict->violations[0].message : verdict->reason);
    }
}

static void violating_stories_of(const struct golden *table)
{
    for (const struct golden *golden = table; golden->name; golden++) {
        golden->tell(&story);
        const struct verdict *verdict = judge(golden->variant, FL_OUTCOME_NONE);
        if (verdict->kind != VERDICT_VIOLATION)
            fail_msg("%s: not seen", golden->name);
        print_message("%s: %s\n", golden->name, verdict->violations[0].message);
        if (strcmp(verdict->violations[0].check->id, golden->check))
            fail_msg("%s: reported as %s", golden->name, verdict->violations[0].check->id);
    }
}

static void violating_stories(void **unused)
{
    (void)unused;
    violating_stories_of(golden_violating);
    violating_stories_of(golden_vm_violating);
    violating_stories_of(golden_waits_violating);
    violating_stories_of(golden_own_violating);
    violating_stories_of(golden_suspend_violating);
    violating_stories_of(golden_refused_violating);
}

/* The first story of the table that is about the check, or NULL. */
static const struct golden *story_about(const struct golden *table, const char *check)
{
    while (table->name && strcmp(table->check, check))
        table++;
    return table->name ? table : NULL;
}

/* A check that nothing shows failing is not to be trusted, nor one that fires on everything. */
static void every_check_is_shown(void **unused)
{
    (void)unused;
    for (unsigned i = 0; checks[i]; i++) {
        const char *id = checks[i]->id;
        if (!story_about(golden_clean, id))
            fail_msg("%s has no clean golden trace", id);
        if (!story_about(golden_violating, id) && !story_about(golden_vm_violating, id) &&
            !story_about(golden_waits_violating, id) && !story_about(golden_own_violating, id) &&
            !story_about(golden_suspend_violating, id) &&
            !story_about(golden_refused_violating, id))
            fail_msg("%s has no violating golden trace", id);
        if (i > 0)
            assert_true(strcmp(checks[i - 1]->id, checks[i]->id) < 0);
    }
}

/* checks.def names every file of checks/ and nothing else. */
static void every_file_is_listed(void **unused)
{
    (void)unused;
    GDir *dir = g_dir_open("analysis/checks", 0, NULL);
    const char *file;
    unsigned files = 0, listed = 0;

    assert_non_null(dir);
    while ((file = g_dir_read_name(dir)))
        if (g_str_has_suffix(file, ".c")) {
            char *id = g_strdelimit(g_strndup(file, strlen(file) - 2), "_", '-');
            unsigned i = 0;
            while (checks[i] && strcmp(checks[i]->id, id))
                i++;
            if (!checks[i])
                fail_msg("%s is not in checks.def", file);
            g_free(id);
            files++;
        }
    g_dir_close(dir);
    while (checks[listed])
        listed++;
    assert_int_equal(files, listed);
}

static void slot_message(void **unused)
{
    (void)unused;
    const struct golden *golden = golden_violating;
    while (strcmp(golden->name, "stack-slot-exclusive-two-reserves"))
        golden++;
    golden->tell(&story);
    const struct verdict *verdict = judge(STORY_PLAIN, FL_OUTCOME_NONE);
    assert_string_equal(verdict->violations[0].message,
                        "slot 1 (0x40100000) reserved by main for t2 and by t1 for t1.1");
    /* core's refusal, the error, and a slot that stays taken are its consequences: later */
    assert_int_equal(verdict->n_violations, 3);
    assert_string_equal(verdict->violations[1].check->id, "outcome-as-declared");
    assert_string_equal(verdict->violations[2].check->id, "stack-slot-given-back");
    for (size_t i = 1; i < verdict->n_violations; i++)
        assert_true(verdict->violations[i - 1].event <= verdict->violations[i].event);
}

static void deadlock_message(void **unused)
{
    (void)unused;
    const struct golden *golden = golden_violating;
    while (strcmp(golden->name, "no-deadlock-lock-cycle"))
        golden++;
    golden->tell(&story);
    const struct verdict *verdict = judge(STORY_PLAIN, FL_OUTCOME_NONE);
    assert_string_equal(verdict->violations[0].message,
                        "a cycle: main waits for the lock 0x1003004 that t1 holds, "
                        "t1 waits for the lock 0x1003000 that main holds");
}

/* ---- losses ---- */

static void cut_anywhere_is_inconclusive(void **unused)
{
    (void)unused;
    golden_tell(&story, "stacks");
    size_t whole = story.n_events;
    for (story.n_events = 0; story.n_events < whole; story.n_events++)
        assert_int_equal(judge(STORY_PLAIN, FL_OUTCOME_NONE)->kind, VERDICT_INCONCLUSIVE);
    assert_int_equal(judge(STORY_PLAIN, FL_OUTCOME_NONE)->kind, VERDICT_CLEAN);
}

static void a_gap_is_inconclusive(void **unused)
{
    (void)unused;
    golden_tell(&story, "stacks");
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, 20);
    engine_damage(engine, "a gap");
    engine_events(engine, story.events + 40, story.n_events - 40);
    const struct verdict *verdict = engine_end(engine, FL_OUTCOME_EXITED);
    assert_int_equal(verdict->kind, VERDICT_INCONCLUSIVE);
    assert_string_equal(verdict->reason, "a gap");
}

static void lost_events_are_inconclusive(void **unused)
{
    (void)unused;
    golden_tell(&story, "stacks");
    story.events[story.n_events - 1].aux = 7;
    assert_int_equal(judge(STORY_PLAIN, FL_OUTCOME_NONE)->kind, VERDICT_INCONCLUSIVE);
}

static void violated_before_the_loss_is_violated(void **unused)
{
    (void)unused;
    golden_violating[0].tell(&story);
    engine_begin(engine, &story_scenario, STORY_PLAIN);
    engine_events(engine, story.events, story.n_events - 5);
    engine_damage(engine, "cut");
    const struct verdict *verdict = engine_end(engine, FL_OUTCOME_NONE);
    assert_int_equal(verdict->kind, VERDICT_VIOLATION);
    assert_int_equal(verdict->n_violations, 1);
}

/* What the monitor says of a guest that can say nothing any more. */
static void outcomes_of_the_monitor(void **unused)
{
    static const uint32_t outcomes[] = {FL_OUTCOME_DEAD, FL_OUTCOME_SILENT, FL_OUTCOME_GUEST_FAULT,
                                        FL_OUTCOME_ABI_VIOLATION, FL_OUTCOME_HUNG};
    (void)unused;
    golden_tell(&story, "faults");
    story.n_events /= 2;
    for (unsigned i = 0; i < G_N_ELEMENTS(outcomes); i++) {
        const struct verdict *verdict = judge(STORY_PLAIN, outcomes[i]);
        assert_int_equal(verdict->kind, VERDICT_VIOLATION);
        assert_int_equal(verdict->n_violations, 1);
        assert_string_equal(verdict->violations[0].check->id, "outcome-as-declared");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(clean_stories),
        cmocka_unit_test(violating_stories),
        cmocka_unit_test(every_check_is_shown),
        cmocka_unit_test(every_file_is_listed),
        cmocka_unit_test(slot_message),
        cmocka_unit_test(deadlock_message),
        cmocka_unit_test(cut_anywhere_is_inconclusive),
        cmocka_unit_test(a_gap_is_inconclusive),
        cmocka_unit_test(lost_events_are_inconclusive),
        cmocka_unit_test(violated_before_the_loss_is_violated),
        cmocka_unit_test(outcomes_of_the_monitor),
    };

    engine = engine_new();
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    engine_free(engine);
    return failed;
}
