/* The life of a stack slot: reserve, attach, publish, use; detach, free. A slot may go unused, and
 * one whose attachment failed (an error is marked) goes from reserve to free. Memory outside of the
 * context area is some other allocator's, which may leave steps out. A second reserve of a held
 * slot is stack-slot-exclusive's, and a free of other memory that nobody has,
 * allocator-ownership's.
 */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

#define AFTER(state) (1u << HOLD_##state)

static const struct {
    const char *verb;
    unsigned after;   /* states in which the mark may come */
    unsigned skipped; /* and in which another allocator may say it */
} steps[FL_EVENT_COUNT] = {
    [FL_EVENT_MARK_ATTACH] = {"attaches memory to", AFTER(RESERVED), 0},
    [FL_EVENT_MARK_PUBLISH] = {"publishes", AFTER(ATTACHED), AFTER(RESERVED)},
    [FL_EVENT_MARK_USE] = {"uses", AFTER(PUBLISHED),
                           AFTER(RESERVED) | AFTER(ATTACHED) | AFTER(USED)},
    [FL_EVENT_MARK_DETACH] = {"detaches the memory of",
                              AFTER(ATTACHED) | AFTER(PUBLISHED) | AFTER(USED), AFTER(RESERVED)},
    [FL_EVENT_MARK_FREE] = {"frees", AFTER(DETACHED),
                            AFTER(RESERVED) | AFTER(ATTACHED) | AFTER(PUBLISHED) | AFTER(USED)},
};

static const char *const state_text[] = {
    [HOLD_FREE] = "free",         [HOLD_RESERVED] = "reserved only",
    [HOLD_ATTACHED] = "attached", [HOLD_PUBLISHED] = "published",
    [HOLD_USED] = "in use",       [HOLD_DETACHED] = "detached",
};

static void nobodys(struct check_context *context, const char *verb)
{
    char who[TRACE_NAME_MAX];

    check_violated(context, "%s %s the slot 0x%" PRIx64 ", which nobody has reserved",
                   trace_thread_name(context->model->scenario, context->event->thread, who), verb,
                   context->event->addr);
}

static void too_early(struct check_context *context, const struct model_hold *hold,
                      const char *verb)
{
    const struct model *model = context->model;
    char who[TRACE_NAME_MAX], holder[TRACE_NAME_MAX];

    check_violated(context, "%s %s the slot 0x%" PRIx64 " of %s while it is %s",
                   trace_thread_name(model->scenario, context->event->thread, who), verb,
                   context->event->addr, trace_thread_name(model->scenario, hold->child, holder),
                   state_text[model->now.hold_was]);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    uint16_t id = fl_event_id(context->event);

    if (model->now.thread == MODEL_NONE)
        return;
    bool stack = context->event->addr - FL_CONTEXT_BASE < FL_CONTEXT_SIZE;
    if (model->now.hold == MODEL_NONE) {
        if (stack || id != FL_EVENT_MARK_FREE)
            nobodys(context, steps[id].verb);
        return;
    }
    const struct model_hold *hold = model_hold(model, model->now.hold);
    unsigned after = steps[id].after | (stack ? 0 : steps[id].skipped);
    bool undone = id == FL_EVENT_MARK_FREE && model->now.hold_was == HOLD_RESERVED && hold->failed;
    if (!(after & 1u << model->now.hold_was) && !undone)
        too_early(context, hold, steps[id].verb);
}

const struct check check_stack_alloc_order = {
    .id = "stack-alloc-order",
    .summary =
        "a stack slot is reserved, attached, published, used; detached, freed: in this order",
    .source = "Genode base, Thread_base::_alloc_context (seed 000)",
    .on = CHECK_ON(MARK_ATTACH) | CHECK_ON(MARK_PUBLISH) | CHECK_ON(MARK_USE) |
          CHECK_ON(MARK_DETACH) | CHECK_ON(MARK_FREE),
    .event = on_event,
};
