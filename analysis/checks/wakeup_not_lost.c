/* A thread that looks, finds nothing to do and sleeps must not miss who wakes its queue in between:
 * what it waits for is there, and nobody may wake it again. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

enum { QUEUES = 8 };

struct wake {
    uint64_t event; /* 0: none yet */
    uint32_t by;
};

struct state {
    struct wake last[QUEUES];
    uint64_t looked[FL_MAX_THREADS]; /* by number of the thread: when it looked last; 0: awake */
};

static void on_sleep(struct check_context *context, uint32_t path, uint32_t queue, uint64_t looked)
{
    const struct model *model = context->model;
    const struct wake *wake = &((const struct state *)context->state)->last[queue];
    char who[TRACE_NAME_MAX], by[TRACE_NAME_MAX];

    if (looked == 0 || wake->event < looked)
        return;
    check_violated(context,
                   "%s sleeps on queue %u, which %s woke (event %" PRIu64
                   ") after %s had looked (event %" PRIu64 ")",
                   trace_thread_name(model->scenario, path, who), queue,
                   trace_thread_name(model->scenario, wake->by, by), wake->event, who, looked);
}

static void on_event(struct check_context *context)
{
    struct state *state = context->state;
    const struct fl_event *event = context->event;
    uint32_t path = (uint32_t)event->addr, queue = event->aux;
    const struct model_thread *thread = model_find(context->model, path);

    if (!thread || thread->tid >= FL_MAX_THREADS || queue >= QUEUES)
        return;
    switch (event->arg) {
    case FL_DEED_LOOKS:
        state->looked[thread->tid] = context->index;
        break;
    case FL_DEED_WAKES:
        state->last[queue] = (struct wake){context->index, path};
        break;
    case FL_DEED_SLEEPS:
        on_sleep(context, path, queue, state->looked[thread->tid]);
        break;
    case FL_DEED_IS_AWAKE:
        state->looked[thread->tid] = 0;
        break;
    }
}

/* Of each thread that has looked: which queues were woken since. */
static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    for (uint32_t tid = 0; tid < FL_MAX_THREADS; tid++) {
        uint64_t woken = 0;
        for (uint32_t queue = 0; queue < QUEUES; queue++)
            woken |= (uint64_t)(state->last[queue].event >= state->looked[tid]) << queue;
        if (state->looked[tid] != 0)
            FINGERPRINT_FACT(facts, 0, tid, woken);
    }
}

const struct check check_wakeup_not_lost = {
    .id = "wakeup-not-lost",
    .summary = "no thread sleeps on a queue that was woken since it looked",
    .source = "Codezero, wait queues (seed 004)",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(MARK_DEED),
    .event = on_event,
};
