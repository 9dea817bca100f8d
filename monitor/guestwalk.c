/* Page tables are the guest's, and it may be out of its mind: every descriptor is read by
 * guestmem_at, whatever it says of where the next one is.
 *
 * ARM short descriptors, DDI 0406C B3.5.1: tables of 1 MiB entries, of which a table entry leads to
 * 256 small pages. Below 0x80000000 the top table is the space's own (TTBCR.N = 1). */
#include "guestwalk.h"

#include "abi.h"

#define RAM_BASE 0x40000000u /* physical; of the board "virt" */

#define KIND             3u
#define KIND_TABLE       1u
#define KIND_SECTION     2u
#define SECTION_IS_SUPER (1u << 18)
#define SMALL_PAGE       2u
#define SECTION_SIZE     0x100000u

#define NOWHERE UINT64_MAX

struct guestwalk guestwalk_begin(struct guestmem *memory, uint64_t table)
{
    return (struct guestwalk){.memory = memory, .table = table, .page = NOWHERE};
}

static const void *physical_at(const struct guestwalk *walk, uint64_t address, size_t size,
                               size_t align)
{
    return address < RAM_BASE ? NULL : guestmem_at(walk->memory, address - RAM_BASE, size, align);
}

static uint32_t descriptor(const struct guestwalk *walk, uint64_t table, uint64_t index)
{
    const uint32_t *entry = physical_at(walk, table + index * sizeof *entry, sizeof *entry, 4);
    return entry != NULL ? *entry : 0;
}

static uint64_t translate(const struct guestwalk *walk, uint64_t address)
{
    uint32_t first = descriptor(walk, walk->table, address / SECTION_SIZE);
    if ((first & KIND) == KIND_SECTION && !(first & SECTION_IS_SUPER))
        return (first & ~(SECTION_SIZE - 1)) | (address & (SECTION_SIZE - 1));
    if ((first & KIND) != KIND_TABLE)
        return NOWHERE;
    uint32_t second = descriptor(walk, first & ~0x3ffu, address / FL_PAGE_SIZE & 0xffu);
    if (!(second & SMALL_PAGE))
        return NOWHERE;
    return (second & ~(FL_PAGE_SIZE - 1)) | (address & (FL_PAGE_SIZE - 1));
}

const void *guestwalk_at(struct guestwalk *walk, uint64_t address, size_t size)
{
    uint64_t offset = address % FL_PAGE_SIZE;
    if (address >= FL_USER_END || size > FL_PAGE_SIZE - offset)
        return NULL;
    if (walk->page != address - offset) {
        uint64_t physical = translate(walk, address - offset);
        walk->page = address - offset;
        walk->at = physical == NOWHERE ? NULL : physical_at(walk, physical, FL_PAGE_SIZE, 1);
    }
    return walk->at != NULL ? walk->at + offset : NULL;
}
