/* Private directories: gone with their owner, however that ends, and never a neighbour's. */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "scratch.h"
#include "workdir.h"

/* The directory of all sessions, as in workdir.h. */
static char *root_in(const char *scratch)
{
    return g_strdup_printf("%s/faultline-%u", scratch, (unsigned)geteuid());
}

static bool exists(const char *path)
{
    return access(path, F_OK) == 0;
}

static void touch(const char *dir, const char *name)
{
    char *path = g_build_filename(dir, name, NULL);
    assert_true(g_file_set_contents(path, "x", 1, NULL));
    g_free(path);
}

static void is_private_and_leaves_nothing(void **state)
{
    struct workdir *first = workdir_open(NULL), *second = workdir_open(NULL);
    assert_true(g_str_has_prefix(workdir_path(first), *state));
    assert_string_not_equal(workdir_path(first), workdir_path(second));
    struct stat status;
    assert_int_equal(stat(workdir_path(first), &status), 0);
    assert_int_equal(status.st_mode & 0777, 0700);
    touch(workdir_path(first), WORKDIR_RAM);
    touch(workdir_path(second), WORKDIR_LOG);
    workdir_close(first);
    assert_true(exists(workdir_path(second)));
    workdir_close(second);
}

/* A process that owns a directory and waits to be killed. */
struct owner {
    pid_t pid, vm;
    char path[200];
};

/* What stands for a QEMU: a process with guest RAM on its command line. Returns when it is that: up
 * to its exec it holds all that its parent does, the lock too. */
static pid_t start_vm(const char *ram)
{
    int started[2];
    char byte;
    assert_int_equal(pipe2(started, O_CLOEXEC), 0);
    pid_t pid = fork();
    if (pid == 0) {
        execl("/bin/sleep", ram, "60", (char *)NULL); /* if the test forgets it */
        _exit(1);
    }
    close(started[1]);
    assert_int_equal(read(started[0], &byte, 1), 0);
    close(started[0]);
    return pid;
}

static void own(int report, bool its_own_vm)
{
    struct owner owner = {.pid = getpid()};
    struct workdir *workdir = workdir_open(NULL);
    g_strlcpy(owner.path, workdir_path(workdir), sizeof owner.path);
    touch(owner.path, WORKDIR_RAM);
    char *ram = g_build_filename(owner.path, WORKDIR_RAM, NULL);
    owner.vm = start_vm(its_own_vm ? ram : "/elsewhere/ram");
    workdir_note_process(owner.path, owner.vm);
    if (write(report, &owner, sizeof owner) == sizeof owner)
        pause();
    _exit(1);
}

static struct owner start_owner(bool its_own_vm)
{
    struct owner owner;
    int report[2];
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    assert_int_equal(pipe(report), 0);
    if (fork() == 0)
        own(report[1], its_own_vm);
    assert_int_equal(read(report[0], &owner, sizeof owner), sizeof owner);
    close(report[0]);
    close(report[1]);
    return owner;
}

static void kill_owner(const struct owner *owner)
{
    kill(owner->pid, SIGKILL);
    assert_int_equal(waitpid(owner->pid, NULL, 0), owner->pid);
}

static void the_living_are_left_alone(void **state)
{
    (void)state;
    struct owner owner = start_owner(true);
    assert_int_equal(workdir_sweep(), 0);
    workdir_close(workdir_open(NULL));
    char *ram = g_build_filename(owner.path, WORKDIR_RAM, NULL);
    assert_true(exists(ram));
    g_free(ram);
    assert_int_equal(waitpid(owner.vm, NULL, WNOHANG), -1); /* not ours yet: its parent lives */
    assert_int_equal(kill(owner.vm, 0), 0);
    kill_owner(&owner);
    assert_int_equal(workdir_sweep(), 1);
    assert_int_equal(waitpid(owner.vm, NULL, 0), owner.vm);
}

static void what_the_dead_left_is_taken_away(void **state)
{
    (void)state;
    struct owner owner = start_owner(true);
    kill_owner(&owner);
    assert_true(exists(owner.path));
    struct workdir *next = workdir_open(NULL);
    assert_false(exists(owner.path));
    int status;
    assert_int_equal(waitpid(owner.vm, &status, 0), owner.vm);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    workdir_close(next);
}

/* The number noted may be another process's by the time that it is read. */
static void a_process_on_other_memory_is_spared(void **state)
{
    (void)state;
    struct owner owner = start_owner(false);
    kill_owner(&owner);
    assert_int_equal(workdir_sweep(), 1);
    assert_false(exists(owner.path));
    assert_int_equal(waitpid(owner.vm, NULL, WNOHANG), 0);
    kill(owner.vm, SIGKILL);
    assert_int_equal(waitpid(owner.vm, NULL, 0), owner.vm);
}

static pid_t start_churn(unsigned times)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    for (unsigned i = 0; i < times; i++) {
        struct workdir *workdir = workdir_open(NULL);
        if (workdir == NULL || !exists(workdir_path(workdir)))
            _exit(1);
        touch(workdir_path(workdir), WORKDIR_RAM);
        workdir_close(workdir);
    }
    _exit(0);
}

static void neighbours_do_not_disturb_each_other(void **state)
{
    (void)state;
    pid_t pids[3];
    for (size_t i = 0; i < G_N_ELEMENTS(pids); i++)
        pids[i] = start_churn(300);
    for (size_t i = 0; i < G_N_ELEMENTS(pids); i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

static void a_kill_at_any_moment_leaves_nothing(void **state)
{
    char *root = root_in(*state);
    GRand *dice = g_rand_new_with_seed(7);
    for (unsigned i = 0; i < 60; i++) {
        pid_t pid = start_churn(UINT32_MAX);
        g_usleep((gulong)g_rand_int_range(dice, 500, 6000)); /* the random moment */
        kill(pid, SIGKILL);
        assert_int_equal(waitpid(pid, NULL, 0), pid);
        assert_in_range(workdir_sweep(), 0, 1);
        assert_false(exists(root));
    }
    g_rand_free(dice);
    g_free(root);
}

static void a_root_that_others_made_is_not_used(void **state)
{
    char *root = root_in(*state);
    assert_int_equal(symlink(*state, root), 0);
    struct workdir *workdir = workdir_open(NULL);
    assert_non_null(workdir);
    assert_false(g_str_has_prefix(workdir_path(workdir), *state));
    workdir_close(workdir);
    assert_int_equal(unlink(root), 0);

    assert_int_equal(mkdir(root, 0777), 0);
    assert_int_equal(chmod(root, 0777), 0);
    workdir = workdir_open(NULL);
    assert_false(g_str_has_prefix(workdir_path(workdir), *state));
    workdir_close(workdir);
    assert_int_equal(rmdir(root), 0);
    g_free(root);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_private_and_leaves_nothing),        TEST(the_living_are_left_alone),
        TEST(what_the_dead_left_is_taken_away),     TEST(a_process_on_other_memory_is_spared),
        TEST(neighbours_do_not_disturb_each_other), TEST(a_kill_at_any_moment_leaves_nothing),
        TEST(a_root_that_others_made_is_not_used),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
