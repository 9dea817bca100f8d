/* No two threads hold one stack slot: genode-main, "Race condition when creating threads" (seed
 * 000): a slot was chosen by a second thread while the first, between choosing it and making the
 * choice visible, was in an IPC to core. Reserve is marked after the allocator's store and free
 * before it, so that a hold in the trace is never longer than the real one. What another allocator
 * marks is held to the same, and blocks of any size must not overlap. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static bool is_stack_slot(uint64_t address)
{
    return address - FL_CONTEXT_BASE < FL_CONTEXT_SIZE;
}

static void slot_text(uint64_t address, char buffer[48])
{
    uint64_t offset = address - FL_CONTEXT_BASE;

    if (is_stack_slot(address))
        g_snprintf(buffer, 48, "slot %u (0x%" PRIx64 ")", (unsigned)(offset / FL_SLOT_SIZE),
                   address);
    else
        g_snprintf(buffer, 48, "0x%" PRIx64, address);
}

/* "main for main.2": a stack is for the reserver's next child. Other memory is the reserver's. */
static const char *holder_text(const struct model *model, const struct model_hold *hold,
                               uint64_t address, char buffer[2 * TRACE_NAME_MAX + 8])
{
    char who[TRACE_NAME_MAX], child[TRACE_NAME_MAX];

    trace_thread_name(model->scenario, hold->thread, who);
    if (is_stack_slot(address))
        g_snprintf(buffer, 2 * TRACE_NAME_MAX + 8, "%s for %s", who,
                   trace_thread_name(model->scenario, hold->child, child));
    else
        g_strlcpy(buffer, who, TRACE_NAME_MAX);
    return buffer;
}

/* Another slot of the space that is held and has bytes in common with this one; NULL: none. */
static const struct model_slot *overlapped(const struct model *model, const struct model_slot *slot,
                                           uint32_t size)
{
    for (uint32_t i = 0; i < model->slots->len; i++) {
        const struct model_slot *other = model_slot(model, i);
        if (other == slot || other->space != slot->space || other->first == MODEL_NONE)
            continue;
        uint32_t other_size = model_hold(model, other->first)->size;
        if (other->address < slot->address + size && slot->address < other->address + other_size)
            return other;
    }
    return NULL;
}

static void check_overlap(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_hold *new = model_hold(model, model->now.hold);
    const struct model_slot *slot = model_slot(model, model->now.slot);
    const struct model_slot *other = overlapped(model, slot, new->size);
    char first[2 * TRACE_NAME_MAX + 8], second[2 * TRACE_NAME_MAX + 8];

    if (!other)
        return;
    const struct model_hold *held = model_hold(model, other->first);
    check_violated(context,
                   "%u bytes at 0x%" PRIx64 " reserved by %s, of which %s has %u at 0x%" PRIx64,
                   new->size, slot->address, holder_text(model, new, slot->address, second),
                   holder_text(model, held, other->address, first), held->size, other->address);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    char slot[48], first[2 * TRACE_NAME_MAX + 8], second[2 * TRACE_NAME_MAX + 8];

    if (model->now.hold == MODEL_NONE)
        return;
    uint32_t oldest = model_slot(model, model->now.slot)->first;
    if (oldest == model->now.hold) {
        check_overlap(context);
        return;
    }
    const struct model_hold *held = model_hold(model, oldest);
    const struct model_hold *new = model_hold(model, model->now.hold);
    slot_text(context->event->addr, slot);
    check_violated(context, "%s reserved by %s and by %s", slot,
                   holder_text(model, held, context->event->addr, first),
                   holder_text(model, new, context->event->addr, second));
}

const struct check check_stack_slot_exclusive = {
    .id = "stack-slot-exclusive",
    .summary = "no two threads hold one stack slot at the same time",
    .source = "genode-main, race condition when creating threads (seed 000)",
    .on = CHECK_ON(MARK_RESERVE),
    .event = on_event,
};
