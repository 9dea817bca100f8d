/* design.md, Semantics: a fault is taken, answered and resumed exactly once. Twice is the pager
 * that maps two frames for one page, or answers a thread that already went on. That it happens at
 * all is fault-not-lost's business, in which order fault-resolved-before-resume's. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static void twice(struct check_context *context, const struct model_fault *fault, const char *what)
{
    const struct model *model = context->model;
    char who[TRACE_NAME_MAX], pager[TRACE_NAME_MAX];

    check_violated(
        context, "fault %u (%s, %s of 0x%" PRIx64 ") is %s twice, the second time by %s",
        fault->number,
        trace_thread_name(model->scenario, model_thread(model, fault->thread)->path, who),
        trace_value_name(TRACE_ACCESS, fault->access), fault->address, what,
        trace_thread_name(model->scenario, context->event->thread, pager));
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;

    if (model->now.fault == MODEL_NONE)
        return;
    const struct model_fault *fault = model_fault(model, model->now.fault);
    switch (fl_event_id(context->event)) {
    case FL_EVENT_FAULT_DELIVER:
        if (fault->delivers > 1)
            twice(context, fault, "taken");
        break;
    case FL_EVENT_FAULT_REPLY:
        if (fault->replies > 1)
            twice(context, fault, "answered");
        break;
    case FL_EVENT_FAULT_RESUME:
        if (fault->resumes > 1)
            twice(context, fault, "resumed");
        break;
    default:
        break;
    }
}

const struct check check_fault_resolved_once = {
    .id = "fault-resolved-once",
    .summary = "a page fault is taken by a pager, answered and resumed once and not twice",
    .source = "design.md, Semantics: a fault ends in exactly one of resolved or halted",
    .on = CHECK_ON(FAULT_DELIVER) | CHECK_ON(FAULT_REPLY) | CHECK_ON(FAULT_RESUME),
    .event = on_event,
};
