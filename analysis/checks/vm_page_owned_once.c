/* One page for each (object, offset), and no frame of two owners. Codezero's pager (seed 004): a
 * second write fault on one private page made "a spurious page allocation", and anonymous shared
 * pages were copied once by each sharer: "the same offset'ed page to be COW'ed twice". */
#include <inttypes.h>
#include "check.h"

static uint32_t number(const struct model *model, uint32_t object)
{
    return model_object(model, object)->number;
}

static void on_own(struct check_context *context)
{
    const struct model *model = context->model;
    const struct fl_event *event = context->event;
    uint32_t object = model->now.object;

    if (model_object(model, object)->deleted)
        check_violated(context,
                       "frame 0x%x becomes page %" PRIu64 " of object %u, which is deleted",
                       event->arg, event->addr, number(model, object));
    else if (model->now.frame_was != 0)
        check_violated(context, "page %" PRIu64 " of object %u, frame 0x%x, becomes frame 0x%x too",
                       event->addr, number(model, object), model->now.frame_was, event->arg);
    else if (model->now.owner_was != MODEL_NONE)
        check_violated(context, "frame 0x%x of object %u becomes page %" PRIu64 " of object %u too",
                       event->arg, number(model, model->now.owner_was), event->addr,
                       number(model, object));
}

static void on_give(struct check_context *context)
{
    const struct model *model = context->model;
    const struct fl_event *event = context->event;

    if (model->now.frame_was != event->arg || model->now.owner_was != model->now.object)
        check_violated(context,
                       "object %u gives frame 0x%x as its page %" PRIu64 ", which it is not",
                       number(model, model->now.object), event->arg, event->addr);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;

    if (model->now.object == MODEL_NONE)
        return;
    switch (fl_event_id(context->event)) {
    case FL_EVENT_PAGE_OWN:
        on_own(context);
        break;
    case FL_EVENT_PAGE_GIVE:
        on_give(context);
        break;
    default:
        if (model_object(model, model->now.object)->pages > 0)
            check_violated(context, "object %u is deleted and owns %u pages still",
                           number(model, model->now.object),
                           model_object(model, model->now.object)->pages);
    }
}

const struct check check_vm_page_owned_once = {
    .id = "vm-page-owned-once",
    .summary = "an object has one frame for a page, and a frame is one page of one object",
    .source = "Codezero mm0, duplicate faults and double copies on write (seed 004)",
    .on = CHECK_ON(PAGE_OWN) | CHECK_ON(PAGE_GIVE) | CHECK_ON(OBJECT_DELETE),
    .event = on_event,
};
