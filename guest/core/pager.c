#include "mapping.h"
#include "pager.h"
#include "policy.h"

uint32_t pager_rpc_set(struct domain *domain, tid_t sender, uint32_t *words)
{
    (void)sender;
    if (words[0] != SYS_CORE && !domain_of(words[0]))
        return FL_ERROR_NO_THREAD;
    domain->pager = words[0];
    return FL_ERROR_OK;
}

bool pager_may_lend(uint32_t space, uint32_t address)
{
    return !mapping_at(space, address);
}

/* Only pages of attachments, and such as were lent themselves, are lent: when memory is freed core
 * takes it out of every space that has it. */
static bool is_attached(uint32_t address)
{
    return address % FL_PAGE_SIZE == 0 && address - FL_ATTACH_BASE < FL_ATTACH_SIZE;
}

/* Whether core itself has something to show there. */
static bool is_taken(const struct domain *domain, uint32_t address)
{
    return (domain->map && region_overlaps(domain->map, address, FL_PAGE_SIZE)) ||
           (domain->task && vm_area_overlaps(domain->task, address, 1));
}

uint32_t pager_rpc_lend(struct domain *domain, tid_t sender, uint32_t *words)
{
    const struct domain *to = domain_of(words[0]);
    const struct mapping *own = mapping_at(domain->space, words[2]);
    uint32_t rights = words[3] & FL_RIGHTS_RWX;

    if (!to || domain_pager_of(words[0]) != sender)
        return FL_ERROR_NO_RIGHTS;
    if (!is_attached(words[1]) || !is_attached(words[2]) || !(rights & FL_RIGHTS_R))
        return FL_ERROR_INVALID;
    if (!own)
        return FL_ERROR_NO_REGION;
    if (rights & ~(uint32_t)own->rights)
        return FL_ERROR_NO_RIGHTS;
    if (is_taken(to, words[1]) || !policy()->may_lend(to->space, words[1]))
        return FL_ERROR_REGION_CONFLICT;
    return mapping_set(to->space, words[1], own->frame, rights) ? FL_ERROR_OK : FL_ERROR_NO_MEMORY;
}
