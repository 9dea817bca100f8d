/* Suspending a thread completes or is refused, and is never half done: between the wish and the
 * standing the thread finishes in the kernel what it is at, and gets neither back to user mode nor
 * to sleep; and one that stands does nothing until it is resumed. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

/* By number of the thread. */
struct state {
    uint64_t wish[FL_MAX_THREADS]; /* event; 0: none that is not fulfilled */
    uint32_t of[FL_MAX_THREADS], by[FL_MAX_THREADS];
    bool stands[FL_MAX_THREADS];
};

static void on_acting(struct check_context *context, const struct model_thread *thread)
{
    const struct state *state = context->state;
    const struct fl_scenario *scenario = context->model->scenario;
    bool enters = fl_event_id(context->event) == FL_EVENT_ENTRY;
    char who[TRACE_NAME_MAX], by[TRACE_NAME_MAX];

    trace_thread_name(scenario, thread->path, who);
    if (state->stands[thread->tid])
        check_violated(context, "%s runs, which is suspended", who);
    else if (enters && state->wish[thread->tid])
        check_violated(
            context, "%s has run in user mode since %s wanted it suspended (event %" PRIu64 ")",
            who, trace_thread_name(scenario, state->by[thread->tid], by), state->wish[thread->tid]);
}

static void on_event(struct check_context *context)
{
    struct state *state = context->state;
    const struct fl_event *event = context->event;
    uint16_t id = fl_event_id(event);
    bool of_other = id == FL_EVENT_SUSPEND || id == FL_EVENT_SUSPEND_END || id == FL_EVENT_RESUME;
    const struct model_thread *thread =
        model_find(context->model, of_other ? (uint32_t)event->addr : event->thread);

    if (!thread || thread->tid >= FL_MAX_THREADS)
        return;
    uint32_t tid = thread->tid;
    switch (id) {
    case FL_EVENT_SUSPEND:
        state->wish[tid] = context->index;
        state->of[tid] = thread->path;
        state->by[tid] = event->thread;
        break;
    case FL_EVENT_SUSPEND_END: /* fulfilled by now, or refused */
        state->wish[tid] = 0;
        break;
    case FL_EVENT_THREAD_EXIT:
    case FL_EVENT_THREAD_HALT:
        state->wish[tid] = 0;
        state->stands[tid] = false;
        break;
    case FL_EVENT_SUSPENDED:
        state->wish[tid] = 0;
        state->stands[tid] = true;
        break;
    case FL_EVENT_RESUME:
        state->stands[tid] = false;
        break;
    default:
        on_acting(context, thread);
    }
}

static void on_end(struct check_context *context)
{
    const struct state *state = context->state;
    const struct fl_scenario *scenario = context->model->scenario;
    char who[TRACE_NAME_MAX], by[TRACE_NAME_MAX];

    for (uint32_t tid = 0; tid < FL_MAX_THREADS && !context->damaged; tid++)
        if (state->wish[tid]) {
            check_violated(context,
                           "%s never comes to stand, though %s wanted that (event %" PRIu64 ")",
                           trace_thread_name(scenario, state->of[tid], who),
                           trace_thread_name(scenario, state->by[tid], by), state->wish[tid]);
            return;
        }
}

/* Not when it was wanted. */
static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    for (uint32_t tid = 0; tid < FL_MAX_THREADS; tid++)
        if (state->wish[tid] != 0 || state->stands[tid])
            FINGERPRINT_FACT(facts, 0, tid, state->wish[tid] != 0, state->of[tid], state->by[tid],
                             state->stands[tid]);
}

const struct check check_never_half_suspended = {
    .id = "never-half-suspended",
    .summary = "suspending a thread completes or is refused, and a suspended one does nothing",
    .source = "Codezero, \"reasonable way to suspend task\" (seed 004)",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(SUSPEND) | CHECK_ON(SUSPENDED) | CHECK_ON(SUSPEND_END) | CHECK_ON(RESUME) |
          CHECK_ON(ENTRY) | CHECK_ON(SWITCH) | CHECK_ON(THREAD_EXIT) | CHECK_ON(THREAD_HALT),
    .event = on_event,
    .end = on_end,
};
