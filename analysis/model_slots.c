/* Stack slots, as the marks tell it. A mark belongs to the hold with the same object; to the
 * thread's own when no object fits; else to the oldest. */
#include "model_update.h"
#include <inttypes.h>

static const uint8_t state_after[FL_EVENT_COUNT] = {
    [FL_EVENT_MARK_ATTACH] = HOLD_ATTACHED, [FL_EVENT_MARK_PUBLISH] = HOLD_PUBLISHED,
    [FL_EVENT_MARK_USE] = HOLD_USED,        [FL_EVENT_MARK_DETACH] = HOLD_DETACHED,
    [FL_EVENT_MARK_FREE] = HOLD_FREE,
};

static uint32_t find_slot(const struct model *model, const struct fl_event *event)
{
    const uint32_t *index = table_find(&model->slot_of, model_key(event->space, event->addr));

    return index ? *index : MODEL_NONE;
}

static uint32_t add_slot(struct model *model, const struct fl_event *event)
{
    uint32_t index = model->slots->len;
    struct model_slot slot = {.address = event->addr, .space = event->space, .first = MODEL_NONE};

    g_array_append_val(model->slots, slot);
    *table_put(&model->slot_of, model_key(event->space, event->addr)) = index;
    return index;
}

/* More holds than threads can live are nonsense; the limit keeps the walks short. */
static bool append_hold(struct model *model, struct model_slot *slot, uint32_t index)
{
    uint32_t *link = &slot->first;
    unsigned holds = 0;

    for (; *link != MODEL_NONE; link = &model_hold(model, *link)->next)
        if (++holds == FL_MAX_THREADS) {
            model_complain(model, "slot 0x%" PRIx64 " is reserved more than %u times",
                           slot->address, FL_MAX_THREADS);
            return false;
        }
    *link = index;
    return true;
}

void model_reserve(struct model *model, const struct fl_event *event)
{
    struct model_thread *thread = model_thread(model, model->now.thread);
    uint32_t slot = find_slot(model, event);
    uint32_t index = model->holds->len;
    struct model_hold hold = {.thread = event->thread,
                              .child = model_child_path(event->thread, thread->children + 1),
                              .object = event->aux,
                              .size = event->arg,
                              .next = MODEL_NONE,
                              .event = model->event,
                              .state = HOLD_RESERVED};

    if (slot == MODEL_NONE)
        slot = add_slot(model, event);
    g_array_append_val(model->holds, hold);
    if (!append_hold(model, model_slot(model, slot), index))
        return;
    thread->reserved = index;
    model->now.slot = slot;
    model->now.hold = index;
    model->now.hold_was = HOLD_FREE;
}

static uint32_t choose_hold(const struct model *model, const struct model_slot *slot,
                            const struct fl_event *event)
{
    uint32_t own = MODEL_NONE;

    for (uint32_t i = slot->first; i != MODEL_NONE; i = model_hold(model, i)->next) {
        if (model_hold(model, i)->object == event->aux)
            return i;
        if (own == MODEL_NONE && model_hold(model, i)->thread == event->thread)
            own = i;
    }
    return own != MODEL_NONE ? own : slot->first;
}

static void unlink_hold(struct model *model, struct model_slot *slot, uint32_t index)
{
    uint32_t *link = &slot->first;

    while (*link != index)
        link = &model_hold(model, *link)->next;
    *link = model_hold(model, index)->next;
}

void model_slot_mark(struct model *model, const struct fl_event *event)
{
    uint32_t slot = find_slot(model, event);

    if (slot == MODEL_NONE)
        return;
    uint32_t index = choose_hold(model, model_slot(model, slot), event);
    model->now.slot = slot;
    model->now.hold = index;
    if (index == MODEL_NONE)
        return;
    struct model_hold *hold = model_hold(model, index);
    model->now.hold_was = hold->state;
    hold->state = state_after[fl_event_id(event)];
    hold->failed &= hold->state != HOLD_ATTACHED;
    if (hold->state == HOLD_FREE)
        unlink_hold(model, model_slot(model, slot), index);
}

/* Refused is what is attached to a slot next, or the thread that one is for which is ready. */
bool model_reserve_failed(struct model *model, struct model_thread *thread)
{
    struct model_hold *hold =
        thread->reserved != MODEL_NONE ? model_hold(model, thread->reserved) : NULL;
    uint8_t awaited = thread->asks == FL_LABEL_THREAD_CREATE ? HOLD_PUBLISHED : HOLD_RESERVED;

    if (!hold || hold->state != awaited)
        return false;
    hold->failed = true;
    return true;
}

/* What was refused as planned was never offered, so nobody knows what it asked for: a thread, when
 * a stack is ready that has none. */
void model_reserve_refused(struct model *model, struct model_thread *thread)
{
    struct model_hold *hold =
        thread->reserved != MODEL_NONE ? model_hold(model, thread->reserved) : NULL;

    if (hold && hold->state == HOLD_PUBLISHED && !model_find(model, hold->child))
        hold->failed = true;
    else
        model_reserve_failed(model, thread);
}

/* An error that a thread marks is about what it has reserved and got no further with, or about the
 * slot that it names. */
void model_error(struct model *model, const struct fl_event *event)
{
    uint32_t slot = find_slot(model, event);

    if (model_reserve_failed(model, model_thread(model, model->now.thread)) || slot == MODEL_NONE)
        return;
    uint32_t hold = choose_hold(model, model_slot(model, slot), event);
    if (hold != MODEL_NONE)
        model_hold(model, hold)->failed = true;
}
