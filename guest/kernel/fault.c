/* Page faults: a message to the thread's pager, whose reply lets the thread go on. */

#include "kernel.h"

/* ---- Where the words of its message are ---- */

static uint32_t *words_apart(struct thread *thread)
{
    return thread->fault_words;
}

static void words_forgotten(struct thread *thread)
{
    memset(thread->fault_words, 0, sizeof thread->fault_words);
}

const struct fault_keeping fault_kept_apart = {words_apart, words_forgotten};

/* Codezero before ba31e1b: where the thread may just be putting together a message of its own. */
static uint32_t *words_of_message(struct thread *thread)
{
    return thread->utcb->words;
}

const struct fault_keeping fault_kept_in_message = {words_of_message, words_forgotten};

/* There, too, but what the thread had there is kept and put back: of one thread at a time. */
static uint32_t *words_swapped(struct thread *thread)
{
    memcpy(run.kept, thread->utcb->words, sizeof run.kept);
    return thread->utcb->words;
}

static void words_swapped_back(struct thread *thread)
{
    memcpy(thread->utcb->words, run.kept, sizeof run.kept);
}

const struct fault_keeping fault_kept_for_one = {words_swapped, words_swapped_back};

/* ---- The fault ---- */

static void compose(struct thread *thread)
{
    uint32_t *words = thread->fault_message = run.keeping->begin(thread);

    words[0] = thread->fault_trap.address;
    words[1] = thread->fault_trap.access;
    words[2] = thread->fault_pc;
    words[3] = thread->space | thread->fault_rights << 16;
}

void fault_raise(struct thread *thread, const struct trap *trap)
{
    thread->fault = ++run.faults;
    thread->fault_trap = *trap;
    thread->fault_pc = arch_trap_pc(&thread->frame, false);
    thread->fault_rights = trap->address < FL_USER_END
                               ? arch_lookup(thread->space, trap->address).rights
                               : FL_RIGHTS_NONE;
    compose(thread);
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
