/* Page faults: a message to the thread's pager, whose reply lets the thread go on. */

#include "kernel.h"

void fault_raise(struct thread *thread, const struct trap *trap)
{
    thread->fault = ++run.faults;
    thread->fault_trap = *trap;
    thread->fault_pc = arch_trap_pc(&thread->frame, false);
    trace(FL_EVENT_FAULT_RAISE, thread, trap->address, trap->access, thread->fault);
    struct thread *pager = thread_find(thread->pager);
    if (pager == NULL || !thread_alive(pager)) {
        thread_halt(thread, FL_HALT_NO_PAGER);
    } else {
        ipc_send_fault(thread, pager);
    }
}

void do_fault_park(struct thread *thread)
{
    struct thread *faulter = thread_find(argument(thread, 0));
    if (faulter == NULL || faulter->fault == 0 || faulter->state != THREAD_CALLING ||
        faulter->partner != thread) {
        give_status(thread, FL_ERROR_INVALID);
        return;
    }
    trace(FL_EVENT_FAULT_PARK, thread, faulter->path, 0, faulter->fault);
    give_status(thread, FL_ERROR_OK);
}
