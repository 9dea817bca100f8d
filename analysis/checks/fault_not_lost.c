/* design.md, Semantics: every fault ends in exactly one of resolved, or halted and reported. A
 * fault of a thread without a pager is reported by the kernel, which halts the thread for that
 * reason. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static const char *fault_text(const struct model *model, const struct model_fault *fault,
                              char buffer[160])
{
    char who[TRACE_NAME_MAX];

    g_snprintf(buffer, 160, "fault %u (%s, %s of 0x%" PRIx64 ")", fault->number,
               trace_thread_name(model->scenario, model_thread(model, fault->thread)->path, who),
               trace_value_name(TRACE_ACCESS, fault->access), fault->address);
    return buffer;
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    uint16_t id = fl_event_id(context->event);
    char text[160];

    if (model->now.fault == MODEL_NONE)
        return;
    const struct model_fault *fault = model_fault(model, model->now.fault);
    bool ends = id == FL_EVENT_FAULT_REPLY || id == FL_EVENT_FAULT_REPORT;
    if (ends && fault->replies > 0 && fault->reports > 0)
        check_violated(context, "%s is both answered as resolved and reported as unresolvable",
                       fault_text(model, fault, text));
    else if (id == FL_EVENT_FAULT_REPORT && fault->reports > 1)
        check_violated(context, "%s is reported twice", fault_text(model, fault, text));
    else if (id == FL_EVENT_THREAD_HALT && context->event->arg != FL_HALT_NO_PAGER &&
             fault->replies == 0 && fault->reports == 0)
        check_violated(context, "%s is lost: its thread is halted and nobody reported the fault",
                       fault_text(model, fault, text));
}

/* In a deadlock: does its pager wait for anything but the next message, or has put it aside? Then
 * what it waits for is to blame (no-deadlock). */
static bool is_under_way(const struct model *model, const struct model_fault *fault)
{
    const struct model_thread *pager = fault->delivers ? model_find(model, fault->pager) : NULL;

    return !pager || fault->parked ||
           (pager->state == THREAD_ALIVE &&
            !(pager->waits == WAIT_RECEIVE && pager->waits_for == FL_PATH_KERNEL));
}

/* When the budget is spent or the guest has died, faults may rightly be under way. */
static void on_end(struct check_context *context)
{
    const struct model *model = context->model;
    char text[160];

    if (context->damaged ||
        (context->outcome != FL_OUTCOME_EXITED && context->outcome != FL_OUTCOME_DEADLOCK))
        return;
    for (unsigned i = 0; i < model->faults->len; i++) {
        const struct model_fault *fault = model_fault(model, i);
        if (fault->resumes > 0 || fault->halted ||
            (context->outcome == FL_OUTCOME_DEADLOCK && is_under_way(model, fault)))
            continue;
        const char *how = fault->reports > 0    ? "reported, but its thread was never halted"
                          : fault->replies > 0  ? "answered, but its thread never went on"
                          : fault->delivers > 0 ? "taken by its pager and forgotten"
                                                : "lost: no pager ever took it";
        check_violated(context, "%s is %s", fault_text(model, fault, text), how);
        return;
    }
}

const struct check check_fault_not_lost = {
    .id = "fault-not-lost",
    .summary = "every page fault is resolved, or its thread is halted and the fault reported",
    .source = "design.md, Semantics: verdict",
    .on = CHECK_ON(FAULT_REPLY) | CHECK_ON(FAULT_REPORT) | CHECK_ON(THREAD_HALT),
    .event = on_event,
    .end = on_end,
};
