#include <stddef.h>
#include "audit.h"
#include "core.h"
#include "dataspace.h"
#include "lane.h"
#include "mapping.h"
#include "refusal.h"

#define MAX_DATASPACES 64u

static struct dataspace dataspaces[MAX_DATASPACES];

AUDIT_FIELD(DATASPACE_SIZE, dataspaces, size);
AUDIT_FIELD(DATASPACE_FRAMES, dataspaces, frames.first);

static struct dataspace *create(uint32_t owner, tid_t client, uint32_t size)
{
    const uint32_t first = lane_of(client, MAX_DATASPACES);

    if (size == 0 || size > FL_USER_END || refused(FL_FAIL_SLAB))
        return NULL;
    for (uint32_t i = 0; i < MAX_DATASPACES; i++) {
        struct dataspace *entry = &dataspaces[(first + i) % MAX_DATASPACES];
        if (entry->size == 0) {
            *entry = (struct dataspace){
                .size = (size + FL_PAGE_SIZE - 1) & ~(FL_PAGE_SIZE - 1),
                .owner = owner,
            };
            return entry;
        }
    }
    return NULL;
}

struct dataspace *dataspace_create_ram(uint32_t owner, tid_t client, uint32_t size)
{
    return size <= FL_FRAMES_SIZE ? create(owner, client, size) : NULL;
}

struct dataspace *dataspace_create_managed(uint32_t owner, tid_t client, uint32_t size)
{
    struct dataspace *dataspace = create(owner, client, size);

    if (!dataspace)
        return NULL;
    dataspace->map = region_map_create(0, dataspace->size, 0);
    if (!dataspace->map) {
        dataspace->size = 0;
        return NULL;
    }
    return dataspace;
}

/* Detached it is, but a page of it may be lent to another space. */
static void free_frames(struct frame_list *frames)
{
    uint32_t page, frame;

    while ((frame = frame_list_take(frames, &page))) {
        mapping_take_frame(frame);
        frame_free(frame);
    }
}

void dataspace_free(struct dataspace *dataspace)
{
    region_detach_dataspace(dataspace);
    if (dataspace->map)
        region_map_free(dataspace->map);
    else
        free_frames(&dataspace->frames);
    dataspace->size = 0;
}

/* Two pages of a dataspace have homes of their own: a stack has hardly more. */
static uint32_t home_of(const struct dataspace *dataspace, uint32_t page)
{
    return FL_MAX_THREADS + 2 * (uint32_t)(dataspace - dataspaces) + page;
}

uint32_t dataspace_frame(struct dataspace *dataspace, uint32_t page)
{
    uint32_t frame = frame_list_find(&dataspace->frames, page);

    if (!frame && (frame = frame_alloc_home(home_of(dataspace, page))))
        frame_list_add(&dataspace->frames, page, frame);
    return frame;
}

uint32_t dataspaces_in_use(void)
{
    uint32_t used = 0;

    for (const struct dataspace *entry = dataspaces; entry < dataspaces + MAX_DATASPACES; entry++)
        used += entry->size != 0;
    return used;
}

uint32_t dataspace_handle(const struct dataspace *dataspace)
{
    return CORE_FIRST_HANDLE + (uint32_t)(dataspace - dataspaces);
}

struct dataspace *dataspace_find(uint32_t owner, uint32_t handle)
{
    uint32_t index = handle - CORE_FIRST_HANDLE;

    if (index >= MAX_DATASPACES || !dataspaces[index].size || dataspaces[index].owner != owner)
        return NULL;
    return &dataspaces[index];
}
