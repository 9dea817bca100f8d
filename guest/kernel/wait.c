/* What threads wait for beside IPC: locks, and each other's end. */

#include "kernel.h"

/* The lock's word as the kernel reaches it, or NULL after raising the page fault that the thread
 * would have taken had it touched the word itself; it then makes the call once more. */
static uint32_t *lock_word(struct thread *thread, uint32_t address)
{
    if (address >= FL_USER_END || (address & 3u) != 0) {
        give_status(thread, FL_ERROR_INVALID);
        return NULL;
    }
    struct arch_mapping page = arch_lookup(thread->space, address);
    if ((page.rights & FL_RIGHTS_RW) == FL_RIGHTS_RW) {
        uint8_t *base = arch_frame_address(page.frame);
        return (uint32_t *)(base + (address & (FL_PAGE_SIZE - 1)));
    }
    struct trap trap = {.kind = TRAP_FAULT, .address = address, .access = FL_ACCESS_WRITE};
    arch_syscall_restart(&thread->frame);
    fault_raise(thread, &trap);
    return NULL;
}

/* Of whom a lock's word names: kernel when that is nobody, or nobody any more. */
static uint32_t path_of(uint32_t id)
{
    const struct thread *thread = thread_find(id);
    return thread != NULL ? thread->path : FL_PATH_KERNEL;
}

void do_lock(struct thread *thread)
{
    uint32_t address = argument(thread, 0);
    uint32_t *word = lock_word(thread, address);
    if (word == NULL) {
        return;
    }
    give_status(thread, FL_ERROR_OK);
    if (*word == 0) {
        *word = thread->id;
        trace(FL_EVENT_LOCK, thread, address, 0, 0);
        return;
    }
    trace(FL_EVENT_LOCK_BLOCK, thread, address, path_of(*word), 0);
    thread->wait_address = address;
    block(thread, THREAD_LOCKING);
    queue_append(&run.lock_waiters, thread);
}

static struct thread *first_waiter(uint32_t space, uint32_t address)
{
    struct thread *waiter = run.lock_waiters.head;
    while (waiter != NULL && (waiter->space != space || waiter->wait_address != address)) {
        waiter = waiter->next;
    }
    return waiter;
}

void do_unlock(struct thread *thread)
{
    uint32_t address = argument(thread, 0);
    uint32_t *word = lock_word(thread, address);
    if (word == NULL) {
        return;
    }
    if (*word != thread->id) {
        trace(FL_EVENT_LOCK_ERROR, thread, address, path_of(*word), FL_ERROR_NOT_OWNER);
        give_status(thread, FL_ERROR_NOT_OWNER);
        return;
    }
    give_status(thread, FL_ERROR_OK);
    struct thread *waiter = first_waiter(thread->space, address);
    *word = waiter != NULL ? waiter->id : 0;
    trace(FL_EVENT_UNLOCK, thread, address, waiter != NULL ? waiter->path : FL_PATH_KERNEL, 0);
    if (waiter != NULL) {
        queue_remove(&run.lock_waiters, waiter);
        trace(FL_EVENT_LOCK, waiter, address, 1, 0);
        ready(waiter);
    }
}

void do_thread_join(struct thread *thread)
{
    uint32_t id = argument(thread, 0);
    struct thread *of = thread_find(id);
    give_status(thread, FL_ERROR_OK);
    if (of == NULL || !thread_alive(of)) {
        uint32_t index = id & 0xffu;
        bool known = index < FL_MAX_THREADS && threads[index].id == id;
        trace(FL_EVENT_JOIN, thread, known ? threads[index].path : FL_PATH_KERNEL, 0, 0);
        return;
    }
    if (of == thread) {
        give_status(thread, FL_ERROR_INVALID);
        return;
    }
    trace(FL_EVENT_JOIN_BLOCK, thread, of->path, 0, 0);
    block(thread, THREAD_JOINING);
    thread->partner = of;
}

void join_finish(struct thread *ended)
{
    for (uint32_t i = 0; i < threads_used(); i++) {
        struct thread *thread = &threads[i];
        if (thread->state == THREAD_JOINING && thread->partner == ended) {
            trace(FL_EVENT_JOIN, thread, ended->path, 1, 0);
            ready(thread);
        }
    }
}

void do_yield(struct thread *thread)
{
    trace(FL_EVENT_YIELD, thread, 0, 0, 0);
    give_status(thread, FL_ERROR_OK);
    struct thread *next = successor(thread);
    if (next != NULL && next != thread) {
        run_next(next, FL_SWITCH_YIELD);
        ready(thread);
    }
}
