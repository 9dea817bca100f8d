/* A block is given back to the allocator that it came from, once, and only if it was ever had:
 * Codezero took from one kmalloc and gave to another's kfree (seed 004), which did not know the
 * block, and said so to nobody. Allocators have numbers, the `object` of their marks; 0 says none.
 * Not for stack slots: their marks name threads there, and stack-alloc-order holds them to more.
 * Who gives back need not be who took: blocks are handed on without a word. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

/* A forked task has its parent's blocks, too, of which it is not told who took them. */
static bool is_forked(const struct model *model, uint16_t space)
{
    return model->scenario && space >= FL_SPACE_DOMAIN(model->scenario->n_domains);
}

static void not_had(struct check_context *context)
{
    const struct model *model = context->model;
    const struct fl_event *event = context->event;
    char who[TRACE_NAME_MAX];

    if (!is_forked(model, event->space))
        check_violated(context, "%s gives back 0x%" PRIx64 ", which %s",
                       trace_thread_name(model->scenario, event->thread, who), event->addr,
                       model->now.slot == MODEL_NONE ? "nobody has ever taken"
                                                     : "has been given back already");
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    const struct fl_event *event = context->event;
    char who[TRACE_NAME_MAX], taker[TRACE_NAME_MAX];

    if (event->addr - FL_CONTEXT_BASE < FL_CONTEXT_SIZE || model->now.thread == MODEL_NONE)
        return;
    if (model->now.hold == MODEL_NONE) {
        not_had(context);
        return;
    }
    const struct model_hold *hold = model_hold(model, model->now.hold);
    if (event->aux == 0 || hold->object == 0 || event->aux == hold->object)
        return;
    check_violated(
        context, "%s gives 0x%" PRIx64 " back to allocator %u; %s took it from allocator %u",
        trace_thread_name(model->scenario, event->thread, who), event->addr, event->aux,
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
