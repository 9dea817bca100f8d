/* What is mapped in an area is the page that its chain of objects has there, with rights that allow
 * no more than they may. A reader sees the first object from the front that has the page; only a
 * page of the front object may be written, and a private one by one space alone: "R/W shadow
 * objects must be made read-only during a fork" (seed 004). In Codezero a fault that found no page
 * in the first object took 0 for a page, and mapped address 0. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

#define MAY_WRITE 2u

struct state {
    uint32_t seen; /* vm_changes when mappings were looked at last */
};

/* The object of the area's chain that has the page; MODEL_NONE: none. */
static uint32_t owner_of(const struct model *model, const struct model_area *area, uint32_t page,
                         uint32_t *frame)
{
    uint32_t object = area->object;

    for (uint32_t steps = 0; object != MODEL_NONE && steps <= model->objects->len; steps++) {
        bool zero = model_object(model, object)->kind == FL_OBJECT_DEVZERO;
        *frame = model_page(model, object, zero ? 0 : page);
        if (*frame != 0)
            return object;
        object = model_object(model, object)->behind;
    }
    return MODEL_NONE;
}

static bool is_private(const struct model_object *object)
{
    return object->kind == FL_OBJECT_ANONYMOUS || object->kind == FL_OBJECT_SHADOW;
}

/* Whether another space shows the object in front, or another object lies before it. */
static bool is_shared(const struct model *model, const struct model_area *area)
{
    if (model_object(model, area->object)->shadows > 0)
        return true;
    for (unsigned i = 0; i < model->areas->len; i++) {
        const struct model_area *other = model_area(model, i);
        if (!other->deleted && other->object == area->object && other->space != area->space)
            return true;
    }
    return false;
}

/* What is wrong with these rights to the page of that owner; NULL: nothing. */
static const char *wrong_rights(const struct model *model, const struct model_area *area,
                                uint32_t owner, uint32_t rights)
{
    if (rights & ~area->rights)
        return "more than its area allows";
    if (!(rights & MAY_WRITE))
        return NULL;
    if (owner != area->object)
        return "and that object is not the first of its chain";
    if (is_private(model_object(model, owner)) && is_shared(model, area))
        return "and others see that object too";
    return NULL;
}

static void look_at(struct check_context *context, const struct model_area *area, uint32_t index)
{
    const struct model *model = context->model;
    uint64_t address = area->address + ((uint64_t)index << FL_PAGE_SHIFT);
    uint32_t rights = model_rights(model, area->space, address);
    uint32_t mapped = model_frame(model, area->space, address), frame = 0;

    if (rights == FL_RIGHTS_NONE)
        return;
    uint32_t owner = owner_of(model, area, area->offset + index, &frame);
    if (owner == MODEL_NONE) {
        check_violated(context,
                       "0x%" PRIx64 " of space %u is frame 0x%x, and no object of its area has a "
                       "page there",
                       address, area->space, mapped);
        return;
    }
    const char *wrong = wrong_rights(model, area, owner, rights);
    if (mapped != frame)
        check_violated(context,
                       "0x%" PRIx64 " of space %u is frame 0x%x, and should be 0x%x, page %u of "
                       "object %u",
                       address, area->space, mapped, frame, area->offset + index,
                       model_object(model, owner)->number);
    else if (wrong)
        check_violated(context, "0x%" PRIx64 " of space %u, page %u of object %u, is mapped %s, %s",
                       address, area->space, area->offset + index,
                       model_object(model, owner)->number, trace_value_name(TRACE_RIGHTS, rights),
                       wrong);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    struct state *state = context->state;

    if (state->seen == model->vm_changes || !model_core_is_done(context->event))
        return;
    state->seen = model->vm_changes;
    for (unsigned i = 0; i < model->areas->len; i++) {
        const struct model_area *area = model_area(model, i);
        for (uint32_t page = 0; !area->deleted && page < area->pages; page++)
            look_at(context, area, page);
    }
}

static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    FINGERPRINT_FACT(facts, 0, state->seen == context->model->vm_changes);
}

const struct check check_vm_right_page = {
    .id = "vm-right-page",
    .summary = "what is mapped is the page that the chain of objects has there, with its rights",
    .source = "Codezero mm0, do_page_fault and fork (seed 004)",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(IPC_REPLY) | CHECK_ON(FAULT_REPLY) | CHECK_ON(IPC_WAIT),
    .event = on_event,
};
