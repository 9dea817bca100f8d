#include <stddef.h>
#include "mapping.h"
#include "memory.h"
#include "policy.h"
#include "vm_error.h"
#include "vm_fault.h"

/* ---- Looking for a page ---- */

/* A reader looks into every object of the chain, from the front to the back. */
uint32_t vm_fault_read(const struct vm_area *area, uint32_t page)
{
    uint32_t frame = 0;

    for (struct vm_object *object = area->object; object && !frame; object = object->behind)
        frame = vm_object_page_in(object, page);
    return frame ? frame : vm_error(FL_ERROR_NO_REGION);
}

uint32_t vm_fault_zero_page(struct vm_object *devzero)
{
    uint32_t frame = frame_alloc();

    if (frame)
        vm_object_own(devzero, 0, frame);
    return frame;
}

/* ---- Copy on write ---- */

uint32_t vm_fault_copy(struct vm_object *object, uint32_t page)
{
    struct vm_object *from = object->behind;
    uint32_t source = 0, copy;

    while (from && !(source = vm_object_page_in(from, page)))
        from = from->behind;
    if (!source || source == VM_PAGE_COMES)
        return source;
    if (!(copy = frame_alloc()))
        return 0;
    if (from->kind != FL_OBJECT_DEVZERO) /* else it is zeros already */
        memcpy(frame_memory(copy), frame_memory(source), FL_PAGE_SIZE);
    vm_object_own(object, page, copy);
    return copy;
}

bool vm_fault_covers(const struct vm_object *front, const struct vm_object *behind)
{
    return vm_object_is_private(behind) && frame_list_within(&behind->frames, &front->frames);
}

/* What is behind the other is behind the front one now, too: it counts both. */
void vm_fault_bypass(struct vm_object *front, struct vm_object *behind)
{
    vm_object_set_behind(front, behind->behind);
}

static void drop_covered(struct vm_object *front)
{
    while (front->behind && policy()->covers(front, front->behind))
        policy()->bypass(front, front->behind);
}

/* Whether the object in front may take what is written to this area. */
static bool takes_writes(const struct vm_area *area)
{
    return area->object->writable && (area->shared || vm_object_is_private(area->object));
}

uint32_t vm_fault_front_page(const struct vm_object *object, uint32_t page,
                             const struct fault *fault)
{
    (void)fault;
    return vm_object_page(object, page);
}

static bool is_frame(uint32_t frame)
{
    return frame && !vm_is_error(frame);
}

/* A writer needs the first object only: it is writable, or gets a shadow that is. */
static uint32_t write_private(struct vm_area *area, uint32_t page, const struct fault *fault)
{
    if (!takes_writes(area)) {
        struct vm_object *shadow =
            vm_object_create(FL_OBJECT_SHADOW, area->object->pages, area->object);
        if (!shadow)
            return 0;
        vm_area_show(area, shadow);
    }
    uint32_t frame = policy()->front_page(area->object, page, fault);
    if (!frame && is_frame(frame = policy()->copy(area->object, page)))
        drop_covered(area->object);
    return frame;
}

/* The others who share the page may see what it was copied from. */
static void unmap_others(const struct vm_area *area, uint32_t page)
{
    FOR_EACH_AREA (other, NULL)
        if (other != area && other->object == area->object && page - other->offset < other->pages)
            mapping_take(other->space, other->base + (page - other->offset) * FL_PAGE_SIZE, 1);
}

/* Copied once, by whoever writes first; who comes later is given that page. */
uint32_t vm_fault_write_shared(struct vm_area *area, uint32_t page)
{
    struct vm_object *object = area->object;
    uint32_t frame =
        object->behind ? vm_object_page(object, page) : vm_object_page_in(object, page);

    if (!frame && is_frame(frame = vm_fault_copy(object, page)))
        unmap_others(area, page);
    return frame;
}

static uint32_t find_for_write(struct vm_area *area, uint32_t page, const struct fault *fault)
{
    uint32_t frame =
        area->shared ? policy()->write_shared(area, page) : write_private(area, page, fault);

    if (is_frame(frame) && area->object->kind == FL_OBJECT_FILE)
        frame_set_dirty(frame);
    return frame ? frame : vm_error(FL_ERROR_NO_MEMORY);
}

/* ---- The fault ---- */

/* Only a page of the front object may be written through the mapping, and of a file only after a
 * write fault, which notes that it is dirty. */
uint32_t vm_fault_rights(const struct vm_area *area, uint32_t page, bool write)
{
    bool writable = takes_writes(area) && vm_object_page(area->object, page) &&
                    (write || area->object->kind != FL_OBJECT_FILE);

    return writable ? area->rights : area->rights & ~(uint32_t)(FL_RIGHTS_RW ^ FL_RIGHTS_R);
}

uint32_t vm_fault_resolve(struct vm_area *area, const struct fault *fault)
{
    uint32_t page = vm_area_page(area, fault->address);
    uint32_t needed = fault_rights(fault->access);
    bool write = (needed & FL_RIGHTS_RW) == FL_RIGHTS_RW;

    if ((area->rights & needed) != needed)
        return FL_HALT_RIGHTS;
    if (!area->object)
        return FL_HALT_UNRESOLVED_FAULT;
    uint32_t frame = write ? find_for_write(area, page, fault) : policy()->read(area, page);
    if (frame == VM_PAGE_COMES)
        return FAULT_WAITS;
    if (vm_is_error(frame) || !mapping_set(area->space, fault->address & ~(FL_PAGE_SIZE - 1), frame,
                                           policy()->rights(area, page, write)))
        return FL_HALT_UNRESOLVED_FAULT;
    return FL_HALT_NONE;
}
