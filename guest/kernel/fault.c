/* Page faults: a message to the thread's pager, whose reply lets the thread go on. */

#include "kernel.h"

void fault_raise(struct thread *thread, const struct trap *trap)
{
    thread->fault = ++run.faults;
    thread->fault_trap = *trap;
    thread->fault_pc = arch_trap_pc(&thread->frame, false);
    thread->fault_rights = trap->address < FL_USER_END
                               ? arch_lookup(thread->space, trap->address).rights
                               : FL_RIGHTS_NONE;
    trace(FL_EVENT_FAULT_RAISE, thread, trap->address, trap->access, thread->fault);
    struct thread *pager = thread_find(thread->pager);
    if (pager == NULL || !thread_alive(pager)) {
        thread_halt(thread, FL_HALT_NO_PAGER);
    } else {
        ipc_send_fault(thread, pager);
    }
}

/* What a pager says of a fault that it has taken and not yet answered. */
static void say_of_fault(struct thread *pager, uint32_t event)
{
    const struct thread *faulter = thread_find(argument(pager, 0));
    if (faulter == NULL || faulter->fault == 0 || faulter->state != THREAD_CALLING ||
        faulter->partner != pager) {
        give_status(pager, FL_ERROR_INVALID);
        return;
    }
    trace(event, pager, faulter->path, 0, faulter->fault);
    give_status(pager, FL_ERROR_OK);
}

void do_fault_park(struct thread *thread)
{
    say_of_fault(thread, FL_EVENT_FAULT_PARK);
}

void do_fault_duplicate(struct thread *thread)
{
    say_of_fault(thread, FL_EVENT_FAULT_DUPLICATE);
}
