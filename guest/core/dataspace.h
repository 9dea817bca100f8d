/* Dataspaces: memory that can be attached to a region map. RAM, or a region map (managed). */
#ifndef FAULTLINE_CORE_DATASPACE_H
#define FAULTLINE_CORE_DATASPACE_H

#include <stdint.h>
#include "frames.h"
#include "region.h"
#include "sys.h"

struct dataspace {
    uint32_t size;            /* 0: this entry of the table is free */
    uint32_t owner;           /* space number of the domain that it belongs to */
    struct region_map *map;   /* managed; NULL: RAM */
    struct frame_list frames; /* RAM: the pages touched so far */
};

/* For a client of the owner's (0: nobody). Rounded up to pages. NULL: no room, or the size is none.
 */
struct dataspace *dataspace_create_ram(uint32_t owner, tid_t client, uint32_t size);
struct dataspace *dataspace_create_managed(uint32_t owner, tid_t client, uint32_t size);
/* Detached wherever it is attached; then its frames, or all that is attached to it, go. */
void dataspace_free(struct dataspace *dataspace);

/* The frame of a page of RAM, allocated and zeroed when it is touched first. 0: no memory. */
uint32_t dataspace_frame(struct dataspace *dataspace, uint32_t page);

uint32_t dataspaces_in_use(void);

/* Handles (guest/lib/core.h) are checked against their owner. NULL: a bad one. */
uint32_t dataspace_handle(const struct dataspace *dataspace);
struct dataspace *dataspace_find(uint32_t owner, uint32_t handle);

#endif
