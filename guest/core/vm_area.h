/* Vm areas: ranges of a task's addresses, each with a chain of objects that its pages come from. */
#ifndef FAULTLINE_CORE_VM_AREA_H
#define FAULTLINE_CORE_VM_AREA_H

#include <stdbool.h>
#include <stdint.h>
#include "vm_object.h"

/* An address space that was forked, or of which a program makes vm areas. */
struct vm_task {
    uint16_t space;   /* its number; 0: this entry of the table is free */
    uint16_t areas;   /* running count */
    uint16_t threads; /* of it that have not exited */
};

struct vm_area {
    struct vm_object *object; /* front of its chain */
    struct vm_task *task;     /* NULL: this entry of the table is free */
    uint32_t base, pages;
    uint32_t offset; /* its first page is this page of the chain */
    uint16_t rights;
    uint16_t space; /* the task's; 0: free */
    bool shared;    /* writes go to the object itself, and all who map it see them */
};

/* The first area of all of them, and each next; NULL: the last was that. Any may be deleted between
 * two calls. */
struct vm_area *vm_area_next(const struct vm_task *task, struct vm_area *after);
#define FOR_EACH_AREA(area, task)                                                                  \
    for (struct vm_area *area = NULL; (area = vm_area_next(task, area));)

uint32_t vm_areas_in_use(void);

struct vm_area *vm_area_find(const struct vm_task *task, uint32_t address);
bool vm_area_overlaps(const struct vm_task *task, uint32_t base, uint32_t pages);
/* The lowest address of FL_VM at which nothing of the task is; 0: no room. */
uint32_t vm_area_place(const struct vm_task *task, uint32_t pages);

static inline uint32_t vm_area_end(const struct vm_area *area)
{
    return area->base + area->pages * FL_PAGE_SIZE;
}

/* The page of the chain that lies at an address of the area. */
static inline uint32_t vm_area_page(const struct vm_area *area, uint32_t address)
{
    return area->offset + (address - area->base) / FL_PAGE_SIZE;
}

/* A copy of *like in this task; the caller has seen to it that there is room at its address. NULL:
 * no entry of the table is free. */
struct vm_area *vm_area_create(struct vm_task *task, const struct vm_area *like);
/* Puts another object in front. */
void vm_area_show(struct vm_area *area, struct vm_object *object);
/* Unmaps it, and gives up its objects. */
void vm_area_delete(struct vm_area *area);
/* Pages of it are mapped no longer. A policy: policy.h. */
void vm_area_unmap_pages(const struct vm_area *area, uint32_t base, uint32_t pages);
/* Takes out a range; an area that reaches over it on both sides becomes two. */
uint32_t vm_area_unmap(struct vm_task *task, uint32_t base, uint32_t pages);
/* The rear of an area that was split has the objects of the whole. */
void vm_area_share_objects(struct vm_area *rear, const struct vm_area *whole);

#endif
