/* A stack slot that nothing came of is given back: core refused the stack's RAM, its attachment, or
 * the thread that it was for. Genode's Thread::_alloc_stack today returns with an error then, and
 * the slot stays taken for good.
 *
 * The allocator is seen to have returned when its thread goes on with something else: it reserves
 * again, waits for a thread, or ends. Until then it may still try once more, or give back. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static bool is_stack_slot(const struct model_slot *slot)
{
    return slot->address - FL_CONTEXT_BASE < FL_CONTEXT_SIZE;
}

static void kept(struct check_context *context, const struct model_slot *slot,
                 const struct model_hold *hold)
{
    const struct fl_scenario *scenario = context->model->scenario;
    char who[TRACE_NAME_MAX], child[TRACE_NAME_MAX];

    check_violated(context,
                   "slot %u (0x%" PRIx64 "), reserved by %s for %s, was not given back when core "
                   "refused what it was for",
                   (unsigned)((slot->address - FL_CONTEXT_BASE) / FL_SLOT_SIZE), slot->address,
                   trace_thread_name(scenario, hold->thread, who),
                   trace_thread_name(scenario, hold->child, child));
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;

    for (guint i = 0; i < model->slots->len; i++) {
        const struct model_slot *slot = model_slot(model, i);
        for (uint32_t j = slot->first; j != MODEL_NONE; j = model_hold(model, j)->next) {
            const struct model_hold *hold = model_hold(model, j);
            if (hold->failed && hold->thread == context->event->thread && is_stack_slot(slot))
                kept(context, slot, hold);
        }
    }
}

const struct check check_stack_slot_given_back = {
    .id = "stack-slot-given-back",
    .summary = "a stack slot whose memory or thread core refused is given back",
    .source = "Genode base, Thread::_alloc_stack when RAM or attach fails",
    .on = CHECK_ON(MARK_RESERVE) | CHECK_ON(JOIN) | CHECK_ON(JOIN_BLOCK) | CHECK_ON(THREAD_EXIT),
    .event = on_event,
};
