#include <stddef.h>
#include "core.h"
#include "dataspace.h"
#include "pager.h"
#include "rpc.h"
#include "vm_area.h"
#include "vm_read.h"
#include "vm_rpc.h"

static uint32_t give_handle(const struct dataspace *dataspace, uint32_t *words)
{
    if (!dataspace)
        return FL_ERROR_NO_MEMORY;
    words[0] = dataspace_handle(dataspace);
    return FL_ERROR_OK;
}

static uint32_t ram_alloc(struct domain *domain, tid_t sender, uint32_t *words)
{
    return give_handle(dataspace_create_ram(domain->space, sender, words[0]), words);
}

static uint32_t map_create(struct domain *domain, tid_t sender, uint32_t *words)
{
    return give_handle(dataspace_create_managed(domain->space, sender, words[0]), words);
}

/* RAM and region maps alike. */
static uint32_t dataspace_give_back(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct dataspace *dataspace = dataspace_find(domain->space, words[0]);

    (void)sender;
    if (!dataspace)
        return FL_ERROR_INVALID;
    dataspace_free(dataspace);
    return FL_ERROR_OK;
}

static uint32_t attach(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct dataspace *dataspace = dataspace_find(domain->space, words[0]);

    (void)sender;
    if (!dataspace || !domain->map)
        return FL_ERROR_INVALID;
    return region_attach(domain->map, dataspace, FL_ATTACH_BASE, FL_ATTACH_BASE + FL_ATTACH_SIZE,
                         words[1] & FL_RIGHTS_RWX, &words[0]);
}

static uint32_t attach_at(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct region_map *map = domain_map(domain, words[0]);
    struct dataspace *dataspace = dataspace_find(domain->space, words[1]);

    (void)sender;
    if (!map || !dataspace)
        return FL_ERROR_INVALID;
    if (map == domain->map && domain->task &&
        vm_area_overlaps(domain->task, words[2], dataspace->size / FL_PAGE_SIZE))
        return FL_ERROR_REGION_CONFLICT;
    return region_attach_at(map, dataspace, words[2], words[3] & ~CORE_RIGHTS_MASK,
                            words[3] & FL_RIGHTS_RWX);
}

static uint32_t detach(struct domain *domain, tid_t sender, uint32_t *words)
{
    struct region_map *map = domain_map(domain, words[0]);
    struct region *region = map ? region_find(map, words[1]) : NULL;

    (void)sender;
    if (!map)
        return FL_ERROR_INVALID;
    if (!region)
        return FL_ERROR_NO_REGION;
    if (region->dataspace->owner != domain->space)
        return FL_ERROR_NO_RIGHTS;
    region_detach(region);
    return FL_ERROR_OK;
}

static uint32_t thread_create(struct domain *domain, tid_t sender, uint32_t *words)
{
    return domain_thread_create(domain,
                                &(struct sys_thread_args){
                                    .ip = words[0],
                                    .sp = words[1],
                                    .arg = words[2],
                                    .parent = sender,
                                },
                                &words[0]);
}

static uint32_t thread_destroy(struct domain *domain, tid_t sender, uint32_t *words)
{
    if (words[0] == sender)
        return FL_ERROR_INVALID;
    return domain_thread_destroy(domain, words[0]);
}

static uint32_t (*const operations[])(struct domain *, tid_t, uint32_t *) = {
    [FL_LABEL_RAM_ALLOC] = ram_alloc,
    [FL_LABEL_RAM_FREE] = dataspace_give_back,
    [FL_LABEL_RM_CREATE] = map_create,
    [FL_LABEL_RM_FREE] = dataspace_give_back,
    [FL_LABEL_ATTACH] = attach,
    [FL_LABEL_ATTACH_AT] = attach_at,
    [FL_LABEL_DETACH] = detach,
    [FL_LABEL_THREAD_CREATE] = thread_create,
    [FL_LABEL_THREAD_DESTROY] = thread_destroy,
    [FL_LABEL_MMAP] = vm_rpc_map,
    [FL_LABEL_MUNMAP] = vm_rpc_unmap,
    [FL_LABEL_CLONE] = vm_rpc_clone,
    [FL_LABEL_EXIT] = vm_rpc_exit,
    [FL_LABEL_REAP] = vm_rpc_reap,
    [FL_LABEL_SHM_ATTACH] = vm_rpc_shm_attach,
    [FL_LABEL_OPEN] = vm_rpc_open,
    [FL_LABEL_CLOSE] = vm_rpc_close,
    [FL_LABEL_FILE_SERVE] = vm_rpc_serve_files,
    [FL_LABEL_PAGER_SET] = pager_rpc_set,
    [FL_LABEL_PAGE_LEND] = pager_rpc_lend,
    [FL_LABEL_MESSAGE_PAGE] = vm_rpc_message_page,
    [FL_LABEL_READ] = vm_read_rpc,
    [FL_LABEL_POLICY] = vm_rpc_policy,
};

uint32_t rpc_perform(struct domain *domain, tid_t sender, uint32_t label,
                     uint32_t words[SYS_MSG_WORDS])
{
    if (label >= sizeof(operations) / sizeof(operations[0]) || !operations[label])
        return FL_ERROR_INVALID;
    return operations[label](domain, sender, words);
}
