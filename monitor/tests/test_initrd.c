/* An initial file system as Linux reads it (init/initramfs.c). */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "backend/initrd.h"
#include "scratch.h"

enum { HEADER = 110, MODE = 1, LINKS = 4, FILE_SIZE = 6, NAME_SIZE = 11, NUMBERS = 13 };

/* Contents that do not end where the next header may begin. */
static const struct {
    const char *name, *contents;
} files[] = {{"init", "four"}, {"empty", ""}, {"guest.elf", "thirteen long"}};

static const char *entry(const char *at, const char *name, const char *contents)
{
    unsigned numbers[NUMBERS];
    assert_memory_equal(at, "070701", 6);
    for (int i = 0; i < NUMBERS; i++)
        assert_int_equal(sscanf(at + 6 + 8 * i, "%8x", &numbers[i]), 1);
    assert_int_equal(numbers[LINKS], 1);
    assert_int_equal(numbers[NAME_SIZE], strlen(name) + 1);
    assert_int_equal(numbers[FILE_SIZE], strlen(contents));
    assert_int_equal(numbers[MODE], strcmp(name, "TRAILER!!!") != 0 ? 0100555 : 0);
    assert_string_equal(at + HEADER, name);
    at += (HEADER + strlen(name) + 1 + 3) / 4 * 4;
    assert_memory_equal(at, contents, strlen(contents));
    return at + (strlen(contents) + 3) / 4 * 4;
}

static void holds_the_files(void **state)
{
    struct initrd_file list[G_N_ELEMENTS(files)];
    g_autofree char *path = g_build_filename(*state, "initrd", NULL);
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        list[i] =
            (struct initrd_file){files[i].name, g_build_filename(*state, files[i].name, NULL)};
        assert_true(g_file_set_contents(list[i].path, files[i].contents, -1, NULL));
    }
    assert_true(initrd_write(path, list, G_N_ELEMENTS(list), NULL));
    g_autofree char *archive = NULL;
    gsize size;
    assert_true(g_file_get_contents(path, &archive, &size, NULL));
    const char *at = archive;
    for (size_t i = 0; i < G_N_ELEMENTS(files); i++) {
        at = entry(at, files[i].name, files[i].contents);
        unlink(list[i].path);
        g_free(list[i].path);
    }
    assert_ptr_equal(entry(at, "TRAILER!!!", ""), archive + size);
    unlink(path);
}

static void says_which_file_is_missing(void **state)
{
    GError *error = NULL;
    g_autofree char *path = g_build_filename(*state, "initrd", NULL);
    g_autofree char *missing = g_build_filename(*state, "kvm.ko", NULL);
    assert_false(initrd_write(path, &(struct initrd_file){"kvm.ko", missing}, 1, &error));
    assert_non_null(strstr(error->message, missing));
    assert_int_not_equal(access(path, F_OK), 0);
    g_error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(holds_the_files, make_scratch, remove_scratch),
        cmocka_unit_test_setup_teardown(says_which_file_is_missing, make_scratch, remove_scratch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
