#include "dataspace.h"
#include "fault.h"
#include "vm_fault.h"

/* The RAM behind an address: down through managed dataspaces, whose regions may each take rights
 * away. *at is an address of the map, and becomes an offset in what is returned. */
static struct dataspace *walk(const struct region_map *map, uint32_t *at, uint32_t *rights)
{
    while (map) {
        const struct region *region = region_find(map, *at);
        if (!region)
            return NULL;
        *at -= region->base;
        *rights &= region->rights;
        if (!region->dataspace->map)
            return region->dataspace;
        map = region->dataspace->map;
    }
    return NULL;
}

static uint32_t resolve_region(const struct domain *domain, uint32_t address, uint32_t access)
{
    uint32_t at = address;
    uint32_t rights = FL_RIGHTS_RWX;
    uint32_t needed = fault_rights(access);
    struct dataspace *ram = walk(domain->map, &at, &rights);

    if (!ram)
        return FL_HALT_UNRESOLVED_FAULT;
    if ((rights & needed) != needed)
        return FL_HALT_RIGHTS;
    uint32_t frame = dataspace_frame(ram, at / FL_PAGE_SIZE);
    if (!frame)
        return FL_HALT_UNRESOLVED_FAULT;
    sys_map(domain->space, address & ~(FL_PAGE_SIZE - 1), frame, 1, rights);
    return FL_HALT_NONE;
}

uint32_t fault_resolve(const struct domain *domain, uint32_t address, uint32_t access)
{
    struct vm_area *area = domain->task ? vm_area_find(domain->task, address) : NULL;

    return area ? vm_fault_resolve(area, address, access) : resolve_region(domain, address, access);
}
