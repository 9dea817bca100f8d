/* Region maps: ranges of addresses to which dataspaces are attached. A domain's address space is
 * one, a managed dataspace is another. */
#ifndef FAULTLINE_CORE_REGION_H
#define FAULTLINE_CORE_REGION_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"

struct dataspace;

struct region {
    struct region *next; /* by ascending address */
    struct region_map *map;
    struct dataspace *dataspace; /* NULL: this entry of the table is free */
    uint32_t base;
    uint32_t size;
    uint32_t rights;
};

struct region_map {
    uint32_t base, end; /* where regions may lie; end = 0: this entry of the table is free */
    uint32_t space;     /* number of the address space that it is, or 0 */
    struct region *first;
};

/* A map deeper in maps than this could not be attached; so a walk has an end. */
#define REGION_MAX_NESTING 4u

struct region_map *region_map_create(uint32_t base, uint32_t end, uint32_t space);
/* Detaches all that is attached to it. */
void region_map_free(struct region_map *map);

/* Is anything attached in the range? */
bool region_overlaps(struct region_map *map, uint32_t base, uint32_t size);
/* What is attached at the address, or NULL. */
struct region *region_find(const struct region_map *map, uint32_t address);

uint32_t region_attach_at(struct region_map *map, struct dataspace *dataspace, uint32_t at,
                          uint32_t size, uint32_t rights);
/* At the lowest address from `from` on, below `end`, where it fits. */
uint32_t region_attach(struct region_map *map, struct dataspace *dataspace, uint32_t from,
                       uint32_t end, uint32_t rights, uint32_t *at);
/* Unmaps it from every space that sees it, then forgets it. */
void region_detach(struct region *region);
/* Every region of every map that shows the dataspace. */
void region_detach_dataspace(const struct dataspace *dataspace);

/* Regions and maps. */
uint32_t regions_in_use(void);

#endif
