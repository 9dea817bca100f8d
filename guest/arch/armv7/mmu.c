/* Address spaces in ARM short descriptors (DDI 0406C B3.5): a first-level table of 2048 entries for
 * the user half, second-level tables of 256 small pages from one pool. */

#include "arch.h"
#include "../../kernel/state.h"
#include <stddef.h>

#define L1_ENTRIES 2048u
#define L2_ENTRIES 256u
#define L2_TABLES  192u

#define L1_TABLE      0x00000001u
#define L1_KIND       0x00000003u
#define L1_SECTION_RW 0x00001c1eu /* TEX=1 C B, AP=11, XN, domain 0 */
#define L2_PAGE       0x0000084eu /* small page, TEX=1 C B, not global */
#define L2_XN         0x00000001u
#define L2_AP_USER_RO 0x00000020u
#define L2_AP_USER_RW 0x00000030u
#define L2_AP_WRITE   0x00000010u

static uint32_t first_level[ARCH_MAX_SPACES][L1_ENTRIES] __attribute__((aligned(8192)));
static uint32_t second_level[L2_TABLES][L2_ENTRIES] __attribute__((aligned(4096)));
static uint32_t *table_user[L2_TABLES]; /* the first-level entry that points to the table */
static uint32_t tables_used;

/* What points to the second level says all that the first one does. */
STATE_DROP(first_level);
STATE_KEEP_SET(second_level, tables_used);
STATE_KEEP_SET(table_user, tables_used);
STATE_KEEP(tables_used);

static uint32_t physical(const void *kernel_address)
{
    return (uint32_t)(uintptr_t)kernel_address - ARCH_KERNEL_OFFSET;
}

static uint32_t *table_of(uint32_t entry)
{
    return (uint32_t *)(uintptr_t)((entry & ~0x3ffu) + ARCH_KERNEL_OFFSET);
}

void arch_spaces_reset(void)
{
    for (uint32_t i = 0; i < tables_used; i++) {
        *table_user[i] = 0;
        for (uint32_t j = 0; j < L2_ENTRIES; j++) {
            second_level[i][j] = 0;
        }
    }
    tables_used = 0;
}

static uint32_t *page_entry(uint32_t space, uint32_t address, bool make)
{
    uint32_t *first = &first_level[space][address >> 20];
    if (*first == 0) {
        if (!make || tables_used == L2_TABLES) {
            return NULL;
        }
        table_user[tables_used] = first;
        *first = physical(second_level[tables_used++]) | L1_TABLE;
    }
    if ((*first & L1_KIND) != L1_TABLE) {
        return NULL;
    }
    return &table_of(*first)[address >> FL_PAGE_SHIFT & (L2_ENTRIES - 1)];
}

static uint32_t page_descriptor(struct arch_mapping mapping)
{
    uint32_t physical_address = ARCH_RAM_BASE + (mapping.frame << FL_PAGE_SHIFT);
    uint32_t access = (mapping.rights & 2u) ? L2_AP_USER_RW : L2_AP_USER_RO;
    uint32_t never = (mapping.rights & 4u) ? 0 : L2_XN;
    return physical_address | L2_PAGE | access | never;
}

bool arch_map(uint32_t space, uint32_t address, struct arch_mapping mapping)
{
    uint32_t *entry = page_entry(space, address, mapping.rights != FL_RIGHTS_NONE);
    if (entry == NULL) {
        return mapping.rights == FL_RIGHTS_NONE;
    }
    *entry = mapping.rights == FL_RIGHTS_NONE ? 0 : page_descriptor(mapping);
    return true;
}

struct arch_mapping arch_lookup(uint32_t space, uint32_t address)
{
    const uint32_t *entry = page_entry(space, address, false);
    if (entry == NULL || *entry == 0) {
        return (struct arch_mapping){0, FL_RIGHTS_NONE};
    }
    uint32_t rights = FL_RIGHTS_R;
    rights |= (*entry & L2_AP_WRITE) ? 2u : 0;
    rights |= (*entry & L2_XN) ? 0 : 4u;
    return (struct arch_mapping){((*entry & ~0xfffu) - ARCH_RAM_BASE) >> FL_PAGE_SHIFT, rights};
}

void arch_map_sections(uint32_t space, uint32_t address, uint32_t frame, uint32_t size)
{
    for (uint32_t done = 0; done < size; done += 1u << 20) {
        uint32_t physical_address = ARCH_RAM_BASE + (frame << FL_PAGE_SHIFT) + done;
        first_level[space][(address + done) >> 20] = physical_address | L1_SECTION_RW;
    }
}

uint32_t arch_space_table(uint32_t space)
{
    return physical(first_level[space]);
}

/* No isb: the kernel half is the same in every space, and the return to user mode, before which the
 * user half is not touched, is a context synchronization event (B3.15.5). */
bool arch_space_activate(uint32_t space)
{
    uint32_t table = physical(first_level[space]);
    __asm__ volatile("dsb\n\t"
                     "mcr p15, 0, %0, c2, c0, 0\n\t" /* TTBR0 */
                     "mcr p15, 0, %1, c8, c7, 0\n\t" /* TLBIALL */
                     "dsb" ::"r"(table),
                     "r"(0)
                     : "memory");
    return true;
}

bool arch_space_select(uint32_t space)
{
    __asm__ volatile("dsb\n\t"
                     "mcr p15, 0, %0, c2, c0, 0" ::"r"(physical(first_level[space]))
                     : "memory");
    return false;
}

void arch_flush_page(uint32_t address)
{
    __asm__ volatile("dsb\n\t"
                     "mcr p15, 0, %0, c8, c7, 3\n\t" /* TLBIMVAA */
                     "dsb\n\t"
                     "isb" ::"r"(address & ~0xfffu)
                     : "memory");
}
