/* Page tables are the guest's, and it may be out of its mind: every descriptor is read by
 * guestmem_at, whatever it says of where the next one is. */
#include "guestwalk.h"

#include <glib.h>
#include "abi.h"

#define NOWHERE UINT64_MAX

struct guestwalk_format {
    uint64_t ram; /* where it begins, physically */
    uint64_t (*translate)(const struct guestwalk *walk, uint64_t address);
};

static const void *physical_at(const struct guestwalk *walk, uint64_t address, size_t size,
                               size_t align)
{
    const uint64_t ram = walk->format->ram;
    return address < ram ? NULL : guestmem_at(walk->memory, address - ram, size, align);
}

/* ---- ARM short descriptors, DDI 0406C B3.5.1 ----
 * Tables of 1 MiB entries, of which a table entry leads to 256 small pages. Below 0x80000000 the
 * top table is the space's own (TTBCR.N = 1). */

#define ARM_KIND             3u
#define ARM_KIND_TABLE       1u
#define ARM_KIND_SECTION     2u
#define ARM_SECTION_IS_SUPER (1u << 18)
#define ARM_SMALL_PAGE       2u
#define ARM_SECTION_SIZE     0x100000u

static uint32_t arm_descriptor(const struct guestwalk *walk, uint64_t table, uint64_t index)
{
    const uint32_t *entry = physical_at(walk, table + index * sizeof *entry, sizeof *entry, 4);
    return entry != NULL ? *entry : 0;
}

static uint64_t arm_translate(const struct guestwalk *walk, uint64_t address)
{
    const uint64_t in_section = address & (ARM_SECTION_SIZE - 1);
    const uint32_t first = arm_descriptor(walk, walk->table, address / ARM_SECTION_SIZE);
    if ((first & ARM_KIND) == ARM_KIND_SECTION && !(first & ARM_SECTION_IS_SUPER))
        return (first & ~(ARM_SECTION_SIZE - 1)) | in_section;
    if ((first & ARM_KIND) != ARM_KIND_TABLE)
        return NOWHERE;
    const uint32_t second = arm_descriptor(walk, first & ~0x3ffu, in_section / FL_PAGE_SIZE);
    if (!(second & ARM_SMALL_PAGE))
        return NOWHERE;
    return second & ~(FL_PAGE_SIZE - 1);
}

/* ---- x86-64, 4 levels: Intel SDM volume 3, 4.5 ----
 * Each table has 512 entries; at the second and third level an entry may be a page itself. */

#define X86_LEVELS  4u
#define X86_BITS    9u
#define X86_PRESENT 1u
#define X86_LARGE   (1u << 7)
#define X86_ADDRESS 0x000ffffffffff000u
#define X86_LARGEST 2u /* level, from the last, of the largest pages: 1 GiB */

static uint64_t x86_translate(const struct guestwalk *walk, uint64_t address)
{
    uint64_t table = walk->table;
    for (unsigned level = X86_LEVELS; level-- > 0;) {
        const unsigned shift = FL_PAGE_SHIFT + level * X86_BITS;
        const uint64_t index = address >> shift & ((1u << X86_BITS) - 1);
        const uint64_t *entry = physical_at(walk, table + index * sizeof *entry, sizeof *entry, 8);
        if (entry == NULL || !(*entry & X86_PRESENT))
            return NOWHERE;
        table = *entry & X86_ADDRESS;
        if (level > 0 && level <= X86_LARGEST && (*entry & X86_LARGE)) {
            const uint64_t inside = ((uint64_t)1 << shift) - 1;
            return (table & ~inside) | (address & inside);
        }
    }
    return table;
}

static const struct guestwalk_format formats[] = {
    [FL_ARCH_ARMV7] = {0x40000000u /* of QEMU's board "virt" */, arm_translate},
    [FL_ARCH_X86_64] = {0, x86_translate},
};

struct guestwalk guestwalk_begin(struct guestmem *memory, uint32_t arch, uint64_t table)
{
    g_assert(arch > 0 && arch < G_N_ELEMENTS(formats));
    return (struct guestwalk){
        .memory = memory, .format = &formats[arch], .table = table, .page = NOWHERE};
}

const void *guestwalk_at(struct guestwalk *walk, uint64_t address, size_t size)
{
    const uint64_t offset = address % FL_PAGE_SIZE;
    if (address >= FL_USER_END || size > FL_PAGE_SIZE - offset)
        return NULL;
    if (walk->page != address - offset) {
        const uint64_t physical = walk->format->translate(walk, address - offset);
        walk->page = address - offset;
        walk->at = physical == NOWHERE ? NULL : physical_at(walk, physical, FL_PAGE_SIZE, 1);
    }
    return walk->at != NULL ? walk->at + offset : NULL;
}
