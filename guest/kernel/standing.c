/* How every thread stands, for who tells states apart. Whoever is ready may be chosen at every
 * place and wherever a thread gives the processor up; so who has it now, and in which order the
 * others wait for it, is no part of a state: a thread that stands on entry stands as one that was
 * preempted there. Nor is it how faults are numbered, or what lies below a stack pointer. */

#include "kernel.h"

static struct standing {
    uint8_t state;    /* enum thread_state; READY also for the one that runs */
    uint8_t deferred; /* the operation that it entered for is still to be done */
    uint8_t faulted;
    uint8_t next; /* index + 1 of the one behind it at the same receiver or lock */
} standings[FL_MAX_THREADS];

STATE_KEEP_FIRST(standings, run.blocks_used);

static struct fl_dead dead[FL_MAX_THREADS];

STATE_DEAD(dead, run.blocks_used);

static bool waits_for_same(const struct thread *a, const struct thread *b)
{
    return a->state == b->state && a->partner == b->partner && a->space == b->space &&
           a->wait_address == b->wait_address;
}

static uint8_t behind(const struct thread *thread)
{
    if (thread->state != THREAD_SENDING && thread->state != THREAD_LOCKING) {
        return 0;
    }
    const struct thread *next = thread->next;
    while (next != NULL && !waits_for_same(thread, next)) {
        next = next->next;
    }
    return next != NULL ? (uint8_t)(next->index + 1) : 0;
}

static struct standing standing_of(const struct thread *thread, bool entered)
{
    const bool runs = thread->state == THREAD_RUNNING;
    return (struct standing){
        .state = (uint8_t)(runs ? THREAD_READY : thread->state),
        .deferred = thread->deferred || (runs && entered),
        .faulted = thread->fault != 0,
        .next = behind(thread),
    };
}

/* Stacks whose pages hold nothing else: that of a program's first thread (crt0.S), and in the
 * context area. No code leaves anything below its stack pointer. A page that may not be written may
 * be another's stack, too. */
static bool has_pages_of_its_own(const struct thread *thread, uint32_t sp)
{
    return (thread->path & 0xffffffu) == 0 || sp - FL_CONTEXT_BASE < FL_CONTEXT_SIZE;
}

static struct fl_dead dead_of(const struct thread *thread)
{
    const uint32_t sp = arch_frame_sp(&thread->frame);
    const uint32_t bytes = sp & (FL_PAGE_SIZE - 1);
    if (!thread_alive(thread) || sp >= FL_USER_END || !has_pages_of_its_own(thread, sp)) {
        return (struct fl_dead){0, 0};
    }
    const struct arch_mapping page = arch_lookup(thread->space, sp - bytes);
    return page.rights == FL_RIGHTS_RW ? (struct fl_dead){page.frame << FL_PAGE_SHIFT, bytes}
                                       : (struct fl_dead){0, 0};
}

/* Nobody asks for the registers of one that has ended. */
static void forget_registers(struct thread *thread)
{
    if (thread->state == THREAD_ENDED) {
        thread->frame = (struct arch_frame){0};
        thread->trap = thread->fault_trap = (struct trap){0};
    }
}

void standing_tell(bool entered)
{
    for (uint32_t i = 0; i < threads_used(); i++) {
        forget_registers(&threads[i]);
        standings[i] = standing_of(&threads[i], entered);
        dead[i] = dead_of(&threads[i]);
    }
}
