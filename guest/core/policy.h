/* What core does where Codezero's pager once did otherwise, as a table: right by default. A
 * scenario's bad variant has one entry swapped, by an IPC when it starts (label POLICY). */
#ifndef FAULTLINE_CORE_POLICY_H
#define FAULTLINE_CORE_POLICY_H

#include <stdbool.h>
#include <stdint.h>
#include "fault.h"
#include "vm_area.h"

struct core_policy {
    /* fork: no private object of the task may be written from now on */
    void (*freeze)(struct vm_task *task);
    /* the page that a reader sees */
    uint32_t (*read)(const struct vm_area *area, uint32_t page);
    /* the page that a writer to shared memory gets */
    uint32_t (*write_shared)(struct vm_area *area, uint32_t page);
    /* needs `front` nothing of `behind`? and how it is taken out of the chain */
    bool (*covers)(const struct vm_object *front, const struct vm_object *behind);
    void (*bypass)(struct vm_object *front, struct vm_object *behind);
    /* the page of devzero */
    uint32_t (*zero_page)(struct vm_object *devzero);
    /* the rear of an area that was split gets its objects */
    void (*share_objects)(struct vm_area *rear, const struct vm_area *whole);
    /* the object of a new anonymous region */
    struct vm_object *(*anonymous)(struct vm_task *task, uint32_t pages);
    /* where a segment of shared memory will lie */
    uint32_t (*shm_address)(uint32_t pages);
    /* what a writer's first object has of the page, and its own copy of what is behind */
    uint32_t (*front_page)(const struct vm_object *object, uint32_t page,
                           const struct fault *fault);
    uint32_t (*copy)(struct vm_object *object, uint32_t page);
    /* is no object before it? one more is, from now on; one less */
    bool (*unshadowed)(const struct vm_object *object);
    void (*count_shadow)(struct vm_object *object);
    void (*uncount_shadow)(struct vm_object *object);
    /* what the page of an area may be mapped with */
    uint32_t (*rights)(const struct vm_area *area, uint32_t page, bool write);
    /* pages of an area go out of its space; all areas of a task go */
    void (*unmap)(const struct vm_area *area, uint32_t base, uint32_t pages);
    void (*drop_areas)(struct vm_task *task);
    /* a fork of which nothing comes goes, with all that was copied */
    void (*end_fork)(struct domain *child);
    /* is what the fault needs there already? */
    bool (*is_duplicate)(const struct fault *fault, uint32_t space);
    /* what comes of a fault where there is nothing */
    uint32_t (*outside)(const struct fault *fault);
    /* the page of a client's that core will write to */
    uint32_t (*client_page)(tid_t thread, uint32_t address);
    /* a page of a file that has to come from its server; one that has come */
    uint32_t (*fetch)(struct vm_object *file, uint32_t page);
    void (*arrived)(struct vm_object *file, uint32_t page, uint32_t frame);
    /* may a pager's page be lent to that place? */
    bool (*may_lend)(uint32_t space, uint32_t address);
    /* is an address, as core's functions return it, an error? */
    bool (*is_error)(uint32_t address);
};

/* The one in force. */
const struct core_policy *policy(void);
/* One entry swapped, CORE_POLICY_* of vm.h. false: no such policy. */
bool policy_swap(uint32_t id);

#endif
