/* Of a task that has exited nothing is left: no area, no page mapped where one was, and no private
 * object that nobody refers to any more. "Need to make sure objects get deleted properly after
 * exit()" (seed 004). */
#include <inttypes.h>
#include "check.h"

struct state {
    uint32_t seen; /* vm_changes when objects were looked at last */
};

static void on_task_end(struct check_context *context)
{
    const struct model *model = context->model;

    for (unsigned i = 0; i < model->areas->len; i++) {
        const struct model_area *area = model_area(model, i);
        if (!area->deleted && area->space == context->event->space)
            check_violated(context,
                           "the area at 0x%" PRIx64 " is left of space %u, which has exited",
                           area->address, area->space);
    }
}

/* Pages that are still mapped where an area was and is no longer. */
static void look_at_area(struct check_context *context, const struct model_area *area)
{
    const struct model *model = context->model;

    for (uint32_t i = 0; area->deleted && i < area->pages; i++) {
        uint64_t address = area->address + ((uint64_t)i << FL_PAGE_SHIFT);
        if (model_rights(model, area->space, address) != FL_RIGHTS_NONE &&
            model_find_area(model, area->space, address) == MODEL_NONE)
            check_violated(context,
                           "0x%" PRIx64 " of space %u is still frame 0x%x, and its area is gone",
                           address, area->space, model_frame(model, area->space, address));
    }
}

static void look_at_object(struct check_context *context, const struct model_object *object)
{
    bool private = object->kind == FL_OBJECT_ANONYMOUS || object->kind == FL_OBJECT_SHADOW;

    if (private && !object->deleted && object->links == 0 && object->shadows == 0)
        check_violated(context,
                       "object %u is left with %u pages: no area shows it, no object is before it",
                       object->number, object->pages);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    struct state *state = context->state;

    if (fl_event_id(context->event) == FL_EVENT_TASK_END) {
        on_task_end(context);
        return;
    }
    if (state->seen == model->vm_changes || !model_core_is_done(context->event))
        return;
    state->seen = model->vm_changes;
    for (unsigned i = 0; i < model->areas->len; i++)
        look_at_area(context, model_area(model, i));
    for (unsigned i = 0; i < model->objects->len; i++)
        look_at_object(context, model_object(model, i));
}

static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    FINGERPRINT_FACT(facts, 0, state->seen == context->model->vm_changes);
}

const struct check check_vm_nothing_left = {
    .id = "vm-nothing-left",
    .summary = "no area, page or private object is left of what has exited or was unmapped",
    .source = "Codezero mm0, deletion of objects at exit (seed 004)",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(TASK_END) | CHECK_ON(IPC_REPLY) | CHECK_ON(FAULT_REPLY) | CHECK_ON(IPC_WAIT),
    .event = on_event,
};
