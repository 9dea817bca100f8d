/* Chains of objects lead from every area through living objects to an end. Codezero's pager (seed
 * 004) dropped objects that others were shadows of, and gave an area that was split off no objects.
 */
#include <inttypes.h>
#include "check.h"

struct state {
    uint32_t seen; /* vm_changes when areas were looked at last */
};

static void on_behind(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_object *object = model_object(model, model->now.object);
    uint32_t behind = object->behind;

    if (context->event->arg != 0 && behind == MODEL_NONE)
        check_violated(context, "behind object %u comes object %u, which was never made",
                       object->number, context->event->arg);
    else if (behind != MODEL_NONE && model_object(model, behind)->deleted)
        check_violated(context, "behind object %u comes object %u, which is deleted",
                       object->number, model_object(model, behind)->number);
    for (uint32_t steps = 0; behind != MODEL_NONE; behind = model_object(model, behind)->behind)
        if (behind == model->now.object || steps++ > model->objects->len) {
            check_violated(context, "the chain of object %u leads back to it", object->number);
            return;
        }
}

static void on_delete(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_object *object = model_object(model, model->now.object);

    if (object->links > 0)
        check_violated(context, "object %u is deleted while %u areas show it", object->number,
                       object->links);
    else if (object->shadows > 0)
        check_violated(context, "object %u is deleted while %u objects have it behind them",
                       object->number, object->shadows);
}

static void on_show(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_area *area = model_area(model, model->now.area);

    if (area->object == MODEL_NONE || model_object(model, area->object)->deleted)
        check_violated(context, "the area at 0x%" PRIx64 " shows object %u, which %s",
                       area->address, context->event->aux,
                       area->object == MODEL_NONE ? "does not exist" : "is deleted");
}

/* Core is done with what it was asked: no area is without objects any more. */
static void on_done(struct check_context *context)
{
    const struct model *model = context->model;
    struct state *state = context->state;

    if (state->seen == model->vm_changes || !model_core_is_done(context->event))
        return;
    state->seen = model->vm_changes;
    for (unsigned i = 0; i < model->areas->len; i++) {
        const struct model_area *area = model_area(model, i);
        if (!area->deleted && area->object == MODEL_NONE)
            check_violated(context, "the area at 0x%" PRIx64 " of space %u has no objects",
                           area->address, area->space);
    }
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    uint16_t id = fl_event_id(context->event);

    if (id == FL_EVENT_OBJECT_BEHIND && model->now.object != MODEL_NONE)
        on_behind(context);
    else if (id == FL_EVENT_OBJECT_DELETE && model->now.object != MODEL_NONE)
        on_delete(context);
    else if (id == FL_EVENT_AREA_SHOW && model->now.area != MODEL_NONE)
        on_show(context);
    else
        on_done(context);
}

static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    FINGERPRINT_FACT(facts, 0, state->seen == context->model->vm_changes);
}

const struct check check_vm_shadow_chain = {
    .id = "vm-shadow-chain",
    .summary = "every area shows an object, and chains lead through living objects to an end",
    .source = "Codezero mm0, shadow objects and split areas (seed 004)",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(OBJECT_BEHIND) | CHECK_ON(OBJECT_DELETE) | CHECK_ON(AREA_SHOW) |
          CHECK_ON(IPC_REPLY) | CHECK_ON(FAULT_REPLY) | CHECK_ON(IPC_WAIT),
    .event = on_event,
};
