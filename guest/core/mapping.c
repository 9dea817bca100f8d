#include <stddef.h>
#include "frames.h"
#include "mapping.h"
#include "refusal.h"
#include "sys.h"

#define MAX_MAPPINGS 1024u
#define CHAINS       128u
#define NOTHING      0 /* links count entries from 1 */

/* The first of each chain is at home in the entry with its number, if that is free; the others are
 * handed out in turn. So where a page is noted does not depend on what is done about others. */
static struct mapping mappings[MAX_MAPPINGS];
static uint32_t mappings_used; /* of those behind the homes, the lowest never used */
static uint16_t mappings_freed;
static uint16_t chains[CHAINS];
static uint16_t of_frame[FL_FRAMES_SIZE / FL_PAGE_SIZE];

static struct mapping *at_link(uint16_t link)
{
    return link == NOTHING ? NULL : &mappings[link - 1];
}

static uint16_t mapping_link(const struct mapping *mapping)
{
    return (uint16_t)(mapping - mappings + 1);
}

/* Neighbours in a space lie in different chains, and so do equal pages of neighbouring spaces, and
 * of neighbouring stack slots. */
static uint32_t chain_number(uint32_t space, uint32_t page)
{
    return (page + page / (FL_SLOT_SIZE / FL_PAGE_SIZE) * 3 + space * 17) % CHAINS;
}

static uint16_t *chain_of(uint32_t space, uint32_t page)
{
    return &chains[chain_number(space, page)];
}

static uint16_t *chain_of_frame(uint32_t frame)
{
    return &of_frame[frame_index(frame)];
}

/* ---- Looking up ---- */

static struct mapping *find_mapping(uint32_t space, uint32_t page)
{
    struct mapping *mapping = at_link(*chain_of(space, page));

    while (mapping && (mapping->page != page || mapping->space != space))
        mapping = at_link(mapping->next);
    return mapping;
}

const struct mapping *mapping_at(uint32_t space, uint32_t address)
{
    return find_mapping(space, address / FL_PAGE_SIZE);
}

const struct mapping *mapping_of_frame(uint32_t frame, const struct mapping *after)
{
    return at_link(after ? after->next_of_frame : *chain_of_frame(frame));
}

/* ---- Entries ---- */

static struct mapping *take_mapping(uint32_t chain)
{
    struct mapping *entry = at_link(mappings_freed);

    if (refused(FL_FAIL_SLAB))
        return NULL;
    if (!mappings[chain].frame)
        return &mappings[chain];
    if (entry)
        mappings_freed = entry->next;
    else if (CHAINS + mappings_used < MAX_MAPPINGS)
        entry = &mappings[CHAINS + mappings_used++];
    return entry;
}

static void leave_frame(const struct mapping *mapping)
{
    uint16_t *at = chain_of_frame(mapping->frame);

    while (*at != mapping_link(mapping))
        at = &mappings[*at - 1].next_of_frame;
    *at = mapping->next_of_frame;
}

static void join_frame(struct mapping *mapping, uint32_t frame)
{
    mapping->frame = frame;
    mapping->next_of_frame = *chain_of_frame(frame);
    *chain_of_frame(frame) = mapping_link(mapping);
}

static void forget_mapping(struct mapping *mapping)
{
    uint16_t *at = chain_of(mapping->space, mapping->page);

    while (*at != mapping_link(mapping))
        at = &mappings[*at - 1].next;
    *at = mapping->next;
    leave_frame(mapping);
    *mapping = (struct mapping){.frame = 0};
    if (mapping < mappings + CHAINS)
        return;
    mapping->next = mappings_freed;
    mappings_freed = mapping_link(mapping);
}

/* A new entry, of no frame yet. NULL: the table is full. */
static struct mapping *add_mapping(uint32_t space, uint32_t page)
{
    uint16_t *chain = chain_of(space, page);
    struct mapping *mapping = take_mapping(chain_number(space, page));

    if (mapping) {
        mapping->space = (uint16_t)space;
        mapping->page = page;
        mapping->next = *chain;
        *chain = mapping_link(mapping);
    }
    return mapping;
}

uint32_t mappings_in_use(void)
{
    uint32_t used = 0;

    for (const struct mapping *mapping = mappings; mapping < mappings + CHAINS + mappings_used;
         mapping++)
        used += mapping->frame != 0;
    return used;
}

/* ---- Mapping and taking away ---- */

bool mapping_note(uint32_t space, uint32_t address, uint32_t frame, uint32_t rights)
{
    struct mapping *mapping = find_mapping(space, address / FL_PAGE_SIZE);

    if (mapping)
        leave_frame(mapping);
    else
        mapping = add_mapping(space, address / FL_PAGE_SIZE);
    if (!mapping)
        return false;
    join_frame(mapping, frame);
    mapping->rights = (uint16_t)rights;
    return true;
}

bool mapping_set(uint32_t space, uint32_t address, uint32_t frame, uint32_t rights)
{
    if (!mapping_note(space, address, frame, rights))
        return false;
    if (sys_map(space, address, frame, 1, rights) == FL_ERROR_OK)
        return true;
    forget_mapping(find_mapping(space, address / FL_PAGE_SIZE));
    return false;
}

/* Calls for each mapping of the range: a look for each page, or at each mapping if they are fewer.
 */
static void each_mapping_in(uint32_t space, uint32_t address, uint32_t pages,
                            void (*call)(struct mapping *mapping, uint32_t rights), uint32_t rights)
{
    uint32_t first = address / FL_PAGE_SIZE;

    if (pages < CHAINS + mappings_used) {
        for (uint32_t page = first; page < first + pages; page++) {
            struct mapping *mapping = find_mapping(space, page);
            if (mapping)
                call(mapping, rights);
        }
        return;
    }
    for (struct mapping *mapping = mappings; mapping < mappings + CHAINS + mappings_used; mapping++)
        if (mapping->frame && mapping->space == space && mapping->page - first < pages)
            call(mapping, rights);
}

static void forget_each(struct mapping *mapping, uint32_t unused)
{
    (void)unused;
    forget_mapping(mapping);
}

static void set_each(struct mapping *mapping, uint32_t rights)
{
    mapping->rights = (uint16_t)rights;
}

void mapping_forget(uint32_t space, uint32_t address, uint32_t pages)
{
    each_mapping_in(space, address, pages, forget_each, 0);
}

void mapping_take(uint32_t space, uint32_t address, uint32_t pages)
{
    each_mapping_in(space, address, pages, forget_each, 0);
    sys_unmap(space, address, pages);
}

void mapping_protect(uint32_t space, uint32_t address, uint32_t pages, uint32_t rights)
{
    each_mapping_in(space, address, pages, set_each, rights);
    sys_protect(space, address, pages, rights);
}

void mapping_take_frame(uint32_t frame)
{
    const struct mapping *mapping;

    while ((mapping = mapping_of_frame(frame, NULL)))
        mapping_take(mapping->space, mapping->page * FL_PAGE_SIZE, 1);
}
