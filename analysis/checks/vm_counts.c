/* Core's running counts are what is counted: from what core tells of objects and areas, whenever it
 * is done with what it was asked; and by the monitor's walk of its memory, in mode audit.
 * Codezero's test mechanism (seed 004) counted objects, files and shadows "by other means, i.e.
 * per-object- shadow counts. It discovered a plethora of bugs." */
#include "check.h"
#include "trace.h"

struct state {
    uint32_t seen; /* vm_changes when objects were looked at last */
};

static void on_audit(struct check_context *context)
{
    const struct fl_event *event = context->event;

    check_violated(context, "audit: %s of %u: core has %u, the walk finds %u",
                   trace_value_name(TRACE_AUDIT, event->arg) ?: "something", event->aux,
                   (uint32_t)(event->addr >> 32), (uint32_t)event->addr);
}

static void compare(struct check_context *context, const struct model_object *object)
{
    if (object->said_links != object->links)
        check_violated(context, "object %u: core counts %u areas that show it, there are %u",
                       object->number, object->said_links, object->links);
    else if (object->said_shadows != object->shadows)
        check_violated(context, "object %u: core counts %u shadows of it, there are %u",
                       object->number, object->said_shadows, object->shadows);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    struct state *state = context->state;

    if (fl_event_id(context->event) == FL_EVENT_AUDIT_DIFFERS) {
        on_audit(context);
        return;
    }
    if (state->seen == model->vm_changes || !model_core_is_done(context->event))
        return;
    state->seen = model->vm_changes;
    for (unsigned i = 0; i < model->objects->len; i++)
        if (!model_object(model, i)->deleted)
            compare(context, model_object(model, i));
}

static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    FINGERPRINT_FACT(facts, 0, state->seen == context->model->vm_changes);
}

const struct check check_vm_counts = {
    .id = "vm-counts",
    .summary = "the running counts of core's objects are what is counted",
    .source = "Codezero mm0, mm0_test_global_vm_integrity (seed 004)",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on =
        CHECK_ON(AUDIT_DIFFERS) | CHECK_ON(IPC_REPLY) | CHECK_ON(FAULT_REPLY) | CHECK_ON(IPC_WAIT),
    .event = on_event,
};
