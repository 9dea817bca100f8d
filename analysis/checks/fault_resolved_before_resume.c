/* design.md, Semantics, "order of fault resolution": per fault raise < IPC to pager < map of the
 * right page with the right rights < reply < resume; per pager faults are taken, and answered, in
 * the order in which they were queued, unless the pager parks one and says so. Those that it parked
 * for one page are still answered in that order.
 *
 * The map may be older than the fault: two threads can fault on one page, and the first's
 * resolution is then the second's too. So what counts is how the page is mapped when the pager
 * answers. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static const uint32_t rights_for[] = {
    [FL_ACCESS_READ] = 1, [FL_ACCESS_WRITE] = 2, [FL_ACCESS_EXEC] = 4};

static const char *faulter(const struct model *model, const struct model_fault *fault,
                           char buffer[TRACE_NAME_MAX])
{
    return trace_thread_name(model->scenario, model_thread(model, fault->thread)->path, buffer);
}

static bool mapped(const struct model *model, const struct model_fault *fault)
{
    uint32_t needed = fault->access < G_N_ELEMENTS(rights_for) ? rights_for[fault->access] : 0;

    return (model_rights(model, fault->space, fault->address) & needed) == needed;
}

static const char *mapping_text(uint32_t rights)
{
    const char *text = trace_value_name(TRACE_RIGHTS, rights);

    return rights == FL_RIGHTS_NONE ? "not mapped" : text ? text : "mapped with unknown rights";
}

/* A fault that was queued after this one and that the same pager has taken already; or NULL. */
static const struct model_fault *taken_instead(const struct model *model,
                                               const struct model_fault *fault)
{
    for (unsigned i = model->now.fault + 1; i < model->faults->len; i++)
        if (model_fault(model, i)->delivers > 0 && model_fault(model, i)->pager == fault->pager)
            return model_fault(model, i);
    return NULL;
}

static void on_deliver(struct check_context *context, const struct model_fault *fault)
{
    const struct model *model = context->model;
    const struct model_fault *other = fault->delivers > 1 ? NULL : taken_instead(model, fault);
    char who[TRACE_NAME_MAX], pager[TRACE_NAME_MAX];

    if (other)
        check_violated(context, "%s took fault %u (%s) after fault %u, which was queued later",
                       trace_thread_name(model->scenario, fault->pager, pager), fault->number,
                       faulter(model, fault, who), other->number);
}

static bool wait_for_one_page(const struct model_fault *fault, const struct model_fault *other)
{
    return fault->parked && other->parked && fault->space == other->space &&
           fault->address >> FL_PAGE_SHIFT == other->address >> FL_PAGE_SHIFT;
}

/* The fault that this pager took before `fault`, has not answered, and not parked, unless for the
 * same page; or NULL. */
static const struct model_fault *overtaken(const struct model *model,
                                           const struct model_fault *fault)
{
    for (unsigned i = 0; i < model->in_flight->len; i++) {
        const struct model_fault *other =
            model_fault(model, g_array_index(model->in_flight, uint32_t, i));
        if (other->delivers > 0 && other->pager == fault->pager && other->taken < fault->taken &&
            other->replies + other->reports == 0 &&
            (!other->parked || wait_for_one_page(fault, other)))
            return other;
    }
    return NULL;
}

/* What is wrong with the answer to `fault` by the event's thread, in words; NULL: nothing. */
static const char *wrong_answer(const struct check_context *context,
                                const struct model_fault *fault, char buffer[80])
{
    const struct model *model = context->model;
    const struct model_fault *other = overtaken(model, fault);

    if (fault->delivers == 0)
        return "before it was taken";
    if (fault->pager != context->event->thread)
        return "which another pager took";
    if (!mapped(model, fault)) {
        g_snprintf(buffer, 80, "with the page %s",
                   mapping_text(model_rights(model, fault->space, fault->address)));
        return buffer;
    }
    if (other) {
        g_snprintf(buffer, 80, "before fault %u, taken earlier and %s", other->number,
                   other->parked ? "parked for the same page" : "not parked");
        return buffer;
    }
    return NULL;
}

static void on_reply(struct check_context *context, const struct model_fault *fault)
{
    const struct model *model = context->model;
    char who[TRACE_NAME_MAX], pager[TRACE_NAME_MAX], buffer[80];
    const char *wrong = fault->replies > 1 ? NULL : wrong_answer(context, fault, buffer);

    if (wrong)
        check_violated(context, "%s answered fault %u (%s, %s of 0x%" PRIx64 ") %s",
                       trace_thread_name(model->scenario, context->event->thread, pager),
                       fault->number, faulter(model, fault, who),
                       trace_value_name(TRACE_ACCESS, fault->access), fault->address, wrong);
}

static void goes_on(struct check_context *context, const struct model_fault *fault)
{
    const struct model *model = context->model;
    char who[TRACE_NAME_MAX];

    if (fault->replies == 0)
        check_violated(context, "%s goes on before its fault %u (%s of 0x%" PRIx64 ") is answered",
                       faulter(model, fault, who), fault->number,
                       trace_value_name(TRACE_ACCESS, fault->access), fault->address);
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    uint16_t id = fl_event_id(context->event);

    if (id == FL_EVENT_ENTRY || id == FL_EVENT_INTERRUPT) {
        if (model->now.thread == MODEL_NONE)
            return;
        uint32_t pending = model_thread(model, model->now.thread)->fault;
        if (pending != MODEL_NONE)
            goes_on(context, model_fault(model, pending));
    } else if (model->now.fault != MODEL_NONE) {
        const struct model_fault *fault = model_fault(model, model->now.fault);
        if (id == FL_EVENT_FAULT_DELIVER)
            on_deliver(context, fault);
        else if (id == FL_EVENT_FAULT_REPLY)
            on_reply(context, fault);
        else if (id == FL_EVENT_FAULT_RESUME)
            goes_on(context, fault);
    }
}

const struct check check_fault_resolved_before_resume = {
    .id = "fault-resolved-before-resume",
    .summary =
        "raise, delivery, mapping, answer, resume: in this order, and first come first served",
    .source = "design.md, Semantics: order of fault resolution",
    .on = CHECK_ON(ENTRY) | CHECK_ON(INTERRUPT) | CHECK_ON(FAULT_DELIVER) | CHECK_ON(FAULT_REPLY) |
          CHECK_ON(FAULT_RESUME),
    .event = on_event,
};
