/* Guest memory: a file made only once, and no way to reach beyond its end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include "guestmem.h"

#define SIZE 8192u

static int make_path(void **state)
{
    char *dir = g_dir_make_tmp("faultline-test-XXXXXX", NULL);
    *state = g_build_filename(dir, "ram", NULL);
    g_free(dir);
    return 0;
}

static int remove_path(void **state)
{
    char *dir = g_path_get_dirname(*state);
    unlink(*state);
    rmdir(dir);
    g_free(dir);
    g_free(*state);
    return 0;
}

static void is_a_zeroed_file_of_the_size_asked_for(void **state)
{
    struct guestmem *memory = guestmem_create(*state, SIZE, NULL);
    assert_non_null(memory);
    assert_string_equal(guestmem_path(memory), *state);
    memcpy(guestmem_at(memory, 4096, 5, 1), "hello", 5);
    char *text;
    gsize size;
    assert_true(g_file_get_contents(*state, &text, &size, NULL));
    assert_int_equal(size, SIZE);
    assert_memory_equal(text + 4096, "hello", 5);
    assert_memory_equal(text, (char[4096]){0}, 4096);
    g_free(text);
    guestmem_free(memory);
    assert_int_not_equal(access(*state, F_OK), 0);
}

static void is_cleared_as_a_whole(void **state)
{
    struct guestmem *memory = guestmem_create(*state, SIZE, NULL);
    uint8_t *base = guestmem_at(memory, 0, SIZE, 1);
    memset(base, 0xff, SIZE);
    guestmem_clear(memory);
    for (size_t i = 0; i < SIZE; i++)
        assert_int_equal(base[i], 0);
    guestmem_free(memory);
}

static void never_takes_a_file_that_is_there(void **state)
{
    GError *error = NULL;
    struct guestmem *memory = guestmem_create(*state, SIZE, NULL);
    assert_null(guestmem_create(*state, SIZE, &error));
    assert_non_null(strstr(error->message, "File exists"));
    assert_int_equal(access(*state, F_OK), 0);
    g_error_free(error);
    guestmem_free(memory);
}

static void refuses_when_there_is_no_room(void **state)
{
    GError *error = NULL;
    assert_null(guestmem_create(*state, (size_t)1 << 50, &error));
    assert_non_null(strstr(error->message, "guest RAM"));
    assert_int_not_equal(access(*state, F_OK), 0);
    g_error_free(error);
}

static void has_bounds(void **state)
{
    static const struct {
        uint64_t offset;
        size_t size, align;
        bool inside;
    } rows[] = {
        {0, SIZE, 4096, true},     {SIZE, 0, 1, true},
        {SIZE - 4, 4, 4, true},    {0, SIZE + 1, 1, false},
        {SIZE, 1, 1, false},       {SIZE - 4, 5, 1, false},
        {SIZE + 1, 0, 1, false},   {2, 4, 4, false},
        {UINT64_MAX, 2, 1, false}, {UINT64_MAX - 1, SIZE, 1, false},
        {4, SIZE_MAX, 1, false},   {4, SIZE_MAX - 3, 1, false},
    };
    struct guestmem *memory = guestmem_create(*state, SIZE, NULL);
    char *base = guestmem_at(memory, 0, SIZE, 1);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        char *at = guestmem_at(memory, rows[i].offset, rows[i].size, rows[i].align);
        assert_ptr_equal(at, rows[i].inside ? base + rows[i].offset : NULL);
    }
    guestmem_free(memory);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_path, remove_path)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(is_a_zeroed_file_of_the_size_asked_for),
        TEST(is_cleared_as_a_whole),
        TEST(never_takes_a_file_that_is_there),
        TEST(refuses_when_there_is_no_room),
        TEST(has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
