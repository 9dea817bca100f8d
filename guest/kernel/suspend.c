/* Suspending threads (Codezero, seed 004). Whoever suspends another waits until that stands where
 * it can be resumed from, at one of its check points:
 *
 * - asleep already: "a task that has a pending suspend would be interrupted from its sleep";
 * - about to sleep: "if suspend was raised and right after, task became about to sleep";
 * - interrupted in user mode: "then an irq suspends it";
 * - at the end of an entry: "before it goes back to user mode".
 *
 * A call that was taken is no sleep, and neither is a fault: who serves them may answer, and the
 * thread stands then. */

#include "kernel.h"

/* A wish that the thread stand comes true at these check points only. */
static bool pending(const struct thread *thread, uint32_t check)
{
    return (thread->suspend & check) != 0;
}

static bool sleeps(const struct thread *thread)
{
    switch (thread->state) {
    case THREAD_SENDING:
        return thread->fault == 0;
    case THREAD_RECEIVING:
    case THREAD_LOCKING:
    case THREAD_JOINING:
        return true;
    default:
        return false;
    }
}

/* Whoever waits for it to stand goes on, with this status. */
static void tell_suspenders(const struct thread *of, uint32_t status)
{
    for (uint32_t i = 0; i < threads_used(); i++) {
        struct thread *thread = &threads[i];
        if (thread->state == THREAD_SUSPENDING && thread->partner == of) {
            trace(FL_EVENT_SUSPEND_END, thread, of->path, status, 0);
            thread->partner = NULL;
            give_status(thread, status);
            ready(thread);
        }
    }
}

static void come_to_stand(struct thread *thread, uint32_t check)
{
    thread->suspend = 0;
    thread->state = THREAD_SUSPENDED;
    trace(FL_EVENT_SUSPENDED, thread, 0, check, 0);
    tell_suspenders(thread, FL_ERROR_OK);
}

static void interrupt_sleep(struct thread *thread, uint32_t check)
{
    thread_withdraw(thread);
    thread->partner = NULL;
    give_status(thread, FL_ERROR_INTERRUPTED);
    come_to_stand(thread, check);
}

void suspend_before_sleep(struct thread *thread)
{
    if (pending(thread, SYS_SUSPEND_BEFORE_SLEEP) && sleeps(thread)) {
        interrupt_sleep(thread, SYS_SUSPEND_BEFORE_SLEEP);
    }
}

static uint32_t check_before_user(const struct thread *thread)
{
    return thread->k != 0 ? SYS_SUSPEND_IN_USER : SYS_SUSPEND_AT_END;
}

bool suspend_before_user(struct thread *thread)
{
    uint32_t check = check_before_user(thread);
    if (!pending(thread, check)) {
        return false;
    }
    come_to_stand(thread, check);
    return true;
}

/* Where it is: asleep, or on its way to user mode. */
static bool suspend_at_once(struct thread *thread)
{
    if (sleeps(thread) && pending(thread, SYS_SUSPEND_ASLEEP)) {
        interrupt_sleep(thread, SYS_SUSPEND_ASLEEP);
        return true;
    }
    uint32_t check = check_before_user(thread);
    if (thread->state != THREAD_READY || thread->deferred || !pending(thread, check)) {
        return false;
    }
    thread_withdraw(thread);
    come_to_stand(thread, check);
    return true;
}

void suspend_refuse(const struct thread *gone)
{
    tell_suspenders(gone, FL_ERROR_PARTNER_GONE);
}

/* The thread that the call is about, if the caller may suspend and resume it; else NULL. */
static struct thread *subject(struct thread *thread)
{
    struct thread *of = thread_find(argument(thread, 0));
    if (of == NULL || !thread_alive(of)) {
        give_status(thread, FL_ERROR_NO_THREAD);
        return NULL;
    }
    if (of->space != thread->space && thread->space != FL_SPACE_CORE) {
        give_status(thread, FL_ERROR_NO_RIGHTS);
        return NULL;
    }
    return of;
}

/* The trace is told when it was too late. */
static void tell_gone(const struct thread *thread, uint32_t id)
{
    uint32_t index = id & 0xffu;
    bool known =
        index < FL_MAX_THREADS && threads[index].id == id && !thread_alive(&threads[index]);
    if (known) {
        trace(FL_EVENT_SUSPEND_END, thread, threads[index].path, FL_ERROR_NO_THREAD, 0);
    }
}

void do_thread_suspend(struct thread *thread)
{
    uint32_t id = argument(thread, 0), checks = argument(thread, 1) & SYS_SUSPEND_ALL;
    struct thread *of = subject(thread);
    if (of == NULL) {
        tell_gone(thread, id);
        return;
    }
    if (of == thread || of->suspend != 0 || of->state == THREAD_SUSPENDED || checks == 0) {
        give_status(thread, FL_ERROR_INVALID);
        return;
    }
    trace(FL_EVENT_SUSPEND, thread, of->path, checks, 0);
    of->suspend = checks;
    if (suspend_at_once(of)) {
        trace(FL_EVENT_SUSPEND_END, thread, of->path, FL_ERROR_OK, 0);
        give_status(thread, FL_ERROR_OK);
        return;
    }
    block(thread, THREAD_SUSPENDING);
    thread->partner = of;
}

void do_thread_resume(struct thread *thread)
{
    struct thread *of = subject(thread);
    if (of == NULL) {
        return;
    }
    if (of->state != THREAD_SUSPENDED) {
        give_status(thread, FL_ERROR_INVALID);
        return;
    }
    trace(FL_EVENT_RESUME, thread, of->path, 0, 0);
    give_status(thread, FL_ERROR_OK);
    ready(of);
}
