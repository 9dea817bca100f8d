/* Nothing can run and threads are left that should. The kernel knows this itself (design.md,
 * Verdict); the check says who waits for whom, and the cycle when there is one. Servers in their
 * top receive wait rightly.
 *
 * Who waits for a message from anybody when a thread has given up, for what was refused as the plan
 * has it, may well wait for that thread's: that is no deadlock. One that is known to wait for it,
 * by a lock that it left behind, is in one. */
#include <inttypes.h>
#include <string.h>
#include "check.h"
#include "trace.h"

struct state {
    bool refused, given_up; /* what was refused; a thread that was put on halt since */
};

/* Whom the thread waits for; NULL when that is nobody in particular, or nobody that lives. */
static const struct model_thread *blocker(const struct model *model,
                                          const struct model_thread *thread)
{
    uint32_t path = thread->waits_for;

    if (thread->waits == WAIT_NOTHING)
        return NULL;
    if (thread->waits == WAIT_LOCK)
        path = model_lock_holder(model, thread->space, thread->waits_at);
    const struct model_thread *other = model_find(model, path);
    return other && other->state == THREAD_ALIVE ? other : NULL;
}

/* A thread that comes back to itself when one follows who waits for whom; NULL: there is no cycle.
 */
static const struct model_thread *find_cycle(const struct model *model)
{
    for (unsigned tid = 0; tid < FL_MAX_THREADS; tid++) {
        if (model->by_tid[tid] == MODEL_NONE)
            continue;
        const struct model_thread *start = model_thread(model, model->by_tid[tid]);
        const struct model_thread *thread = blocker(model, start);
        for (unsigned steps = 0; thread && thread != start && steps < FL_MAX_THREADS; steps++)
            thread = blocker(model, thread);
        if (thread == start)
            return start;
    }
    return NULL;
}

static void describe(const struct model *model, const struct model_thread *thread, GString *text)
{
    uint32_t of = thread->waits == WAIT_LOCK
                      ? model_lock_holder(model, thread->space, thread->waits_at)
                      : thread->waits_for;
    const struct model_thread *other = model_find(model, of);
    char who[TRACE_NAME_MAX], whom[TRACE_NAME_MAX];

    trace_thread_name(model->scenario, of, whom);
    g_string_append_printf(text, "%s%s waits for ", text->len ? ", " : "",
                           trace_thread_name(model->scenario, thread->path, who));
    switch ((enum thread_wait)thread->waits) {
    case WAIT_LOCK:
        g_string_append_printf(text, "the lock 0x%" PRIx64 " that %s holds", thread->waits_at,
                               whom);
        break;
    case WAIT_JOIN:
        g_string_append_printf(text, "the end of %s", whom);
        break;
    case WAIT_SUSPEND:
        g_string_append_printf(text, "%s to stand", whom);
        break;
    case WAIT_RESUME:
        g_string_append(text, "somebody to resume it");
        break;
    case WAIT_SEND:
        g_string_append_printf(text, "%s to receive", whom);
        break;
    case WAIT_REPLY:
        g_string_append_printf(text, "the answer of %s", whom);
        break;
    case WAIT_RECEIVE:
        g_string_append_printf(text, "a message from %s", of == FL_PATH_KERNEL ? "anybody" : whom);
        break;
    case WAIT_FAULT:
        g_string_append_printf(text, "its fault at 0x%" PRIx64, thread->waits_at);
        break;
    case WAIT_NOTHING:
        g_string_append(text, "nothing");
        break;
    }
    if (other && other->state != THREAD_ALIVE)
        g_string_append(text,
                        other->state == THREAD_HALTED ? ", which is halted" : ", which has ended");
}

static bool is_server(const struct model *model, const struct model_thread *thread)
{
    uint32_t domain = (thread->path >> 24) - (FL_PATH_DOMAIN(0) >> 24);

    return thread->waits == WAIT_RECEIVE && thread->waits_for == FL_PATH_KERNEL &&
           (thread->space == FL_SPACE_CORE ||
            (model->scenario && thread->path == FL_PATH_DOMAIN(domain) && domain < FL_MAX_DOMAINS &&
             model->scenario->domains[domain].server));
}

/* Whether it waits for a message that may not come because its sender gave up, or for a thread that
 * does. */
static bool is_let_down(const struct check_context *context, const struct model_thread *thread)
{
    const struct state *state = context->state;

    for (unsigned steps = 0; thread && steps < FL_MAX_THREADS; steps++) {
        if (thread->waits == WAIT_RECEIVE && thread->waits_for == FL_PATH_KERNEL)
            return state->given_up;
        thread = blocker(context->model, thread);
    }
    return false;
}

static void on_event(struct check_context *context)
{
    struct state *state = context->state;

    state->refused |= fl_event_id(context->event) == FL_EVENT_REFUSE;
    state->given_up |= state->refused && fl_event_id(context->event) == FL_EVENT_THREAD_HALT;
}

static void on_end(struct check_context *context)
{
    const struct model *model = context->model;

    if (context->outcome != FL_OUTCOME_DEADLOCK)
        return;
    if (context->damaged) {
        check_violated(context, "nothing can run; the trace has gaps, so why is not known");
        return;
    }
    const struct model_thread *start = find_cycle(model);
    g_autoptr(GString) text = g_string_new(NULL);
    if (start) {
        const struct model_thread *thread = start;
        do
            describe(model, thread, text);
        while ((thread = blocker(model, thread)) != start);
    } else {
        for (unsigned i = 0; i < model->threads->len; i++) {
            const struct model_thread *thread = model_thread(model, i);
            if (thread->state == THREAD_ALIVE && !is_server(model, thread) &&
                !is_let_down(context, thread))
                describe(model, thread, text);
        }
        if (text->len == 0 && ((const struct state *)context->state)->given_up)
            return;
    }
    check_violated(context, "%s: %s", start ? "a cycle" : "nothing can run", text->str);
}

const struct check check_no_deadlock = {
    .id = "no-deadlock",
    .summary = "no run ends with threads that wait for what cannot come",
    .source = "design.md, Semantics: verdict",
    .state_size = sizeof(struct state),
    .on = CHECK_ON(REFUSE) | CHECK_ON(THREAD_HALT),
    .event = on_event,
    .end = on_end,
};
