/* A scenario declares how its runs end: all threads ended, these threads put on halt for these
 * reasons. Anything else that goes wrong is a violation, even when no other check sees it. Without
 * a scenario nothing is known of halts and errors, and only the outcome is judged. A deadlock is
 * no-deadlock's.
 *
 * Once something was refused as the plan has it, a program may say so and end: from then on errors
 * that nobody handled are as declared, and faults that could not be resolved, and what was declared
 * need not come. What a program or core makes of a refusal beside that is for the other checks. */
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

struct state {
    bool refused;
};

/* Whether the thread may end so for what was refused to it, or to those that it relied on. Core may
 * not. */
static bool is_excused(const struct check_context *context, uint32_t reason)
{
    const struct state *state = context->state;
    const bool is_core = context->event->thread >> 24 == FL_PATH_CORE >> 24;

    return state->refused && !is_core &&
           (reason == FL_HALT_UNCAUGHT_ERROR || reason == FL_HALT_UNRESOLVED_FAULT ||
            reason == FL_HALT_NO_PAGER);
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

    if (is_excused(context, event->arg))
        return;
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
    char who[TRACE_NAME_MAX], where[32] = "";

    if (declared(context->model, event->thread) || is_excused(context, FL_HALT_UNCAUGHT_ERROR))
        return;
    if (event->addr)
        g_snprintf(where, sizeof(where), " at 0x%" PRIx64, event->addr);
    check_violated(context, "%s fails%s: %s",
                   trace_thread_name(context->model->scenario, event->thread, who), where,
                   error ? error : "an unknown error");
}

static void on_event(struct check_context *context)
{
    uint16_t id = fl_event_id(context->event);
    struct state *state = context->state;

    state->refused |= id == FL_EVENT_REFUSE;
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
    const struct state *state = context->state;
    char who[TRACE_NAME_MAX];

    for (uint32_t i = 0; variant && !state->refused && i < MIN(variant->n_halts, FL_MAX_EXPECTED);
         i++) {
        const struct model_thread *thread = model_find(model, variant->halts[i].thread);
        if (!thread || thread->state != THREAD_HALTED)
            check_violated(context, "%s was to be put on halt (%s), and was not",
                           trace_thread_name(model->scenario, variant->halts[i].thread, who),
                           halt_text(variant->halts[i].reason));
    }
}

/* " while main ran", and at which entry it was last, as far as the trace knows. */
static const char *who_ran(const struct model *model, char buffer[128])
{
    const struct model_thread *thread = model_find(model, model->running);
    char who[TRACE_NAME_MAX];

    buffer[0] = '\0';
    if (!thread)
        return buffer;
    int length = g_snprintf(buffer, 128, " while %s ran",
                            trace_thread_name(model->scenario, thread->path, who));
    if (thread->entries > 0)
        g_snprintf(buffer + length, (gulong)(128 - length), " (since its entry %u, %s)",
                   thread->entries, trace_point_name(thread->point) ?: "unknown");
    return buffer;
}

static void on_end(struct check_context *context)
{
    static const char *const texts[] = {
        [FL_OUTCOME_HUNG] = "the instruction budget was spent",
        [FL_OUTCOME_GUEST_FAULT] = "the guest's kernel took an exception",
        [FL_OUTCOME_ABI_VIOLATION] = "the guest wrote what is not allowed to the shared window",
        [FL_OUTCOME_DEAD] = "the guest died",
        [FL_OUTCOME_SILENT] = "the guest fell silent",
    };
    char ran[128];

    if (context->outcome == FL_OUTCOME_EXITED && !context->damaged)
        check_halts_seen(context);
    else if (context->outcome < G_N_ELEMENTS(texts) && texts[context->outcome])
        check_violated(context, "%s%s", texts[context->outcome], who_ran(context->model, ran));
}

const struct check check_outcome_as_declared = {
    .id = "outcome-as-declared",
    .summary = "the run ends with all threads ended, and with the halts that the variant declares",
    .source = "design.md, Semantics: verdict",
    .state_size = sizeof(struct state),
    .on = CHECK_ON(THREAD_HALT) | CHECK_ON(MARK_ERROR) | CHECK_ON(REFUSE),
    .event = on_event,
    .end = on_end,
};
