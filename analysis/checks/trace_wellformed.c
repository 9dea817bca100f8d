/* The stream tells a story that can be: begins and ends as it should, time and entry numbers go
 * forward, threads exist, only the dispatched one acts. The model sees what cannot be when it takes
 * an event in. Everything that other checks say rests on this. A trace that is cut or has gaps is
 * inconclusive, not ill-formed: the engine sees to that. */
#include "check.h"
#include "trace.h"

static void on_event(struct check_context *context)
{
    if (context->model->now.complained)
        check_violated(context, "%s", context->model->complaint);
}

static void on_end(struct check_context *context)
{
    const struct model *model = context->model;

    if (model->ended && context->outcome != model->outcome &&
        (context->outcome == FL_OUTCOME_EXITED || context->outcome == FL_OUTCOME_DEADLOCK ||
         context->outcome == FL_OUTCOME_HUNG))
        check_violated(context, "the result says %s, run_end says %s",
                       trace_value_name(TRACE_OUTCOME, context->outcome),
                       trace_value_name(TRACE_OUTCOME, model->outcome) ?: "what does not exist");
}

const struct check check_trace_wellformed = {
    .id = "trace-wellformed",
    .summary = "the events can be the story of a run",
    .source = "guest/abi/events.def",
    .on = CHECK_ON_ALL,
    .event = on_event,
    .end = on_end,
};
