/* A lock is given up by who took it, and by the end of that thread it is given up: Codezero locked
 * `new_page` and unlocked `page` (mm0/mm/fault.c, copy_on_write), which leaves the first one locked
 * and takes the second from whoever holds it. A thread put on halt keeps what it holds through no
 * fault of its own. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

static void on_exit_of(struct check_context *context, const char *who)
{
    uint64_t held;

    if (model_held_lock(context->model, context->event->space, context->event->thread, &held))
        check_violated(context, "%s ends and has not given up the lock 0x%" PRIx64, who, held);
}

static void on_refused(struct check_context *context, const char *who)
{
    const struct fl_event *event = context->event;
    char whose[TRACE_NAME_MAX + 16] = "nobody holds", also[64] = "";
    uint64_t held;

    if (event->arg != FL_PATH_KERNEL) {
        trace_thread_name(context->model->scenario, event->arg, whose);
        g_strlcat(whose, " holds", sizeof whose);
    }
    if (model_held_lock(context->model, event->space, event->thread, &held))
        g_snprintf(also, sizeof also, "; it has taken 0x%" PRIx64, held);
    check_violated(context, "%s gives up the lock 0x%" PRIx64 ", which %s%s", who, event->addr,
                   whose, also);
}

static void on_event(struct check_context *context)
{
    char who[TRACE_NAME_MAX];

    if (context->model->now.thread == MODEL_NONE)
        return;
    trace_thread_name(context->model->scenario, context->event->thread, who);
    if (fl_event_id(context->event) == FL_EVENT_LOCK_ERROR)
        on_refused(context, who);
    else
        on_exit_of(context, who);
}

const struct check check_lock_discipline = {
    .id = "lock-discipline",
    .summary = "a lock is given up by who took it, before that thread ends",
    .source = "Codezero, mm0/mm/fault.c: new_page locked, page unlocked (seed 004)",
    .on = CHECK_ON(LOCK_ERROR) | CHECK_ON(THREAD_EXIT),
    .event = on_event,
};
