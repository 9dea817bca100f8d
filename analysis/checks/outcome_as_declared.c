/* A scenario declares how its runs end: all threads ended, these threads put on halt for these
 * reasons. Anything else that goes wrong is a violation, even when no other check sees it. Without
 * a scenario nothing is known of halts and errors, and only the outcome is judged. A deadlock is
 * no-deadlock's. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static const struct fl_expected_halt *declared(const struct model *model, uint32_t thread)
{
    const struct fl_variant *variant = model->variant;

    for (uint32_t i = 0; variant && i < MIN(variant->n_halts, FL_MAX_EXPECTED); i++)
        if (variant->halts[i].thread == thread)
            return &variant->halts[i];
    return NULL;
}

static const char *halt_text(uint32_t reason)
{
    const char *text = trace_value_name(TRACE_HALT, reason);

    return text ? text : "an unknown reason";
}

static void on_halt(struct check_context *context)
{
    const struct fl_event *event = context->event;
    const struct fl_expected_halt *halt = declared(context->model, event->thread);
    char who[TRACE_NAME_MAX];

    if (!halt)
        check_violated(context, "%s is put on halt (%s at 0x%" PRIx64 "), which is not declared",
                       trace_thread_name(context->model->scenario, event->thread, who),
                       halt_text(event->arg), event->addr);
    else if (halt->reason != event->arg)
        check_violated(context, "%s is put on halt for %s, declared is %s",
                       trace_thread_name(context->model->scenario, event->thread, who),
                       halt_text(event->arg), halt_text(halt->reason));
}

static void on_error(struct check_context *context)
{
    const struct fl_event *event = context->event;
    const char *error = trace_value_name(TRACE_ERRORS, event->arg);
    char who[TRACE_NAME_MAX];

    if (declared(context->model, event->thread))
        return;
    check_violated(context, "%s fails at 0x%" PRIx64 ": %s",
                   trace_thread_name(context->model->scenario, event->thread, who), event->addr,
                   error ? error : "an unknown error");
}

static void on_event(struct check_context *context)
{
    uint16_t id = fl_event_id(context->event);

    if (!context->model->variant || context->model->now.thread == MODEL_NONE)
        return;
    if (id == FL_EVENT_THREAD_HALT)
        on_halt(context);
    else if (id == FL_EVENT_MARK_ERROR)
        on_error(context);
}

static void check_halts_seen(struct check_context *context)
{
    const struct model *model = context->model;
    const struct fl_variant *variant = model->variant;
    char who[TRACE_NAME_MAX];

    for (uint32_t i = 0; variant && i < MIN(variant->n_halts, FL_MAX_EXPECTED); i++) {
        const struct model_thread *thread = model_find(model, variant->halts[i].thread);
        if (!thread || thread->state != THREAD_HALTED)
            check_violated(context, "%s was to be put on halt (%s), and was not",
                           trace_thread_name(model->scenario, variant->halts[i].thread, who),
                           halt_text(variant->halts[i].reason));
    }
}

static void on_end(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_thread *running = model_find(model, model->running);
    const char *point = running ? trace_point_name(running->point) : NULL;
    char who[TRACE_NAME_MAX];

    trace_thread_name(model->scenario, model->running, who);
    switch (context->outcome) {
    case FL_OUTCOME_EXITED:
        if (!context->damaged)
            check_halts_seen(context);
        break;
    case FL_OUTCOME_HUNG:
        check_violated(context, "the instruction budget is spent; %s ran last (entry %u, %s)", who,
                       running ? running->entries : 0, point ? point : "none");
        break;
    case FL_OUTCOME_GUEST_FAULT:
        check_violated(context, "the guest's kernel took an exception while %s ran", who);
        break;
    case FL_OUTCOME_ABI_VIOLATION:
        check_violated(context, "the guest wrote what is not allowed to the shared window");
        break;
    case FL_OUTCOME_DEAD:
        check_violated(context, "the guest died while %s ran", who);
        break;
    case FL_OUTCOME_SILENT:
        check_violated(context, "the guest fell silent while %s ran", who);
        break;
    default:
        break;
    }
}

const struct check check_outcome_as_declared = {
    .id = "outcome-as-declared",
    .summary = "the run ends with all threads ended, and with the halts that the variant declares",
    .source = "design.md, Semantics: verdict",
    .event = on_event,
    .end = on_end,
};
