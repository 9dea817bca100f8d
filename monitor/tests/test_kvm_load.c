/* The VMM's loader: images that are sound, and that are not. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "backend/kvm/elf_load.h"
#include "make_elf64.h"

#define RAM_SIZE 0x2000u

/* RAM between what must not be written. */
static struct {
    uint8_t before[16], ram[RAM_SIZE], after[16];
} memory;

static bool load(const void *file, size_t size, uint32_t *entry, struct complaint *complaint)
{
    memset(&memory, 0xee, sizeof memory);
    bool ok = elf_load(file, size, memory.ram, RAM_SIZE, entry, complaint);
    for (unsigned i = 0; i < sizeof memory.before; i++)
        assert_true(memory.before[i] == 0xee && memory.after[i] == 0xee);
    return ok;
}

static void loads_what_is_sound(void **state)
{
    (void)state;
    struct made_elf64 made = make_elf64();
    struct complaint complaint;
    uint32_t entry = 0;
    assert_true(load(&made, sizeof made, &entry, &complaint));
    assert_int_equal(entry, MADE_ENTRY);
    assert_string_equal((char *)memory.ram + MADE_ADDRESS, MADE_CONTENT);
    for (unsigned i = sizeof MADE_CONTENT; i < 0x100; i++)
        assert_int_equal(memory.ram[MADE_ADDRESS + i], 0);
    assert_int_equal(memory.ram[MADE_ADDRESS - 1], 0xee);
    assert_int_equal(memory.ram[MADE_ADDRESS + 0x100], 0xee);
}

static void a_segment_may_end_where_ram_ends(void **state)
{
    (void)state;
    struct made_elf64 made = make_elf64();
    struct complaint complaint;
    uint32_t entry;
    made.segments[1].p_paddr = RAM_SIZE - 0x100;
    assert_true(load(&made, sizeof made, &entry, &complaint));
    made.segments[1].p_paddr++;
    assert_false(load(&made, sizeof made, &entry, &complaint));
}

/* One field of a sound image each, and what is said. */
static void says_what_is_wrong(void **state)
{
    (void)state;
    struct made_elf64 made;
    const struct {
        void *field;
        uint64_t value;
        size_t size;
        const char *text;
    } rows[] = {
        {&made.header.e_ident[0], 0, 1, "the image is no ELF file for x86-64"},
        {&made.header.e_ident[EI_CLASS], ELFCLASS32, 1, "the image is no ELF file for x86-64"},
        {&made.header.e_machine, EM_ARM, 2, "the image is no ELF file for x86-64"},
        {&made.header.e_phoff, sizeof made - 8, 8,
         "the image is damaged: its table of segments is not in it"},
        {&made.header.e_phoff, UINT64_MAX, 8,
         "the image is damaged: its table of segments is not in it"},
        {&made.header.e_phnum, 0xffff, 2,
         "the image is damaged: its table of segments is not in it"},
        {&made.segments[1].p_offset, UINT64_MAX - 8, 8,
         "the image is damaged: a segment of 0x1a bytes is not in it"},
        {&made.segments[1].p_filesz, 0x101, 8,
         "the image is damaged: a segment of 0x101 bytes is not in it"},
        {&made.segments[1].p_memsz, 8, 8,
         "the image is damaged: a segment of 0x1a bytes is not in it"},
        {&made.segments[1].p_paddr, UINT64_MAX - 0x10, 8,
         "the image does not fit: a segment of 0x100 bytes at 0xffffffffffffffef lies outside of "
         "RAM (0x2000 bytes)"},
        {&made.segments[1].p_memsz, UINT64_MAX, 8,
         "the image does not fit: a segment of 0xffffffffffffffff bytes at 0x1000 lies outside of "
         "RAM (0x2000 bytes)"},
        {&made.segments[0].p_offset, UINT64_MAX, 8,
         "the image has no entry for PVH (ELF note 18 of Xen)"},
        {&made.other.head.n_namesz, UINT32_MAX, 4,
         "the image has no entry for PVH (ELF note 18 of Xen)"},
        {&made.other.head.n_descsz, UINT32_MAX, 4,
         "the image has no entry for PVH (ELF note 18 of Xen)"},
        {&made.note.head.n_descsz, 3, 4, "the image has no entry for PVH (ELF note 18 of Xen)"},
        {&made.note.head.n_type, 17, 4, "the image has no entry for PVH (ELF note 18 of Xen)"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct complaint complaint;
        uint32_t entry;
        made = make_elf64();
        memcpy(rows[i].field, &rows[i].value, rows[i].size);
        assert_false(load(&made, sizeof made, &entry, &complaint));
        assert_string_equal(complaint.text, rows[i].text);
    }
}

static void no_prefix_of_an_image_is_read_beyond_its_end(void **state)
{
    (void)state;
    struct made_elf64 made = make_elf64();
    for (size_t size = 0; size < sizeof made; size++) {
        struct complaint complaint;
        uint32_t entry;
        uint8_t *cut = malloc(size); /* of just that size, so that the sanitizer sees */
        memcpy(cut, &made, size);
        bool whole = size >= offsetof(struct made_elf64, content) + sizeof MADE_CONTENT;
        assert_int_equal(load(cut, size, &entry, &complaint), whole);
        free(cut);
    }
}

static void damage_at_random_stays_within_ram(void **state)
{
    (void)state;
    uint32_t seed = 1;
    for (unsigned i = 0; i < 2000; i++) {
        struct made_elf64 made = make_elf64();
        for (unsigned n = 0; n < 1 + i % 4; n++) {
            seed = seed * 1664525 + 1013904223;
            ((uint8_t *)&made)[(seed >> 8) % sizeof made] ^= (uint8_t)(seed >> 24);
        }
        struct complaint complaint;
        uint32_t entry;
        load(&made, sizeof made, &entry, &complaint);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(loads_what_is_sound),
        cmocka_unit_test(a_segment_may_end_where_ram_ends),
        cmocka_unit_test(says_what_is_wrong),
        cmocka_unit_test(no_prefix_of_an_image_is_read_beyond_its_end),
        cmocka_unit_test(damage_at_random_stays_within_ram),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
