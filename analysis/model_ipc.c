/* What threads wait for: messages, locks, the end of others, to be resumed. */
#include "model_update.h"
#include <inttypes.h>
#include "trace.h"

static struct model_thread *self(const struct model *model)
{
    return model_thread(model, model->now.thread);
}

static void wait_for(struct model_thread *thread, enum thread_wait kind, uint32_t path,
                     uint64_t address)
{
    thread->waits = (uint8_t)kind;
    thread->waits_for = path;
    thread->waits_at = address;
}

/* Another thread that the event names; complains when it was never created. */
static struct model_thread *partner(struct model *model, const struct fl_event *event)
{
    struct model_thread *thread = model_find(model, (uint32_t)event->addr);
    char who[TRACE_NAME_MAX];

    if (!thread)
        model_complain(model, "%s names %s (0x%08x), which was never created",
                       trace_event_info(fl_event_id(event))->name,
                       trace_thread_name(model->scenario, (uint32_t)event->addr, who),
                       (uint32_t)event->addr);
    return thread;
}

void model_ipc_send(struct model *model, const struct fl_event *event)
{
    if (!partner(model, event))
        return;
    self(model)->calls = event->aux != 0;
    self(model)->asks = (uint16_t)(event->aux ? event->arg : FL_LABEL_NONE);
    wait_for(self(model), WAIT_SEND, (uint32_t)event->addr, 0);
}

void model_ipc_deliver(struct model *model, const struct fl_event *event)
{
    struct model_thread *sender = partner(model, event);
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (!sender)
        return;
    if (sender->waits != WAIT_SEND || sender->waits_for != event->thread)
        model_complain(model, "%s takes a message of %s, which offers it none",
                       trace_thread_name(model->scenario, event->thread, who),
                       trace_thread_name(model->scenario, sender->path, other));
    wait_for(self(model), WAIT_NOTHING, 0, 0);
    wait_for(sender, sender->calls ? WAIT_REPLY : WAIT_NOTHING, event->thread, 0);
}

void model_ipc_wait(struct model *model, const struct fl_event *event)
{
    wait_for(self(model), WAIT_RECEIVE, (uint32_t)event->addr, 0);
}

void model_ipc_reply(struct model *model, const struct fl_event *event)
{
    struct model_thread *caller = partner(model, event);
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (!caller)
        return;
    if (caller->waits != WAIT_REPLY || caller->waits_for != event->thread)
        model_complain(model, "%s answers %s, which waits for no answer of it",
                       trace_thread_name(model->scenario, event->thread, who),
                       trace_thread_name(model->scenario, caller->path, other));
    wait_for(caller, WAIT_NOTHING, 0, 0);
    if (event->arg != FL_ERROR_OK)
        model_reserve_failed(model, caller);
    caller->asks = FL_LABEL_NONE;
}

void model_ipc_error(struct model *model, const struct fl_event *event)
{
    wait_for(self(model), WAIT_NOTHING, 0, 0);
    if (event->arg == FL_ERROR_REFUSED)
        model_reserve_refused(model, self(model));
    else
        model_reserve_failed(model, self(model));
    self(model)->asks = FL_LABEL_NONE;
}

uint32_t model_lock_holder(const struct model *model, uint16_t space, uint64_t address)
{
    const uint32_t *holder = table_find(&model->holder_of, model_key(space, address));

    return holder ? *holder : FL_PATH_KERNEL;
}

bool model_held_lock(const struct model *model, uint16_t space, uint32_t thread, uint64_t *address)
{
    const struct table *holders = &model->holder_of;
    uint64_t lowest = UINT64_MAX;

    for (uint32_t i = 0; i <= holders->mask; i++) {
        const struct table_entry *entry = &holders->entries[i];
        if (entry->epoch == holders->epoch && entry->value == thread &&
            entry->key - model_key(space, 0) < FL_USER_END)
            lowest = MIN(lowest, entry->key);
    }
    *address = lowest - model_key(space, 0);
    return lowest != UINT64_MAX;
}

void model_lock(struct model *model, const struct fl_event *event)
{
    uint32_t *holder = table_put(&model->holder_of, model_key(event->space, event->addr));
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (*holder != FL_PATH_KERNEL && *holder != event->thread)
        model_complain(model, "%s takes the lock 0x%" PRIx64 " that %s holds",
                       trace_thread_name(model->scenario, event->thread, who), event->addr,
                       trace_thread_name(model->scenario, *holder, other));
    *holder = event->thread;
    wait_for(self(model), WAIT_NOTHING, 0, 0);
}

void model_lock_block(struct model *model, const struct fl_event *event)
{
    wait_for(self(model), WAIT_LOCK, event->arg, event->addr);
}

/* The lock is the next one's at once, even if that thread says so only when it runs. */
void model_unlock(struct model *model, const struct fl_event *event)
{
    uint32_t *holder = table_put(&model->holder_of, model_key(event->space, event->addr));
    struct model_thread *next = model_find(model, event->arg);
    char who[TRACE_NAME_MAX];

    if (*holder != event->thread)
        model_complain(model, "%s gives up the lock 0x%" PRIx64 " that it does not hold",
                       trace_thread_name(model->scenario, event->thread, who), event->addr);
    *holder = event->arg;
    if (next)
        wait_for(next, WAIT_NOTHING, 0, 0);
}

/* ended = kernel: somebody whom the kernel has long forgotten. */
void model_join(struct model *model, const struct fl_event *event)
{
    struct model_thread *ended = event->addr == FL_PATH_KERNEL ? NULL : partner(model, event);
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (ended && ended->state == THREAD_ALIVE)
        model_complain(model, "%s knows that %s has ended, which lives",
                       trace_thread_name(model->scenario, event->thread, who),
                       trace_thread_name(model->scenario, ended->path, other));
    wait_for(self(model), WAIT_NOTHING, 0, 0);
}

void model_join_block(struct model *model, const struct fl_event *event)
{
    if (partner(model, event))
        wait_for(self(model), WAIT_JOIN, (uint32_t)event->addr, 0);
}

void model_suspend(struct model *model, const struct fl_event *event)
{
    if (partner(model, event))
        wait_for(self(model), WAIT_SUSPEND, (uint32_t)event->addr, 0);
}

/* Its sleep, if it was asleep, is over. */
void model_suspended(struct model *model, const struct fl_event *event)
{
    (void)event;
    wait_for(self(model), WAIT_RESUME, 0, 0);
}

void model_suspend_end(struct model *model, const struct fl_event *event)
{
    const struct model_thread *whom = partner(model, event);
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (whom && event->arg == FL_ERROR_OK && whom->waits != WAIT_RESUME)
        model_complain(model, "%s knows that %s stands, which does not",
                       trace_thread_name(model->scenario, event->thread, who),
                       trace_thread_name(model->scenario, whom->path, other));
    wait_for(self(model), WAIT_NOTHING, 0, 0);
}

void model_resume(struct model *model, const struct fl_event *event)
{
    struct model_thread *whom = partner(model, event);

    if (whom)
        wait_for(whom, WAIT_NOTHING, 0, 0);
}
