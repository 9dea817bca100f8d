/* Run directories: numbers, locks, atomic files, and what is said when the disk does not want to.
 */
#include "unit.h"
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include "disk.h"

static int set_up(void **state)
{
    *state = sample_directory();
    return 0;
}

static int tear_down(void **state)
{
    sample_remove(*state);
    return 0;
}

static void assert_error(GError *error, int code, const char *text)
{
    assert_non_null(error);
    assert_int_equal(error->code, code);
    if (!strstr(error->message, text) || strchr(error->message, '\n'))
        fail_msg("'%s' does not say '%s' in one line", error->message, text);
    g_error_free(error);
}

static void assert_next(const char *root, const char *expected)
{
    char *path = rundir_create(root, "sample", "racy", NULL);
    char *name = g_path_get_basename(path);
    assert_string_equal(name, expected);
    g_free(name);
    g_free(path);
}

static void numbers_go_on_after_the_highest(void **state)
{
    char *root = g_build_filename(*state, "not", "there", NULL);
    assert_next(root, "sample-racy-0001");
    assert_next(root, "sample-racy-0002");
    char *other = rundir_create(root, "sample", "fixed", NULL);
    assert_true(g_str_has_suffix(other, "/sample-fixed-0001"));
    g_free(other);
    char *high = g_build_filename(root, "sample-racy-9999", NULL);
    assert_int_equal(mkdir(high, 0777), 0);
    assert_next(root, "sample-racy-10000");
    g_free(high);
    g_free(root);
}

#define MONITORS 6
#define EACH     25

/* Each process makes its directories at the same time as the others; none may be given twice. */
static void monitors_side_by_side_get_different_directories(void **state)
{
    const char *root = *state;
    pid_t children[MONITORS];
    for (int i = 0; i < MONITORS; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            for (int j = 0; j < EACH; j++)
                if (!rundir_create(root, "sample", "racy", NULL))
                    _exit(1);
            _exit(0);
        }
    }
    for (int i = 0; i < MONITORS; i++) {
        int status;
        assert_int_equal(waitpid(children[i], &status, 0), children[i]);
        assert_int_equal(status, 0);
    }
    char last[32];
    snprintf(last, sizeof last, "sample-racy-%04d", MONITORS * EACH + 1);
    assert_next(root, last);
}

static void names_cannot_leave_the_root(void **state)
{
    GError *error = NULL;
    assert_null(rundir_create(*state, "../x", "racy", &error));
    assert_error(error, TRACE_ERROR_FORMAT, "no directory can be named after");
}

static void a_root_that_cannot_be_is_said(void **state)
{
    (void)state;
    GError *error = NULL;
    assert_null(rundir_create("/proc/faultline", "sample", "racy", &error));
    assert_error(error, TRACE_ERROR_IO, "cannot make /proc/faultline: ");
    error = NULL;
    assert_null(rundir_create("/dev/null/runs", "sample", "racy", &error));
    assert_error(error, TRACE_ERROR_IO, "/dev/null/runs: Not a directory; check the path");
}

static void a_directory_has_one_user(void **state)
{
    GError *error = NULL;
    int lock = rundir_lock(*state, NULL);
    assert_true(lock >= 0);
    assert_int_equal(rundir_lock(*state, &error), -1);
    assert_error(error, TRACE_ERROR_BUSY, "is in use by another monitor");
    rundir_unlock(lock);
    lock = rundir_lock(*state, NULL);
    assert_true(lock >= 0);
    rundir_unlock(lock);
    error = NULL;
    assert_int_equal(rundir_lock("/nonexistent", &error), -1);
    assert_error(error, TRACE_ERROR_IO, "cannot open /nonexistent");
}

/* kill -9 releases the lock and leaves no file. */
static void death_releases_the_lock(void **state)
{
    int ready[2], lock;
    char byte;
    GError *error = NULL;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (rundir_lock(*state, NULL) < 0 || write(ready[1], "x", 1) != 1)
            _exit(1);
        pause();
    }
    assert_int_equal(read(ready[0], &byte, 1), 1);
    assert_int_equal(rundir_lock(*state, &error), -1);
    assert_error(error, TRACE_ERROR_BUSY, "in use");
    assert_int_equal(kill(child, SIGKILL), 0);
    assert_int_equal(waitpid(child, NULL, 0), child);
    lock = rundir_lock(*state, NULL);
    assert_true(lock >= 0);
    assert_int_equal(rmdir(*state), 0); /* it is empty */
    rundir_unlock(lock);
    close(ready[0]);
    close(ready[1]);
}

static void files_are_replaced_whole(void **state)
{
    char *path = g_build_filename(*state, "plan.json", NULL), *text;
    assert_true(rundir_write(*state, "plan.json", "first\n", NULL));
    FILE *open_before = fopen(path, "r");
    assert_true(rundir_write(*state, "plan.json", "second, longer\n", NULL));
    char line[32];
    assert_non_null(fgets(line, sizeof line, open_before)); /* a reader keeps what it opened */
    assert_string_equal(line, "first\n");
    fclose(open_before);
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    assert_string_equal(text, "second, longer\n");
    g_free(text);
    assert_int_equal(unlink(path), 0);
    g_free(path);
    char *temporary = g_build_filename(*state, ".plan.json.tmp", NULL);
    assert_false(g_file_test(temporary, G_FILE_TEST_EXISTS));
    g_free(temporary);
}

static void a_directory_in_the_files_place_is_said(void **state)
{
    GError *error = NULL;
    char *path = g_build_filename(*state, "plan.json", NULL);
    assert_int_equal(mkdir(path, 0777), 0);
    assert_false(rundir_write(*state, "plan.json", "x", &error));
    assert_error(error, TRACE_ERROR_IO, "plan.json: Is a directory");
    g_free(path);
}

/* /dev/full answers every write with ENOSPC. */
static void a_full_disk_says_how_to_mend_it(void **state)
{
    (void)state;
    GError *error = NULL;
    int full = open("/dev/full", O_WRONLY);
    assert_true(full >= 0);
    assert_false(disk_write_all(full, "x", 1));
    disk_error(&error, "write", "traces/runs/x");
    assert_error(error, TRACE_ERROR_IO,
                 "cannot write traces/runs/x: No space left on device; make room, or put the "
                 "traces elsewhere");
    close(full);
}

/* Root may write anywhere, so the child gives that up first. */
static void a_directory_that_may_not_be_written_is_said(void **state)
{
    assert_int_equal(chmod(*state, 0555), 0);
    pid_t child = fork();
    if (child == 0) {
        GError *error = NULL;
        if (geteuid() == 0 && setresuid(65534, 65534, 65534) != 0)
            _exit(2);
        bool refused = !rundir_create(*state, "sample", "racy", &error) &&
                       strstr(error->message, "choose a directory that you may write to");
        _exit(refused ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(chmod(*state, 0755), 0);
    assert_int_equal(status, 0);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(numbers_go_on_after_the_highest),
        TEST(monitors_side_by_side_get_different_directories),
        TEST(names_cannot_leave_the_root),
        TEST(a_root_that_cannot_be_is_said),
        TEST(a_directory_has_one_user),
        TEST(death_releases_the_lock),
        TEST(files_are_replaced_whole),
        TEST(a_directory_in_the_files_place_is_said),
        TEST(a_full_disk_says_how_to_mend_it),
        TEST(a_directory_that_may_not_be_written_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
