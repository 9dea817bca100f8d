#include "dataspace.h"
#include "fault.h"
#include "mapping.h"
#include "page_in.h"
#include "policy.h"
#include "vm_fault.h"

uint32_t fault_rights(uint32_t access)
{
    static const uint32_t needed[] = {
        [FL_ACCESS_READ] = FL_RIGHTS_R,
        [FL_ACCESS_WRITE] = FL_RIGHTS_RW,
        [FL_ACCESS_EXEC] = FL_RIGHTS_RX,
    };

    /* a program can send core a message that looks like a fault, and say what it likes in it */
    return access < sizeof(needed) / sizeof(needed[0]) ? needed[access] : FL_RIGHTS_RWX;
}

/* ---- Dataspaces ---- */

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

/* Halted and reported. Codezero's pager only said so (policy.c). */
uint32_t fault_outside(const struct fault *fault)
{
    (void)fault;
    return FL_HALT_UNRESOLVED_FAULT;
}

static uint32_t resolve_region(const struct domain *domain, const struct fault *fault)
{
    uint32_t at = fault->address;
    uint32_t rights = FL_RIGHTS_RWX;
    uint32_t needed = fault_rights(fault->access);
    struct dataspace *ram = walk(domain->map, &at, &rights);

    if (!ram)
        return policy()->outside(fault);
    if ((rights & needed) != needed)
        return FL_HALT_RIGHTS;
    uint32_t frame = dataspace_frame(ram, at / FL_PAGE_SIZE);
    if (!frame || !mapping_set(domain->space, fault->address & ~(FL_PAGE_SIZE - 1), frame, rights))
        return FL_HALT_UNRESOLVED_FAULT;
    return FL_HALT_NONE;
}

/* ---- All faults ---- */

/* Whatever kind of fault it is: what it needs may have come since it was raised. */
bool fault_is_duplicate(const struct fault *fault, uint32_t space)
{
    const struct mapping *mapping = mapping_at(space, fault->address);
    uint32_t needed = fault_rights(fault->access);

    return mapping && (mapping->rights & needed) == needed;
}

static uint32_t resolve(const struct domain *domain, const struct fault *fault)
{
    struct vm_area *area = domain->task ? vm_area_find(domain->task, fault->address) : NULL;

    return area ? vm_fault_resolve(area, fault) : resolve_region(domain, fault);
}

static uint32_t resolve_once(const struct fault *fault)
{
    const struct domain *domain = domain_of(fault->thread);

    if (!domain)
        return FL_HALT_NO_PAGER;
    if (policy()->is_duplicate(fault, domain->space)) {
        sys_fault_duplicate(fault->thread);
        return FL_HALT_NONE;
    }
    return resolve(domain, fault);
}

static bool is_outside(const struct domain *domain, uint32_t address)
{
    uint32_t rights = FL_RIGHTS_RWX;

    return !(domain->task && vm_area_find(domain->task, address)) &&
           !walk(domain->map, &address, &rights);
}

uint32_t fault_for_client(const struct domain *domain, const struct fault *fault)
{
    bool is_there = fault_is_duplicate(fault, domain->space);
    uint32_t result = is_there ? FL_HALT_NONE : resolve(domain, fault);

    if (result == FL_HALT_NONE)
        return FL_ERROR_OK;
    if (result == FL_HALT_RIGHTS)
        return FL_ERROR_NO_RIGHTS;
    if (result == FAULT_WAITS)
        return FAULT_WAITS;
    return is_outside(domain, fault->address) ? FL_ERROR_NO_REGION : FL_ERROR_NO_MEMORY;
}

bool fault_serve(const struct fault *fault)
{
    uint32_t result = resolve_once(fault);

    if (result == FAULT_WAITS)
        page_in_wait_fault(fault);
    else if (result != FL_HALT_NONE)
        sys_thread_halt(fault->thread, result);
    return result == FL_HALT_NONE;
}

void fault_serve_again(const struct fault *fault, bool arrived)
{
    struct msg answer = {.label = FL_ERROR_OK};

    if (!arrived)
        sys_thread_halt(fault->thread, FL_HALT_UNRESOLVED_FAULT);
    else if (fault_serve(fault))
        sys_reply(fault->thread, &answer);
}
