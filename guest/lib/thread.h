/* Threads as a program makes them: a stack from the allocator, then a thread from core. */
#ifndef FAULTLINE_THREAD_H
#define FAULTLINE_THREAD_H

#include <stdint.h>
#include "core.h"
#include "stack_alloc.h"

struct thread {
    struct context *context; /* at the top of its stack; NULL until the stack is attached */
    tid_t tid;
    uint32_t stack_size;
    core_handle_t dataspace; /* the stack's memory */
};

/* Makes `thread`, the caller's next child, run entry(arg). The struct must outlive it.
 * NO_SLOT: the stack is too large for any slot, nothing was tried. STACK_ALLOC_FAILED: no slot is
 * free, or core refused to attach the stack. Others: core could not make the thread. */
uint32_t thread_create(struct thread *thread, uint32_t stack_size, void (*entry)(void *arg),
                       void *arg);

/* Waits until it has ended or is halted. */
SYS_ALWAYS_INLINE void thread_join(const struct thread *thread)
{
    sys_thread_join(thread->tid);
}

/* Gives back the thread and its stack, after thread_join. */
uint32_t thread_destroy(struct thread *thread);

#endif
