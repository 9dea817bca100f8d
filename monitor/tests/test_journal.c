/* What a search remembers: on disk, and of the right search only. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <glib/gstdio.h>
#include <unistd.h>
#include "explore/journal.h"

static char *directory;

static int set_up(void **state)
{
    (void)state;
    directory = g_dir_make_tmp("faultline-test-XXXXXX", NULL);
    return directory == NULL;
}

static int tear_down(void **state)
{
    (void)state;
    GDir *dir = g_dir_open(directory, 0, NULL);
    for (const char *name; (name = g_dir_read_name(dir)) != NULL;) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        g_unlink(path);
    }
    g_dir_close(dir);
    const int left = g_rmdir(directory);
    g_clear_pointer(&directory, g_free);
    return left;
}

static void write_runs(unsigned count, bool resume)
{
    struct journal *journal = journal_open(directory, "a", "key", resume);
    const uint64_t before = journal_remembered(journal);
    for (unsigned i = 0; i < count; i++) {
        const struct journal_run run = {
            .event_hash = before + i, .outcome = 1, .verdict = 0, .used = i % 2 == 0};
        journal_add(journal, &run);
    }
    assert_true(journal_flush(journal, 1.5, NULL));
    journal_close(journal);
}

static void remembers_in_order(void **state)
{
    (void)state;
    write_runs(10, false);
    write_runs(7, true);
    struct journal *journal = journal_open(directory, "a", "key", true);
    assert_int_equal(journal_remembered(journal), 17);
    assert_true(journal_seconds(journal) == 1.5);
    for (unsigned i = 0; i < 17; i++)
        assert_int_equal(journal_run(journal, i)->event_hash, i);
    assert_int_equal(journal_run(journal, 10)->used, 1);
    assert_int_equal(journal_run(journal, 11)->used, 0);
    journal_close(journal);
    journal = journal_open(directory, "a", "key", false);
    assert_int_equal(journal_remembered(journal), 0);
    journal_close(journal);
}

static void another_search_is_another_journal(void **state)
{
    (void)state;
    write_runs(10, false);
    struct journal *journal = journal_open(directory, "a", "other key", true);
    assert_int_equal(journal_remembered(journal), 0);
    journal_close(journal);
}

static char *only_file(void)
{
    GDir *dir = g_dir_open(directory, 0, NULL);
    char *path = g_build_filename(directory, g_dir_read_name(dir), NULL);
    g_dir_close(dir);
    return path;
}

/* A monitor that was killed may have written half a run, or half a header. */
static void half_a_run_counts_for_nothing(void **state)
{
    (void)state;
    write_runs(10, false);
    g_autofree char *path = only_file();
    assert_int_equal(truncate(path, 4096 + 9 * 16 + 5), 0);
    struct journal *journal = journal_open(directory, "a", "key", true);
    assert_int_equal(journal_remembered(journal), 9);
    journal_close(journal);
    write_runs(1, true);
    journal = journal_open(directory, "a", "key", true);
    assert_int_equal(journal_remembered(journal), 10);
    journal_close(journal);
    assert_int_equal(truncate(path, 100), 0);
    journal = journal_open(directory, "a", "key", true);
    assert_int_equal(journal_remembered(journal), 0);
    journal_close(journal);
}

static void what_is_complete_is_forgotten(void **state)
{
    (void)state;
    write_runs(3, false);
    g_autofree char *path = only_file();
    struct journal *journal = journal_open(directory, "a", "key", true);
    journal_remove(journal);
    journal_close(journal);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
}

static void says_when_it_cannot_be_written(void **state)
{
    (void)state;
    g_autofree char *file = g_build_filename(directory, "file", NULL);
    assert_true(g_file_set_contents(file, "", 0, NULL));
    struct journal *journal = journal_open(file, "a", "key", false);
    const struct journal_run run = {.event_hash = 1};
    GError *error = NULL;
    journal_add(journal, &run);
    assert_false(journal_flush(journal, 0, &error));
    assert_non_null(strstr(error->message, "cannot be resumed"));
    g_error_free(error);
    journal_close(journal);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(remembers_in_order, set_up, tear_down),
        cmocka_unit_test_setup_teardown(another_search_is_another_journal, set_up, tear_down),
        cmocka_unit_test_setup_teardown(half_a_run_counts_for_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(what_is_complete_is_forgotten, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_when_it_cannot_be_written, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
