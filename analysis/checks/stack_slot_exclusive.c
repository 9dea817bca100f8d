/* No two threads hold one stack slot: genode-main, "Race condition when creating threads" (seed
 * 000): a slot was chosen by a second thread while the first, between choosing it and making the
 * choice visible, was in an IPC to core. Reserve is marked after the allocator's store and free
 * before it, so that a hold in the trace is never longer than the real one. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static void slot_text(uint64_t address, char buffer[48])
{
    uint64_t offset = address - FL_CONTEXT_BASE;

    if (offset < FL_CONTEXT_SIZE)
        g_snprintf(buffer, 48, "slot %u (0x%" PRIx64 ")", (unsigned)(offset / FL_SLOT_SIZE),
                   address);
    else
        g_snprintf(buffer, 48, "slot 0x%" PRIx64, address);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    char slot[48], first[TRACE_NAME_MAX], first_child[TRACE_NAME_MAX], second[TRACE_NAME_MAX],
        second_child[TRACE_NAME_MAX];

    if (model->now.hold == MODEL_NONE)
        return;
    uint32_t oldest = model_slot(model, model->now.slot)->first;
    if (oldest == model->now.hold)
        return;
    const struct model_hold *held = model_hold(model, oldest);
    const struct model_hold *new = model_hold(model, model->now.hold);
    slot_text(context->event->addr, slot);
    check_violated(context, "%s reserved by %s for %s and by %s for %s", slot,
                   trace_thread_name(model->scenario, held->thread, first),
                   trace_thread_name(model->scenario, held->child, first_child),
                   trace_thread_name(model->scenario, new->thread, second),
                   trace_thread_name(model->scenario, new->child, second_child));
}

const struct check check_stack_slot_exclusive = {
    .id = "stack-slot-exclusive",
    .summary = "no two threads hold one stack slot at the same time",
    .source = "genode-main, race condition when creating threads (seed 000)",
    .on = CHECK_ON(MARK_RESERVE),
    .event = on_event,
};
