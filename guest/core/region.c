#include <stdbool.h>
#include <stddef.h>
#include "audit.h"
#include "dataspace.h"
#include "mapping.h"
#include "refusal.h"
#include "region.h"
#include "sys.h"

#define MAX_REGIONS 64u
#define MAX_MAPS    16u

static struct region regions[MAX_REGIONS];
static struct region_map maps[MAX_MAPS];

AUDIT_FIELD(MAP_END, maps, end);
AUDIT_FIELD(MAP_FIRST, maps, first);
AUDIT_FIELD(REGION_DATASPACE, regions, dataspace);
AUDIT_FIELD(REGION_MAP, regions, map);
AUDIT_FIELD(REGION_NEXT, regions, next);
AUDIT_FIELD(REGION_BASE, regions, base);
AUDIT_FIELD(REGION_SIZE, regions, size);

struct region_map *region_map_create(uint32_t base, uint32_t end, uint32_t space)
{
    if (refused(FL_FAIL_SLAB))
        return NULL;
    for (struct region_map *map = maps; map < maps + MAX_MAPS; map++)
        if (map->end == 0) {
            *map = (struct region_map){.base = base, .end = end, .space = space};
            return map;
        }
    return NULL;
}

void region_map_free(struct region_map *map)
{
    while (map->first)
        region_detach(map->first);
    map->end = 0;
}

struct region *region_find(const struct region_map *map, uint32_t address)
{
    struct region *region = map->first;

    while (region && address - region->base >= region->size)
        region = region->next;
    return region;
}

/* ---- maps in maps: no map is in itself, and none too deep ---- */

/* Is `inner` the map, or attached to it at some depth? */
static bool holds(const struct region_map *map, const struct region_map *inner)
{
    if (map == inner)
        return true;
    for (const struct region *region = map->first; region; region = region->next)
        if (region->dataspace->map && holds(region->dataspace->map, inner))
            return true;
    return false;
}

/* Maps on the longest way down from this one, itself included. */
static uint32_t depth_below(const struct region_map *map)
{
    uint32_t deepest = 0;

    for (const struct region *region = map->first; region; region = region->next)
        if (region->dataspace->map) {
            uint32_t depth = depth_below(region->dataspace->map);
            deepest = depth > deepest ? depth : deepest;
        }
    return deepest + 1;
}

/* Maps on the longest way up, itself included. */
static uint32_t depth_above(const struct region_map *map)
{
    uint32_t deepest = 0;

    for (const struct region *region = regions; region < regions + MAX_REGIONS; region++)
        if (region->dataspace && region->dataspace->map == map) {
            uint32_t depth = depth_above(region->map);
            deepest = depth > deepest ? depth : deepest;
        }
    return deepest + 1;
}

static bool may_nest(const struct region_map *outer, const struct region_map *inner)
{
    return !holds(inner, outer) && depth_above(outer) + depth_below(inner) <= REGION_MAX_NESTING;
}

/* ---- attach ---- */

/* Looked for from an entry on that is of the address's own, as stack slots go (lane.h). */
static struct region *free_region(const struct region_map *map, uint32_t base)
{
    const uint32_t first = base / FL_SLOT_SIZE + 8 * (uint32_t)(map - maps);

    if (refused(FL_FAIL_SLAB))
        return NULL;
    for (uint32_t i = 0; i < MAX_REGIONS; i++) {
        struct region *region = &regions[(first + i) % MAX_REGIONS];
        if (!region->dataspace)
            return region;
    }
    return NULL;
}

/* Where in the map's list a region from `at` on belongs: the link to the first that ends behind. */
static struct region **place_for(struct region_map *map, uint32_t at)
{
    struct region **link = &map->first;

    while (*link && (*link)->base + (*link)->size <= at)
        link = &(*link)->next;
    return link;
}

bool region_overlaps(struct region_map *map, uint32_t base, uint32_t size)
{
    const struct region *behind = *place_for(map, base);

    return behind && behind->base < base + size;
}

static uint32_t insert(struct region_map *map, struct region **link, const struct region *what)
{
    struct region *region = free_region(map, what->base);

    if (!region)
        return FL_ERROR_NO_MEMORY;
    *region = *what;
    region->map = map;
    region->next = *link;
    *link = region;
    return FL_ERROR_OK;
}

uint32_t region_attach_at(struct region_map *map, struct dataspace *dataspace, uint32_t at,
                          uint32_t size, uint32_t rights)
{
    if (size == 0)
        size = dataspace->size;
    if ((at | size) % FL_PAGE_SIZE || size > dataspace->size || at < map->base || at >= map->end ||
        size > map->end - at)
        return FL_ERROR_INVALID;
    if (dataspace->map && !may_nest(map, dataspace->map))
        return FL_ERROR_INVALID;

    struct region **link = place_for(map, at);
    if (*link && (*link)->base < at + size)
        return FL_ERROR_REGION_CONFLICT;
    return insert(
        map, link,
        &(struct region){.dataspace = dataspace, .base = at, .size = size, .rights = rights});
}

uint32_t region_attach(struct region_map *map, struct dataspace *dataspace, uint32_t from,
                       uint32_t end, uint32_t rights, uint32_t *at)
{
    const struct region *region = *place_for(map, from);

    *at = from;
    while (region && region->base < *at + dataspace->size) {
        *at = region->base + region->size;
        region = region->next;
    }
    if (*at >= end || dataspace->size > end - *at)
        return FL_ERROR_NO_MEMORY;
    return region_attach_at(map, dataspace, *at, 0, rights);
}

/* ---- detach ---- */

/* A range of a map is seen in the space that the map is, or through the regions that show the map,
 * as far as they show it. */
static void unmap(const struct region_map *map, uint32_t base, uint32_t size)
{
    if (map->space) {
        mapping_take(map->space, base, size / FL_PAGE_SIZE);
        return;
    }
    for (const struct region *region = regions; region < regions + MAX_REGIONS; region++)
        if (region->dataspace && region->dataspace->map == map && base < region->size) {
            uint32_t shown = region->size - base;
            unmap(region->map, region->base + base, size < shown ? size : shown);
        }
}

void region_detach(struct region *region)
{
    struct region **link = place_for(region->map, region->base);

    unmap(region->map, region->base, region->size);
    *link = region->next;
    *region = (struct region){.dataspace = NULL};
}

void region_detach_dataspace(const struct dataspace *dataspace)
{
    for (struct region *region = regions; region < regions + MAX_REGIONS; region++)
        if (region->dataspace == dataspace)
            region_detach(region);
}

/* ---- what is in use ---- */

uint32_t regions_in_use(void)
{
    uint32_t used = 0;

    for (const struct region *region = regions; region < regions + MAX_REGIONS; region++)
        used += region->dataspace != NULL;
    for (const struct region_map *map = maps; map < maps + MAX_MAPS; map++)
        used += map->end != 0;
    return used;
}
