/* The QEMU back end as a parent of processes: programs of the test's own stand for QEMU. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "backend/qemu.h"
#include "scratch.h"
#include "workdir.h"

struct place {
    char *dir, *old_path;
    struct workdir *workdir;
    struct guestmem *memory;
};

/* Puts a script in the place of qemu-system-arm; NULL: there is none. */
static void pretend(struct place *place, const char *script)
{
    char *program = g_build_filename(place->dir, "qemu-system-arm", NULL);
    char *text = g_strdup_printf("#!/bin/sh\n%s\n", script);
    assert_true(g_file_set_contents(program, text, -1, NULL));
    assert_int_equal(chmod(program, 0700), 0);
    if (script[0] == '\0')
        unlink(program);
    g_setenv("PATH", place->dir, TRUE);
    g_free(text);
    g_free(program);
}

static int set_up(void **state)
{
    struct place *place = g_new0(struct place, 1);
    make_scratch((void **)&place->dir);
    place->old_path = g_strdup(g_getenv("PATH"));
    place->workdir = workdir_open(NULL);
    char *ram = g_build_filename(workdir_path(place->workdir), WORKDIR_RAM, NULL);
    place->memory = guestmem_create(ram, FL_RAM_SIZE, NULL);
    g_free(ram);
    *state = place;
    return 0;
}

static int tear_down(void **state)
{
    struct place *place = *state;
    char *program = g_build_filename(place->dir, "qemu-system-arm", NULL);
    unlink(program);
    g_free(program);
    g_setenv("PATH", place->old_path, TRUE);
    g_free(place->old_path);
    guestmem_free(place->memory);
    workdir_close(place->workdir);
    int left = remove_scratch((void **)&place->dir);
    g_free(place);
    return left;
}

static struct backend *start(struct place *place, GError **error)
{
    struct backend_config config = {
        .image = "guest.elf",
        .run_dir = workdir_path(place->workdir),
        .memory = place->memory,
    };
    return backend_qemu.start(&config, error);
}

/* Waits, asleep, for the process to be gone, but does not collect it. */
static void wait_for_end(struct place *place)
{
    char *path = g_build_filename(workdir_path(place->workdir), "vm.pid", NULL);
    char *pid;
    siginfo_t info;
    assert_true(g_file_get_contents(path, &pid, NULL, NULL));
    assert_int_equal(waitid(P_PID, (id_t)atoi(pid), &info, WEXITED | WNOWAIT), 0);
    g_free(pid);
    g_free(path);
}

static void says_how_it_ended(void **state)
{
    static const struct {
        const char *script, *reason;
    } rows[] = {
        {"exit 0", "the guest powered off"},
        {"exit 3", "QEMU ended with status 3"},
        {"echo one >&2; echo 'no such machine' >&2; exit 1",
         "QEMU ended with status 1: no such machine"},
        {"kill -9 $$", "QEMU was ended by signal 9 (Killed)"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char reason[160];
        pretend(*state, rows[i].script);
        struct backend *backend = start(*state, NULL);
        assert_non_null(backend);
        wait_for_end(*state);
        for (int again = 0; again < 2; again++) {
            assert_false(backend_qemu.alive(backend, reason, sizeof reason));
            assert_string_equal(reason, rows[i].reason);
        }
        backend_qemu.park(backend); /* on a dead guest: nothing happens */
        backend_qemu.unpark(backend);
        backend_qemu.stop(backend);
    }
}

static void gets_the_arguments_that_determinism_needs(void **state)
{
    struct place *place = *state;
    pretend(place, "for word; do echo \"$word\"; done; exit 1");
    struct backend *backend = start(place, NULL);
    wait_for_end(place);
    char *path = g_build_filename(workdir_path(place->workdir), WORKDIR_LOG, NULL);
    char *text;
    assert_true(g_file_get_contents(path, &text, NULL, NULL));
    char *ram = g_strdup_printf("mem-path=%s,share=on\n", guestmem_path(place->memory));
    const char *const words[] = {"shift=0,sleep=off,align=off\n", "cntfrq=1000000000\n",
                                 "-kernel\nguest.elf\n", "-no-reboot\n", ram};
    for (size_t i = 0; i < G_N_ELEMENTS(words); i++)
        assert_non_null(strstr(text, words[i]));
    g_free(ram);
    g_free(text);
    g_free(path);
    backend_qemu.stop(backend);
}

static void stops_what_is_alive_or_parked(void **state)
{
    pretend(*state, "while :; do :; done");
    for (int parked = 0; parked < 2; parked++) {
        char reason[160];
        struct backend *backend = start(*state, NULL);
        assert_true(backend_qemu.alive(backend, reason, sizeof reason));
        if (parked)
            backend_qemu.park(backend);
        assert_true(backend_qemu.alive(backend, reason, sizeof reason));
        backend_qemu.stop(backend);
        assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* no child is left */
    }
}

static void says_that_qemu_is_missing(void **state)
{
    char reason[200];
    GError *error = NULL;
    pretend(*state, "");
    assert_null(start(*state, &error));
    assert_string_equal(error->message, "qemu-system-arm is not installed: apt install "
                                        "qemu-system-arm (or run `make setup`)");
    assert_false(backend_qemu.probe(reason, sizeof reason));
    assert_string_equal(reason, error->message);
    g_error_free(error);
}

static void knows_the_version_that_it_needs(void **state)
{
    static const struct {
        const char *script;
        bool enough;
        const char *reason;
    } rows[] = {
        {"echo 'QEMU emulator version 7.2.22 (Debian)'", true, "qemu-system-arm 7.2"},
        {"echo 'QEMU emulator version 10.0.0'", true, "qemu-system-arm 10.0"},
        {"echo 'QEMU emulator version 6.9.0'", false,
         "qemu-system-arm 6.9 is too old: 7.2 or later is needed"},
        {"echo 'QEMU emulator version 7.1.0'", false,
         "qemu-system-arm 7.1 is too old: 7.2 or later is needed"},
        {"echo hello", false, "qemu-system-arm does not say its version: is it QEMU's?"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char reason[200];
        pretend(*state, rows[i].script);
        assert_int_equal(backend_qemu.probe(reason, sizeof reason), rows[i].enough);
        assert_string_equal(reason, rows[i].reason);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(says_how_it_ended),
        TEST(gets_the_arguments_that_determinism_needs),
        TEST(stops_what_is_alive_or_parked),
        TEST(says_that_qemu_is_missing),
        TEST(knows_the_version_that_it_needs),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
