/* Page tables that a guest wrote, sound and not: translations, and what is no translation. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <cmocka.h>
#include "abi.h"
#include "guestwalk.h"
#include "scratch.h"

#define RAM        0x40000000u
#define FIRST      0x4000u /* offsets in RAM */
#define SECOND     0x8000u
#define DATA       0x9000u
#define VIRTUAL    0x00123000u
#define SECTION    0x00500000u
#define PAGE_RW    0x87eu
#define PAGE_XN    0x87fu
#define SECTION_RW 0x00001c1eu

static struct guestmem *memory;

static void put(uint32_t offset, uint32_t value)
{
    memcpy(guestmem_at(memory, offset, sizeof value, 4), &value, sizeof value);
}

static int make_tables(void **state)
{
    char *path = g_build_filename(*state, "ram", NULL);
    memory = guestmem_create(path, FL_RAM_SIZE, NULL);
    g_free(path);
    put(FIRST + (VIRTUAL >> 20) * 4, RAM + SECOND + 1);
    put(SECOND + (VIRTUAL >> 12 & 0xff) * 4, RAM + DATA + PAGE_RW);
    put(FIRST + (SECTION >> 20) * 4, RAM + 0x200000 + SECTION_RW);
    put(DATA, 0x11111111);
    put(DATA + FL_PAGE_SIZE - 4, 0x22222222);
    put(0x200000 + 0x34560, 0x33333333);
    return memory == NULL;
}

static int drop_tables(void **state)
{
    (void)state;
    guestmem_free(memory);
    return 0;
}

static struct guestwalk begin(void)
{
    return guestwalk_begin(memory, RAM + FIRST);
}

static uint32_t word_at(struct guestwalk *walk, uint64_t address)
{
    uint32_t word;
    const void *bytes = guestwalk_at(walk, address, sizeof word);
    assert_non_null(bytes);
    memcpy(&word, bytes, sizeof word);
    return word;
}

static void finds_pages_and_sections(void **state)
{
    (void)state;
    struct guestwalk walk = begin();
    assert_int_equal(word_at(&walk, VIRTUAL), 0x11111111);
    assert_int_equal(word_at(&walk, VIRTUAL + FL_PAGE_SIZE - 4), 0x22222222);
    assert_int_equal(word_at(&walk, SECTION + 0x34560), 0x33333333);
    assert_int_equal(word_at(&walk, VIRTUAL), 0x11111111);
    put(SECOND + (VIRTUAL >> 12 & 0xff) * 4, RAM + DATA + PAGE_XN);
    walk = begin();
    assert_int_equal(word_at(&walk, VIRTUAL), 0x11111111);
}

static void finds_nothing_where_nothing_is(void **state)
{
    (void)state;
    struct guestwalk walk = begin();
    assert_null(guestwalk_at(&walk, VIRTUAL + FL_PAGE_SIZE, 4));
    assert_null(guestwalk_at(&walk, VIRTUAL + 0x100000, 4));
    assert_null(guestwalk_at(&walk, VIRTUAL + FL_PAGE_SIZE - 2, 4));
    assert_null(guestwalk_at(&walk, FL_USER_END, 4));
    assert_null(guestwalk_at(&walk, UINT64_MAX - 3, 4));
}

/* Wherever a descriptor points, only RAM is read. */
static void tables_out_of_their_mind(void **state)
{
    static const uint32_t firsts[] = {0,          0x00000001,
                                      0xfffffc01, RAM + FL_RAM_SIZE + 1,
                                      0xfff00c1e, RAM + 0x200000 + SECTION_RW + (1u << 18),
                                      3};
    (void)state;
    for (unsigned i = 0; i < G_N_ELEMENTS(firsts); i++) {
        put(FIRST + (VIRTUAL >> 20) * 4, firsts[i]);
        struct guestwalk walk = begin();
        assert_null(guestwalk_at(&walk, VIRTUAL, 4));
    }
    put(FIRST + (VIRTUAL >> 20) * 4, RAM + SECOND + 1);
    put(SECOND + (VIRTUAL >> 12 & 0xff) * 4, 0xfffff000 + PAGE_RW);
    struct guestwalk walk = begin();
    assert_null(guestwalk_at(&walk, VIRTUAL, 4));
    walk = guestwalk_begin(memory, 0);
    assert_null(guestwalk_at(&walk, VIRTUAL, 4));
    walk = guestwalk_begin(memory, RAM + FL_RAM_SIZE - 4);
    assert_null(guestwalk_at(&walk, VIRTUAL, 4));
    walk = guestwalk_begin(memory, RAM + FIRST + 2);
    assert_null(guestwalk_at(&walk, VIRTUAL, 4));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_pages_and_sections, make_tables, drop_tables),
        cmocka_unit_test_setup_teardown(finds_nothing_where_nothing_is, make_tables, drop_tables),
        cmocka_unit_test_setup_teardown(tables_out_of_their_mind, make_tables, drop_tables),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
