/* What core, the pager, does for a program: operations by IPC, all inline, so that a trace leads to
 * the line that asked. Each returns FL_ERROR_*.
 *
 * A *dataspace* is memory: RAM, whose pages come zeroed on first touch, or a *region map* used as
 * one (a managed dataspace). A region map is a range of addresses to which dataspaces are attached;
 * a program's address space is one. A fault in a managed dataspace walks into its region map; where
 * nothing is attached it is not resolved and the thread is put on halt.
 * Handles are per domain. The handle of a managed dataspace also names its region map.
 */
#ifndef FAULTLINE_CORE_H
#define FAULTLINE_CORE_H

#include <stdint.h>
#include "sys.h"

typedef uint32_t core_handle_t;

enum {
    CORE_MAP_SPACE = 0,    /* the region map that is the caller's address space */
    CORE_MAP_CONTEXT = 1,  /* the one attached there at FL_CONTEXT_BASE, for stacks */
    CORE_FIRST_HANDLE = 2, /* of what the caller made */
};

#define CORE_RIGHTS_MASK (FL_PAGE_SIZE - 1u) /* ATTACH_AT: size and rights share a word */

SYS_ALWAYS_INLINE uint32_t core_call(uint32_t label, struct msg *msg)
{
    msg->label = label;
    uint32_t status = sys_call(SYS_CORE, msg);
    return status == FL_ERROR_OK ? msg->label : status;
}

/* RAM of at least `size` bytes. NO_MEMORY. */
SYS_ALWAYS_INLINE uint32_t core_ram_alloc(uint32_t size, core_handle_t *dataspace)
{
    struct msg msg = {.w = {size}};
    uint32_t status = core_call(FL_LABEL_RAM_ALLOC, &msg);
    *dataspace = msg.w[0];
    return status;
}

/* Gives RAM back; detaches it first wherever it is attached. */
SYS_ALWAYS_INLINE uint32_t core_ram_free(core_handle_t dataspace)
{
    struct msg msg = {.w = {dataspace}};
    return core_call(FL_LABEL_RAM_FREE, &msg);
}

/* A region map for addresses 0 to `size`, which is a dataspace of that size. */
SYS_ALWAYS_INLINE uint32_t core_map_create(uint32_t size, core_handle_t *map)
{
    struct msg msg = {.w = {size}};
    uint32_t status = core_call(FL_LABEL_RM_CREATE, &msg);
    *map = msg.w[0];
    return status;
}

/* Detaches it wherever it is attached, and everything that is attached to it. */
SYS_ALWAYS_INLINE uint32_t core_map_free(core_handle_t map)
{
    struct msg msg = {.w = {map}};
    return core_call(FL_LABEL_RM_FREE, &msg);
}

/* Attaches the whole dataspace to the caller's address space where there is room for it. */
SYS_ALWAYS_INLINE uint32_t core_attach(core_handle_t dataspace, uint32_t rights, uint32_t *address)
{
    struct msg msg = {.w = {dataspace, rights}};
    uint32_t status = core_call(FL_LABEL_ATTACH, &msg);
    *address = msg.w[0];
    return status;
}

/* Attaches the first `size` bytes (whole pages; 0: all) at address `at` of the region map.
 * REGION_CONFLICT: something is attached there. INVALID: not in the map, or the map in itself. */
SYS_ALWAYS_INLINE uint32_t core_attach_at(core_handle_t map, core_handle_t dataspace, uint32_t at,
                                          uint32_t size, uint32_t rights)
{
    struct msg msg = {.w = {map, dataspace, at, size | rights}};
    return core_call(FL_LABEL_ATTACH_AT, &msg);
}

/* Takes out what is attached at address `at`: no page of it stays mapped. NO_REGION. */
SYS_ALWAYS_INLINE uint32_t core_detach(core_handle_t map, uint32_t at)
{
    struct msg msg = {.w = {map, at}};
    return core_call(FL_LABEL_DETACH, &msg);
}

/* A thread of the caller's domain, the caller's next child. */
SYS_ALWAYS_INLINE uint32_t core_thread_create(uint32_t ip, uint32_t sp, uint32_t arg, tid_t *thread)
{
    struct msg msg = {.w = {ip, sp, arg}};
    uint32_t status = core_call(FL_LABEL_THREAD_CREATE, &msg);
    *thread = msg.w[0];
    return status;
}

/* Gives back what core keeps for a thread. It must have ended (sys_thread_join): of one that lives,
 * the message page goes to the domain's next thread. */
SYS_ALWAYS_INLINE uint32_t core_thread_destroy(tid_t thread)
{
    struct msg msg = {.w = {thread}};
    return core_call(FL_LABEL_THREAD_DESTROY, &msg);
}

/* The threads that the caller's domain makes from now on have their faults sent to this one, which
 * answers them (sys_receive); at first that is core, SYS_CORE. NO_THREAD. */
SYS_ALWAYS_INLINE uint32_t core_pager_set(tid_t pager)
{
    struct msg msg = {.w = {pager}};
    return core_call(FL_LABEL_PAGER_SET, &msg);
}

/* Maps the page that the caller, the pager of `thread`, has at `own`, at `address` for the thread.
 * Both lie where core puts attachments; the caller must have touched its page. REGION_CONFLICT:
 * something is mapped there already, or attached. NO_REGION: the caller has no page there. */
SYS_ALWAYS_INLINE uint32_t core_page_lend(tid_t thread, uint32_t address, uint32_t own,
                                          uint32_t rights)
{
    struct msg msg = {.w = {thread, address, own, rights}};
    return core_call(FL_LABEL_PAGE_LEND, &msg);
}

#endif
