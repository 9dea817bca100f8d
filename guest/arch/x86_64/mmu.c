/* Address spaces in 4-level tables (SDM 4.5). The user half is two gigabytes: of each space's
 * tables but the last level there is one, or two, for ever; those of 512 pages come from one pool.
 */

#include "arch.h"
#include "../../kernel/state.h"
#include <stddef.h>

#define ENTRIES      512u
#define PAGE_TABLES  192u
#define MIDDLES      2u /* gigabytes of user space */
#define MIDDLE_SHIFT 21u
#define UPPER_SHIFT  30u

/* Accessed and dirty are set from the start: the processor never writes tables. */
#define ENTRY_TABLE   UINT64_C(0x27) /* present, writable, user, accessed */
#define ENTRY_PAGE    UINT64_C(0x65) /* present, user, accessed, dirty */
#define ENTRY_WRITE   UINT64_C(0x02)
#define ENTRY_LARGE   UINT64_C(0x80)
#define ENTRY_NX      (UINT64_C(1) << 63)
#define ENTRY_ADDRESS UINT64_C(0x000ffffffffff000)

#define PAGE_ALIGNED __attribute__((aligned(4096)))

static uint64_t top[ARCH_MAX_SPACES][ENTRIES] PAGE_ALIGNED;
static uint64_t upper[ARCH_MAX_SPACES][ENTRIES] PAGE_ALIGNED;
static uint64_t middle[ARCH_MAX_SPACES][MIDDLES * ENTRIES] PAGE_ALIGNED;
static uint64_t page_tables[PAGE_TABLES][ENTRIES] PAGE_ALIGNED;
static uint64_t *table_user[PAGE_TABLES]; /* the entry that points to the table */
static uint32_t tables_used;

/* What points to the last level says all that the ones above do. */
STATE_DROP(top);
STATE_DROP(upper);
STATE_DROP(middle);
STATE_KEEP_SET(page_tables, tables_used);
STATE_KEEP_SET(table_user, tables_used);
STATE_KEEP(tables_used);

extern const uint64_t kernel_upper[ENTRIES]; /* boot.S */

static uint64_t physical(const void *kernel_address)
{
    return (uintptr_t)kernel_address - ARCH_KERNEL_OFFSET;
}

static uint64_t *table_of(uint64_t entry)
{
    return (uint64_t *)((entry & ENTRY_ADDRESS) + ARCH_KERNEL_OFFSET);
}

static void link_tables(uint32_t space)
{
    top[space][0] = physical(upper[space]) | ENTRY_TABLE;
    top[space][ENTRIES - 1] = physical(kernel_upper) | ENTRY_TABLE;
    for (uint32_t i = 0; i < MIDDLES; i++) {
        upper[space][i] = physical(&middle[space][i * ENTRIES]) | ENTRY_TABLE;
    }
}

void arch_spaces_reset(void)
{
    for (uint32_t i = 0; i < ARCH_MAX_SPACES; i++) {
        link_tables(i);
    }
    for (uint32_t i = 0; i < tables_used; i++) {
        *table_user[i] = 0;
        memset(page_tables[i], 0, sizeof page_tables[i]);
    }
    tables_used = 0;
}

static uint64_t *page_entry(uint32_t space, uint32_t address, bool make)
{
    uint64_t *entry = &middle[space][address >> MIDDLE_SHIFT];
    if (*entry == 0) {
        if (!make || tables_used == PAGE_TABLES) {
            return NULL;
        }
        table_user[tables_used] = entry;
        *entry = physical(page_tables[tables_used++]) | ENTRY_TABLE;
    }
    if (*entry & ENTRY_LARGE) {
        return NULL;
    }
    return &table_of(*entry)[address >> FL_PAGE_SHIFT & (ENTRIES - 1)];
}

static uint64_t page_descriptor(struct arch_mapping mapping)
{
    uint64_t physical_address = ARCH_RAM_BASE + ((uint64_t)mapping.frame << FL_PAGE_SHIFT);
    uint64_t write = (mapping.rights & 2u) ? ENTRY_WRITE : 0;
    uint64_t never = (mapping.rights & 4u) ? 0 : ENTRY_NX;
    return physical_address | ENTRY_PAGE | write | never;
}

bool arch_map(uint32_t space, uint32_t address, struct arch_mapping mapping)
{
    uint64_t *entry = page_entry(space, address, mapping.rights != FL_RIGHTS_NONE);
    if (entry == NULL) {
        return mapping.rights == FL_RIGHTS_NONE;
    }
    *entry = mapping.rights == FL_RIGHTS_NONE ? 0 : page_descriptor(mapping);
    return true;
}

struct arch_mapping arch_lookup(uint32_t space, uint32_t address)
{
    const uint64_t *entry = page_entry(space, address, false);
    if (entry == NULL || *entry == 0) {
        return (struct arch_mapping){0, FL_RIGHTS_NONE};
    }
    uint32_t rights = FL_RIGHTS_R;
    rights |= (*entry & ENTRY_WRITE) ? 2u : 0;
    rights |= (*entry & ENTRY_NX) ? 0 : 4u;
    uint64_t physical_address = *entry & ENTRY_ADDRESS;
    return (struct arch_mapping){(uint32_t)((physical_address - ARCH_RAM_BASE) >> FL_PAGE_SHIFT),
                                 rights};
}

void arch_map_sections(uint32_t space, uint32_t address, uint32_t frame, uint32_t size)
{
    for (uint32_t done = 0; done < size; done += 1u << MIDDLE_SHIFT) {
        uint64_t physical_address = ARCH_RAM_BASE + ((uint64_t)frame << FL_PAGE_SHIFT) + done;
        middle[space][(address + done) >> MIDDLE_SHIFT] =
            physical_address | ENTRY_PAGE | ENTRY_LARGE | ENTRY_WRITE | ENTRY_NX;
    }
}

uint32_t arch_space_table(uint32_t space)
{
    return (uint32_t)physical(top[space]);
}

/* The kernel half is global and stays. */
bool arch_space_activate(uint32_t space)
{
    __asm__ volatile("mov %0, %%cr3" ::"r"(physical(top[space])) : "memory");
    return true;
}

/* Without PCIDs, which not every machine of ours has, the processor itself drops all
 * (SDM 4.10.4.1). The kernel has not asked for it, and says so. */
bool arch_space_select(uint32_t space)
{
    arch_space_activate(space);
    return false;
}

void arch_flush_page(uint32_t address)
{
    __asm__ volatile("invlpg (%0)" ::"r"((uint64_t)address) : "memory");
}
