/* A thread asleep must hold no mutex that another waits for: that one may be who would wake it.
 * Mutexes and wait queues of a server, as it tells of them. */
#include "check.h"
#include "trace.h"

enum { MUTEXES = 8 };

struct sleeper {
    bool asleep;
    uint32_t queue;
};

struct state {
    struct sleeper sleepers[FL_MAX_THREADS]; /* by number of the thread */
    uint32_t holder[MUTEXES];                /* path; kernel: nobody */
    uint32_t waiting[MUTEXES];               /* path of the last who wants it; kernel: nobody */
};

static const struct sleeper *sleeper_of(struct check_context *context, uint32_t path)
{
    const struct model_thread *thread = model_find(context->model, path);
    struct state *state = context->state;

    return thread && thread->tid < FL_MAX_THREADS ? &state->sleepers[thread->tid] : NULL;
}

static void judge(struct check_context *context, uint32_t mutex)
{
    const struct state *state = context->state;
    const struct fl_scenario *scenario = context->model->scenario;
    uint32_t holder = state->holder[mutex], waiting = state->waiting[mutex];
    const struct sleeper *sleeper = sleeper_of(context, holder);
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (holder != FL_PATH_KERNEL && waiting != FL_PATH_KERNEL && sleeper && sleeper->asleep)
        check_violated(context, "%s sleeps on queue %u with mutex %u, which %s waits for",
                       trace_thread_name(scenario, holder, who), sleeper->queue, mutex,
                       trace_thread_name(scenario, waiting, other));
}

static void on_sleeper(struct check_context *context, uint32_t path, bool asleep, uint32_t queue)
{
    const struct model_thread *thread = model_find(context->model, path);
    struct state *state = context->state;

    if (!thread || thread->tid >= FL_MAX_THREADS)
        return;
    state->sleepers[thread->tid] = (struct sleeper){asleep, queue};
    for (uint32_t mutex = 0; asleep && mutex < MUTEXES; mutex++)
        if (state->holder[mutex] == path)
            judge(context, mutex);
}

static void on_mutex(struct check_context *context, uint32_t path, uint32_t deed, uint32_t mutex)
{
    struct state *state = context->state;

    if (mutex >= MUTEXES)
        return;
    switch (deed) {
    case FL_DEED_WANTS:
        state->waiting[mutex] = path;
        judge(context, mutex);
        break;
    case FL_DEED_HAS:
        state->holder[mutex] = path;
        if (state->waiting[mutex] == path)
            state->waiting[mutex] = FL_PATH_KERNEL;
        break;
    case FL_DEED_GIVES:
        state->holder[mutex] = FL_PATH_KERNEL;
        break;
    }
}

static void on_event(struct check_context *context)
{
    const struct fl_event *event = context->event;
    uint32_t path = (uint32_t)event->addr;

    if (event->arg == FL_DEED_SLEEPS || event->arg == FL_DEED_IS_AWAKE)
        on_sleeper(context, path, event->arg == FL_DEED_SLEEPS, event->aux);
    else
        on_mutex(context, path, event->arg, event->aux);
}

const struct check check_sleeper_holds_no_mutex = {
    .id = "sleeper-holds-no-mutex",
    .summary = "a thread asleep holds no mutex that another waits for",
    .source = "Codezero 7ef4797, wait_on_prepare (seed 004)",
    .state_size = sizeof(struct state),
    .on = CHECK_ON(MARK_DEED),
    .event = on_event,
};
