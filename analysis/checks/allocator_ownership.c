/* A block is given back to the allocator that it came from, once, and only if it was ever had:
 * Codezero took from one kmalloc and gave to another's kfree (seed 004), which did not know the
 * block, and said so to nobody. Allocators have numbers, the `object` of their marks; 0 says none.
 * Not for stack slots: their marks name threads there, and stack-alloc-order holds them to more.
 */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    const struct fl_event *event = context->event;
    char who[TRACE_NAME_MAX], taker[TRACE_NAME_MAX];

    if (event->addr - FL_CONTEXT_BASE < FL_CONTEXT_SIZE || model->now.thread == MODEL_NONE)
        return;
    trace_thread_name(model->scenario, event->thread, who);
    if (model->now.slot == MODEL_NONE) {
        check_violated(context, "%s gives back 0x%" PRIx64 ", which nobody has ever taken", who,
                       event->addr);
        return;
    }
    if (model->now.hold == MODEL_NONE) {
        check_violated(context, "%s gives back 0x%" PRIx64 ", which has been given back already",
                       who, event->addr);
        return;
    }
    const struct model_hold *hold = model_hold(model, model->now.hold);
    if (event->aux != 0 && hold->object != 0 && event->aux != hold->object)
        check_violated(
            context, "%s gives 0x%" PRIx64 " back to allocator %u; %s took it from allocator %u",
            who, event->addr, event->aux,
            hold->thread == event->thread ? "it"
                                          : trace_thread_name(model->scenario, hold->thread, taker),
            hold->object);
}

const struct check check_allocator_ownership = {
    .id = "allocator-ownership",
    .summary = "a block goes back to the allocator that it came from, and once",
    .source =
        "Codezero, \"one version of kmalloc for malloc() and another for kfree()\" (seed 004)",
    .on = CHECK_ON(MARK_FREE),
    .event = on_event,
};
