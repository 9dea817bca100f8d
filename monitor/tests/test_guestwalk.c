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
    return guestwalk_begin(memory, FL_ARCH_ARMV7, RAM + FIRST);
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
    walk = guestwalk_begin(memory, FL_ARCH_ARMV7, 0);
    assert_null(guestwalk_at(&walk, VIRTUAL, 4));
    walk = guestwalk_begin(memory, FL_ARCH_ARMV7, RAM + FL_RAM_SIZE - 4);
    assert_null(guestwalk_at(&walk, VIRTUAL, 4));
    walk = guestwalk_begin(memory, FL_ARCH_ARMV7, RAM + FIRST + 2);
    assert_null(guestwalk_at(&walk, VIRTUAL, 4));
}

/* ---- x86-64 ---- */

#define LEVELS       4u
#define TABLE(level) (0x4000u + (level)*FL_PAGE_SIZE) /* that of the top is TABLE(3) */
#define PRESENT      1u
#define LARGE        0x80u
#define HIGH_PAGE    0x40123000u /* has an index above 0 on the upper levels too */
#define NX           (1ull << 63)

static void put_entry(unsigned level, uint64_t address, uint64_t value)
{
    const uint64_t index = address >> (12 + 9 * level) & 511;
    memcpy(guestmem_at(memory, TABLE(level) + index * 8, 8, 8), &value, 8);
}

static int make_long_tables(void **state)
{
    char *path = g_build_filename(*state, "ram", NULL);
    memory = guestmem_create(path, FL_RAM_SIZE, NULL);
    g_free(path);
    for (unsigned level = LEVELS; level-- > 1;)
        put_entry(level, HIGH_PAGE, TABLE(level - 1) + 7);
    put_entry(0, HIGH_PAGE, NX | (0x9000 + 0x67));
    put(0x9000, 0x11111111);
    put(0x9ffc, 0x22222222);
    put(0x400000 + 0x134560, 0x33333333);
    return memory == NULL;
}

static struct guestwalk begin_long(void)
{
    return guestwalk_begin(memory, FL_ARCH_X86_64, TABLE(3));
}

static void finds_pages_of_each_size(void **state)
{
    (void)state;
    struct guestwalk walk = begin_long();
    assert_int_equal(word_at(&walk, HIGH_PAGE), 0x11111111);
    assert_int_equal(word_at(&walk, HIGH_PAGE + 0xffc), 0x22222222);
    assert_null(guestwalk_at(&walk, HIGH_PAGE + FL_PAGE_SIZE, 4));
    assert_null(guestwalk_at(&walk, HIGH_PAGE + 0x200000, 4));
    assert_null(guestwalk_at(&walk, HIGH_PAGE + 0xffe, 4));
    put_entry(1, 0x40600000, 0x400000 | LARGE | PRESENT);
    assert_int_equal(word_at(&walk, 0x40600000 + 0x134560), 0x33333333);
    put_entry(2, 0, LARGE | PRESENT);
    assert_int_equal(word_at(&walk, 0x400000 + 0x134560), 0x33333333);
    assert_null(guestwalk_at(&walk, FL_RAM_SIZE, 4)); /* mapped, but no RAM */
}

static void long_tables_out_of_their_mind(void **state)
{
    static const uint64_t entries[] = {
        0, LARGE, 0x4000 /* not present */, 0x000ffffffffff001u, UINT64_MAX, FL_RAM_SIZE + 1u,
    };
    (void)state;
    for (unsigned level = 0; level < LEVELS; level++) {
        for (unsigned i = 0; i < G_N_ELEMENTS(entries); i++) {
            put_entry(level, HIGH_PAGE, entries[i]);
            struct guestwalk walk = begin_long();
            assert_null(guestwalk_at(&walk, HIGH_PAGE, 4));
        }
        put_entry(level, HIGH_PAGE, level > 0 ? TABLE(level - 1) + 7 : 0x9007);
    }
    struct guestwalk walk = begin_long();
    assert_int_equal(word_at(&walk, HIGH_PAGE), 0x11111111);
    put_entry(2, HIGH_PAGE, TABLE(3) + 7); /* a table that leads into itself is left all the same */
    walk = begin_long();
    guestwalk_at(&walk, HIGH_PAGE, 4);
    static const uint64_t tops[] = {FL_RAM_SIZE, FL_RAM_SIZE - 4, UINT64_MAX - 7, TABLE(3) + 4};
    for (unsigned i = 0; i < G_N_ELEMENTS(tops); i++) {
        walk = guestwalk_begin(memory, FL_ARCH_X86_64, tops[i]);
        assert_null(guestwalk_at(&walk, HIGH_PAGE, 4));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_pages_and_sections, make_tables, drop_tables),
        cmocka_unit_test_setup_teardown(finds_nothing_where_nothing_is, make_tables, drop_tables),
        cmocka_unit_test_setup_teardown(tables_out_of_their_mind, make_tables, drop_tables),
        cmocka_unit_test_setup_teardown(finds_pages_of_each_size, make_long_tables, drop_tables),
        cmocka_unit_test_setup_teardown(long_tables_out_of_their_mind, make_long_tables,
                                        drop_tables),
    };
    return cmocka_run_group_tests(tests, make_scratch, remove_scratch);
}
