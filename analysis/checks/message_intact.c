/* What a thread meant to say is what is heard of it. Both say so: a sum of the message's words. */
#include "check.h"
#include "trace.h"

struct state {
    uint32_t said[FL_MAX_THREADS]; /* by number of the thread */
    bool waits[FL_MAX_THREADS];    /* to be heard */
};

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;
    struct state *state = context->state;
    const struct fl_event *event = context->event;
    uint32_t path = (uint32_t)event->addr;
    const struct model_thread *thread = model_find(model, path);
    char who[TRACE_NAME_MAX];

    if (!thread || thread->tid >= FL_MAX_THREADS)
        return;
    if (event->arg == FL_DEED_SAYS) {
        state->said[thread->tid] = event->aux;
        state->waits[thread->tid] = true;
    } else if (event->arg == FL_DEED_IS_HEARD && state->waits[thread->tid]) {
        state->waits[thread->tid] = false;
        if (state->said[thread->tid] != event->aux)
            check_violated(context, "%s meant 0x%x, and 0x%x is heard",
                           trace_thread_name(model->scenario, path, who), state->said[thread->tid],
                           event->aux);
    }
}

const struct check check_message_intact = {
    .id = "message-intact",
    .summary = "a message arrives as its sender meant it",
    .source = "Codezero ba31e1b (seed 004)",
    .state_size = sizeof(struct state),
    .on = CHECK_ON(MARK_DEED),
    .event = on_event,
};
