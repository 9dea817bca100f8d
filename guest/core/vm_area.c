#include <stddef.h>
#include "audit.h"
#include "mapping.h"
#include "policy.h"
#include "refusal.h"
#include "sys.h"
#include "vm_area.h"
#include "vm_totals.h"

#define MAX_AREAS 44u

static struct vm_area areas[MAX_AREAS];

AUDIT_FIELD(AREA_SPACE, areas, space);
AUDIT_FIELD(AREA_BASE, areas, base);
AUDIT_FIELD(AREA_PAGES, areas, pages);
AUDIT_FIELD(AREA_OBJECT, areas, object);
AUDIT_FIELD(AREA_OFFSET, areas, offset);

struct vm_area *vm_area_next(const struct vm_task *task, struct vm_area *after)
{
    struct vm_area *area = after ? after + 1 : areas;

    while (area < areas + MAX_AREAS && (!area->task || (task && area->task != task)))
        area++;
    return area < areas + MAX_AREAS ? area : NULL;
}

uint32_t vm_areas_in_use(void)
{
    uint32_t used = 0;

    FOR_EACH_AREA (area, NULL)
        used++;
    return used;
}

struct vm_area *vm_area_find(const struct vm_task *task, uint32_t address)
{
    FOR_EACH_AREA (area, task)
        if (address - area->base < area->pages * FL_PAGE_SIZE)
            return area;
    return NULL;
}

/* The area of the task that lies lowest in the range, or NULL. */
static struct vm_area *lowest_in(const struct vm_task *task, uint32_t base, uint32_t end)
{
    struct vm_area *lowest = NULL;

    FOR_EACH_AREA (area, task)
        if (area->base < end && base < vm_area_end(area) && (!lowest || area->base < lowest->base))
            lowest = area;
    return lowest;
}

bool vm_area_overlaps(const struct vm_task *task, uint32_t base, uint32_t pages)
{
    return lowest_in(task, base, base + pages * FL_PAGE_SIZE) != NULL;
}

uint32_t vm_area_place(const struct vm_task *task, uint32_t pages)
{
    uint32_t at = FL_VM_BASE;

    while (at < FL_SHM_BASE && pages <= (FL_SHM_BASE - at) / FL_PAGE_SIZE) {
        const struct vm_area *area = lowest_in(task, at, at + pages * FL_PAGE_SIZE);
        if (!area)
            return at;
        at = vm_area_end(area);
    }
    return 0;
}

static void tell_area(uint32_t event, const struct vm_area *area, uint32_t arg)
{
    sys_tell(event, area->space, area->base, area->pages, arg);
}

static void tell_front(const struct vm_area *area)
{
    sys_tell(FL_EVENT_AREA_SHOW, area->space, area->base, area->offset,
             area->object ? area->object->number : 0);
}

static struct vm_area *free_area(void)
{
    if (refused(FL_FAIL_SLAB))
        return NULL;
    for (struct vm_area *area = areas; area < areas + MAX_AREAS; area++)
        if (!area->task)
            return area;
    return NULL;
}

static void begin(struct vm_area *area, struct vm_task *task, const struct vm_area *like)
{
    *area = *like;
    area->task = task;
    area->space = task->space;
    area->object = NULL;
    task->areas++;
    vm_totals.areas++;
    tell_area(FL_EVENT_AREA_CREATE, area, area->rights);
}

struct vm_area *vm_area_create(struct vm_task *task, const struct vm_area *like)
{
    struct vm_area *area = free_area();

    if (area)
        begin(area, task, like);
    return area;
}

void vm_area_show(struct vm_area *area, struct vm_object *object)
{
    struct vm_object *before = area->object;

    vm_object_link(object);
    area->object = object;
    tell_front(area);
    if (before)
        vm_object_unlink(before);
}

static void forget(struct vm_area *area)
{
    struct vm_object *object = area->object;

    tell_area(FL_EVENT_AREA_DELETE, area, 0);
    area->task->areas--;
    vm_totals.areas--;
    area->task = NULL;
    area->space = FL_SPACE_KERNEL;
    area->object = NULL;
    if (object)
        vm_object_unlink(object);
}

void vm_area_unmap_pages(const struct vm_area *area, uint32_t base, uint32_t pages)
{
    mapping_take(area->space, base, pages);
}

void vm_area_delete(struct vm_area *area)
{
    policy()->unmap(area, area->base, area->pages);
    forget(area);
}

/* ---- Taking out a range ---- */

/* The area ends at `end` from now on. For the trace it is another of the same front. */
static void shorten(struct vm_area *area, uint32_t end)
{
    tell_area(FL_EVENT_AREA_DELETE, area, 0);
    area->pages = (end - area->base) / FL_PAGE_SIZE;
    tell_area(FL_EVENT_AREA_CREATE, area, area->rights);
    tell_front(area);
}

void vm_area_share_objects(struct vm_area *rear, const struct vm_area *whole)
{
    vm_area_show(rear, whole->object);
}

/* What is left of the area from `from` on becomes an area of its own. */
static void split(struct vm_area *area, uint32_t from, struct vm_area *rear)
{
    struct vm_area like = *area;

    like.base = from;
    like.offset = vm_area_page(area, from);
    like.pages = (vm_area_end(area) - from) / FL_PAGE_SIZE;
    begin(rear, area->task, &like);
    policy()->share_objects(rear, area);
}

/* What the area's first object has in a range that the area does not show any more, when the area
 * is all that refers to it. */
static void trim(const struct vm_area *area, uint32_t from, uint32_t end)
{
    struct vm_object *object = area->object;

    if (object && vm_object_is_private(object) && object->links == 1 && object->shadows == 0)
        vm_object_trim(object, vm_area_page(area, from), (end - from) / FL_PAGE_SIZE);
}

/* Takes [from, end) out of the area; what lies behind it first, while the objects are there. */
static void take_out(struct vm_area *area, uint32_t from, uint32_t end, struct vm_area *rear)
{
    from = from > area->base ? from : area->base;
    end = end < vm_area_end(area) ? end : vm_area_end(area);
    policy()->unmap(area, from, (end - from) / FL_PAGE_SIZE);
    trim(area, from, end);
    if (end < vm_area_end(area))
        split(area, end, rear);
    if (from > area->base)
        shorten(area, from);
    else
        forget(area);
}

/* Only the area that reaches over the end needs an entry more: nothing is done without it. */
uint32_t vm_area_unmap(struct vm_task *task, uint32_t base, uint32_t pages)
{
    uint32_t end = base + pages * FL_PAGE_SIZE;
    struct vm_area *last = pages ? vm_area_find(task, end - 1) : NULL;
    bool splits = last && end < vm_area_end(last);
    struct vm_area *rear = splits ? free_area() : NULL, *area;

    if (splits && !rear)
        return FL_ERROR_NO_MEMORY;
    while ((area = lowest_in(task, base, end)))
        take_out(area, base, end, rear);
    return FL_ERROR_OK;
}
