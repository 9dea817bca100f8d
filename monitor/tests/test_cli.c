/* What the verbs share. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "capture.h"
#include "cli.h"
#include "main.h"
#include "progress.h"

static void distance_counts_edits(void **state)
{
    (void)state;
    assert_int_equal(cli_distance("", ""), 0);
    assert_int_equal(cli_distance("racy", "racy"), 0);
    assert_int_equal(cli_distance("racey", "racy"), 1);
    assert_int_equal(cli_distance("", "racy"), 4);
    assert_int_equal(cli_distance("racy", ""), 4);
    assert_int_equal(cli_distance("kitten", "sitting"), 3);
}

static void unknown_names_the_nearest(void **state)
{
    (void)state;
    g_autoptr(GPtrArray) known = g_ptr_array_new();
    GError *error = NULL;
    cli_unknown("verb", "x", known, "list", &error);
    assert_string_equal(error->message, "unknown verb \"x\"; there is none");
    g_clear_error(&error);
    g_ptr_array_add(known, "smoke");
    g_ptr_array_add(known, "genode_stack_slot");
    cli_unknown("scenario", "genode_stack_slto", known, "faultline list", &error);
    assert_string_equal(error->message, "unknown scenario \"genode_stack_slto\"; did you mean "
                                        "\"genode_stack_slot\"? `faultline list` lists them");
    g_clear_error(&error);
}

static void counts_read_well(void **state)
{
    (void)state;
    static const struct {
        uint64_t number;
        const char *text;
    } cases[] = {{0, "0"}, {999, "999"}, {1000, "1,000"}, {6410, "6,410"}, {1234567, "1,234,567"}};
    for (size_t i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_autofree char *text = cli_count(cases[i].number);
        assert_string_equal(text, cases[i].text);
    }
    g_autofree char *one = cli_plural(1, "finding");
    g_autofree char *many = cli_plural(2000, "finding");
    assert_string_equal(one, "1 finding");
    assert_string_equal(many, "2,000 findings");
}

static void depths_have_names(void **state)
{
    (void)state;
    unsigned depth;
    assert_true(cli_depth("sync", &depth, NULL));
    assert_int_equal(depth, FL_DEPTH_SYNC);
    static const char *const wrong[] = {"ipcs", "never", "", "IPC"};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        g_autoptr(GError) error = NULL;
        assert_false(cli_depth(wrong[i], &depth, &error));
        assert_non_null(strstr(error->message, "ipc, sync, access or insn"));
    }
}

/* Without a terminal: nothing before its time, then whole lines. */
static void progress_is_quiet_at_first(void **state)
{
    (void)state;
    char text[64] = "";
    FILE *file = tmpfile();
    struct progress progress;
    progress_begin(&progress, file);
    assert_false(progress.terminal);
    assert_false(progress_due(&progress));
    progress.next = 0;
    assert_true(progress_due(&progress));
    progress_draw(&progress, "run 7");
    assert_false(progress_due(&progress));
    progress_end(&progress);
    rewind(file);
    assert_int_equal(fread(text, 1, sizeof(text) - 1, file), 6);
    assert_string_equal(text, "run 7\n");
    fclose(file);
}

static void an_interrupt_is_noted_once(void **state)
{
    (void)state;
    cli_catch_interrupt();
    assert_false(cli_interrupted());
    raise(SIGINT);
    assert_true(cli_interrupted());
    struct sigaction action;
    sigaction(SIGINT, NULL, &action);
    assert_ptr_equal(action.sa_handler, SIG_DFL);
}

static void events_differ_by_what_is_hashed(void **state)
{
    (void)state;
    struct fl_event a[3] = {
        {.id_time = FL_EVENT_ENTRY | 5u << 16,
         .thread = 7,
         .point = FL_POINT_MAP,
         .addr = 3,
         .arg = 1},
        {.id_time = FL_EVENT_MAP, .thread = 7, .addr = FL_CONTEXT_BASE, .arg = FL_RIGHTS_RW},
        {.id_time = FL_EVENT_PREEMPT, .thread = 7, .addr = 9, .arg = 2},
    };
    struct fl_event b[3];
    memcpy(b, a, sizeof(a));
    b[0].id_time = FL_EVENT_ENTRY | 9u << 16; /* the time */
    b[0].addr = 4;                            /* who was ready */
    b[0].arg = 2;                             /* pc */
    b[1].addr += 8;                           /* within the page */
    b[1].aux = 5;                             /* frame */
    assert_true(events_differ(a, 3, b, 3) == SIZE_MAX);
    assert_int_equal(events_differ(a, 3, b, 2), 2);
    b[2].addr = 8;
    assert_int_equal(events_differ(a, 3, b, 3), 2);
    b[1].addr += FL_PAGE_SIZE;
    assert_int_equal(events_differ(a, 3, b, 3), 1);
    b[0].point = FL_POINT_UNMAP;
    assert_int_equal(events_differ(a, 3, b, 3), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(distance_counts_edits),
        cmocka_unit_test(unknown_names_the_nearest),
        cmocka_unit_test(counts_read_well),
        cmocka_unit_test(depths_have_names),
        cmocka_unit_test(progress_is_quiet_at_first),
        cmocka_unit_test(an_interrupt_is_noted_once),
        cmocka_unit_test(events_differ_by_what_is_hashed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
