#include <stddef.h>
#include "mutation.h"
#include "vm_fault.h"

uint32_t mutation_no_page(const struct vm_object *object, uint32_t page, const struct fault *fault)
{
    (void)object, (void)page, (void)fault;
    return 0;
}

uint32_t mutation_not_copied(struct vm_object *object, uint32_t page)
{
    uint32_t frame = 0;

    for (struct vm_object *from = object->behind; from && !frame; from = from->behind)
        frame = vm_object_page_in(from, page);
    if (frame)
        vm_object_own(object, page, frame);
    return frame;
}

bool mutation_never_shadowed(const struct vm_object *object)
{
    (void)object;
    return true;
}

void mutation_not_counted(struct vm_object *object)
{
    if (object->kind != FL_OBJECT_DEVZERO)
        vm_object_count_shadow(object);
}

uint32_t mutation_all_rights(const struct vm_area *area, uint32_t page, bool write)
{
    (void)page, (void)write;
    return area->rights;
}

void mutation_still_mapped(const struct vm_area *area, uint32_t base, uint32_t pages)
{
    (void)area, (void)base, (void)pages;
}

void mutation_area_kept(struct vm_task *task)
{
    struct vm_area *first = vm_area_next(task, NULL);

    for (struct vm_area *area = first; area && (area = vm_area_next(task, area));)
        vm_area_delete(area);
}

/* Core did so, when the file table or the thread's record was refused. */
void mutation_task_kept(struct domain *child)
{
    domain_end(child);
}
