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

/* Whom it waited for, and for what, is over: a state is not told from another by what was. */
static void forget_wait(struct thread *thread)
{
    thread->partner = NULL;
    thread->wait_address = 0;
    thread->calls = false;
}

void ready(struct thread *thread)
{
    forget_wait(thread);
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
    for (uint32_t i = 0; i < threads_used(); i++) {
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

struct thread *successor(struct thread *thread)
{
    struct thread *listed = thread->plan != NULL || run.departs ? plan_successor(thread) : NULL;
    if (listed == NULL) {
        return run.ready.head;
    }
    trace(FL_EVENT_PREEMPT, thread, listed->path, thread->n, FL_K_GIVES_UP);
    run.reached++;
    return listed;
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
    return successor(run.current);
}

static void dispatch(struct thread *thread)
{
    if (thread->state == THREAD_READY) {
        unready(thread);
    }
    forget_wait(thread);
    thread->state = THREAD_RUNNING;
    if (thread == run.current) {
        return;
    }
    bool flushed = false;
    if (thread->space != run.active_space) {
        flushed = run.activate(thread->space);
        run.active_space = thread->space;
    }
    trace(FL_EVENT_SWITCH, thread, run.current->path, run.next_reason, flushed);
    arch_set_thread_pointer(FL_UTCB_BASE + thread->index * FL_PAGE_SIZE);
    run.current = thread;
}

/* A thread leaves for user mode after its fault was answered: that is the end of the fault. */
static void resume_from_fault(struct thread *thread)
{
    trace(FL_EVENT_FAULT_RESUME, thread, thread->fault_trap.address, thread->fault_trap.access,
          thread->fault);
    run.keeping->end(thread);
    thread->fault_resolved = false;
    thread->fault = 0;
    thread->fault_trap = (struct trap){0};
}

static void preempt(struct thread *thread, struct thread *target)
{
    trace(FL_EVENT_PREEMPT, thread, target->path, thread->n, thread->k);
    run.reached++;
    ready(thread);
    run_next(target, FL_SWITCH_PREEMPT);
}

static void perform(struct thread *thread)
{
    entry_perform(thread);
    if (thread->suspend != 0) {
        suspend_before_sleep(thread);
    }
}

/* The thread stands on entry with its operation not begun: the place k = 0. */
static void enter(struct thread *thread, const struct trap *trap)
{
    thread->n++;
    thread->k = 0;
    run.entries++;
    thread->trap = *trap;
    uint32_t point = entry_point(thread);
    trace_point(point);
    trace(FL_EVENT_ENTRY, thread, run.ready_set,
          arch_trap_pc(&thread->frame, trap->kind == TRAP_SYSCALL), thread->n);
    struct thread *target = plan_departure(thread, point);
    if (target != NULL) {
        thread->deferred = true;
        preempt(thread, target);
    } else if (run.outcome == FL_OUTCOME_NONE) {
        perform(thread);
    }
}

/* The instruction timer: the thread stands before its k-th instruction, or the budget is spent. */
static void interrupted(struct thread *thread)
{
    arch_timer_acknowledge();
    trace_point(FL_POINT_NONE);
    if (run.now >= run.plan->budget) {
        run_end(FL_OUTCOME_HUNG);
        return;
    }
    thread->k = run.interrupt_at;
    stop_in_user(thread, thread->k);
    if (!plan_lists(thread)) {
        return;
    }
    trace(FL_EVENT_INTERRUPT, thread, run.ready_set, arch_trap_pc(&thread->frame, false),
          thread->k);
    struct thread *target = plan_listed(thread);
    if (target != NULL) {
        preempt(thread, target);
    }
}

/* The first instruction of user mode that comes next, counted from the thread's last entry. */
static uint32_t next_instruction(const struct thread *thread)
{
    return thread->k != 0 ? thread->k : 1;
}

struct arch_frame *to_user(struct thread *thread)
{
    if (thread->fault_resolved) {
        resume_from_fault(thread);
    }
    const uint32_t next = next_instruction(thread);
    stop_in_user(thread, next);
    const uint32_t listed = plan_next_k(thread), stop = stop_next_k(next);
    run.interrupt_at = stop != 0 && (listed == 0 || stop < listed) ? stop : listed;
    if (run.interrupt_at != 0 && run.now + run.interrupt_at < run.plan->budget) {
        return arch_run_for(&thread->frame, run.interrupt_at - next);
    }
    return run.measures ? arch_run_until(&thread->frame, run.start + run.plan->budget)
                        : &thread->frame;
}

static void tell_span(const struct thread *thread, uint32_t instructions)
{
    trace_point(FL_POINT_NONE);
    trace(FL_EVENT_SPAN, thread, 0, instructions, next_instruction(thread));
}

struct arch_frame *kernel_trap(const struct trap *trap)
{
    run.now = trap->time - run.start;
    if (run.measures) {
        tell_span(run.current, trap->instructions);
    }
    if (trap->kind == TRAP_TIMER) {
        interrupted(run.current);
    } else {
        enter(run.current, trap);
    }
    if (run.interrupt_at != 0) {
        arch_timer_arm(run.start + run.plan->budget);
    }
    while (run.outcome == FL_OUTCOME_NONE) {
        struct thread *thread = choose();
        if (run.outcome != FL_OUTCOME_NONE) {
            break;
        }
        if (thread == NULL) {
            trace_point(FL_POINT_NONE);
            run_end(idle_outcome());
            break;
        }
        dispatch(thread);
        if (thread->deferred) {
            thread->deferred = false;
            trace_point(entry_point(thread));
            perform(thread);
        } else if (thread->suspend == 0 || !suspend_before_user(thread)) {
            return to_user(thread);
        }
    }
    return NULL;
}
