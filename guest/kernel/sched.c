/* Scheduling: one FIFO ready queue. Who is handed the processor by an operation comes first
 * (run_next); otherwise the running thread goes on; otherwise the head of the queue runs. */

#include "kernel.h"

void queue_append(struct queue *queue, struct thread *thread)
{
    thread->next = NULL;
    thread->previous = queue->tail;
    if (queue->tail != NULL) {
        queue->tail->next = thread;
    } else {
        queue->head = thread;
    }
    queue->tail = thread;
}

void queue_remove(struct queue *queue, struct thread *thread)
{
    if (thread->previous != NULL) {
        thread->previous->next = thread->next;
    } else {
        queue->head = thread->next;
    }
    if (thread->next != NULL) {
        thread->next->previous = thread->previous;
    } else {
        queue->tail = thread->previous;
    }
    thread->next = thread->previous = NULL;
}

void ready(struct thread *thread)
{
    thread->state = THREAD_READY;
    queue_append(&run.ready, thread);
    run.ready_set |= UINT64_C(1) << thread->index;
}

void unready(struct thread *thread)
{
    queue_remove(&run.ready, thread);
    run.ready_set &= ~(UINT64_C(1) << thread->index);
}

void block(struct thread *thread, enum thread_state state)
{
    thread->state = state;
}

void run_next(struct thread *thread, uint32_t reason)
{
    run.next = thread;
    run.next_reason = reason;
}

/* Whether what is left can be called an end: every scenario thread has ended or is halted, and the
 * servers wait in their top receive. */
static uint32_t idle_outcome(void)
{
    for (uint32_t i = 0; i < FL_MAX_THREADS; i++) {
        const struct thread *thread = &threads[i];
        if (!thread_alive(thread)) {
            continue;
        }
        bool at_top = thread->state == THREAD_RECEIVING && thread->partner == NULL;
        if (!(thread->flags & SYS_THREAD_SERVER) || !at_top) {
            return FL_OUTCOME_DEADLOCK;
        }
    }
    return FL_OUTCOME_EXITED;
}

static struct thread *choose(void)
{
    struct thread *thread = run.next;
    run.next = NULL;
    if (thread != NULL) {
        return thread;
    }
    if (run.current->state == THREAD_RUNNING) {
        return run.current;
    }
    run.next_reason = thread_alive(run.current) ? FL_SWITCH_BLOCK : FL_SWITCH_EXIT;
    return run.ready.head;
}

static void dispatch(struct thread *thread)
{
    if (thread->state == THREAD_READY) {
        unready(thread);
    }
    thread->state = THREAD_RUNNING;
    if (thread == run.current) {
        return;
    }
    bool flush = thread->space != run.active_space;
    trace(FL_EVENT_SWITCH, thread, run.current->path, run.next_reason, flush);
    if (flush) {
        arch_space_activate(thread->space);
        run.active_space = thread->space;
    }
    arch_set_thread_pointer(FL_UTCB_BASE + thread->index * FL_PAGE_SIZE);
    run.current = thread;
}

/* A thread leaves for user mode after its fault was answered: that is the end of the fault. */
static void resume_from_fault(struct thread *thread)
{
    trace(FL_EVENT_FAULT_RESUME, thread, thread->fault_trap.address, thread->fault_trap.access,
          thread->fault);
    thread->fault_resolved = false;
    thread->fault = 0;
}

static void preempt(struct thread *thread, struct thread *target, uint32_t k)
{
    trace(FL_EVENT_PREEMPT, thread, target->path, thread->n, k);
    run.reached++;
    ready(thread);
    run_next(target, FL_SWITCH_PREEMPT);
}

/* The thread stands on entry with its operation not begun: the place k = 0. */
static void enter(struct thread *thread, const struct trap *trap)
{
    thread->n++;
    run.entries++;
    thread->trap = *trap;
    uint32_t point = entry_point(thread);
    trace_point(point);
    trace(FL_EVENT_ENTRY, thread, run.ready_set,
          arch_trap_pc(&thread->frame, trap->kind == TRAP_SYSCALL), thread->n);
    struct thread *target = plan_departure(thread, point);
    if (target != NULL) {
        thread->deferred = true;
        preempt(thread, target, 0);
    } else {
        entry_perform(thread);
    }
}

struct arch_frame *kernel_trap(const struct trap *trap)
{
    run.now = arch_time() - run.start;
    if (trap->kind == TRAP_TIMER) {
        arch_timer_acknowledge();
        run_end(FL_OUTCOME_HUNG);
    } else {
        enter(run.current, trap);
    }
    while (run.outcome == FL_OUTCOME_NONE) {
        struct thread *thread = choose();
        if (thread == NULL) {
            trace_point(FL_POINT_NONE);
            run_end(idle_outcome());
            break;
        }
        dispatch(thread);
        if (!thread->deferred) {
            if (thread->fault_resolved) {
                resume_from_fault(thread);
            }
            return &thread->frame;
        }
        thread->deferred = false;
        trace_point(entry_point(thread));
        entry_perform(thread);
    }
    return NULL;
}
