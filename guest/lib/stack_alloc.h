/* The thread-stack allocator: which slot of the context area is whose.
 *
 * The context area is a managed dataspace of core, cut into slots. A stack lies at the top of its
 * slot, what is below is not populated: running off a stack is a fault that nobody resolves. At the
 * top of the stack lies the thread's context. (Genode, seed 000;
 * base/src/lib/base/stack_allocator.cc and thread.cc.)
 */
#ifndef FAULTLINE_STACK_ALLOC_H
#define FAULTLINE_STACK_ALLOC_H

#include <stdbool.h>
#include <stdint.h>
#include "abi.h"
#include "core.h"
#include "sys.h"

struct thread;

/* At the top of every stack. */
struct context {
    struct thread *thread;
    void (*entry)(void *arg);
    void *arg;
    uint32_t pad; /* the stack begins below, on an 8-byte boundary (AAPCS 6.2.1.2) */
};

_Static_assert(sizeof(struct context) % 8 == 0, "stack alignment");

/* A scenario may put another allocator in place of the library's. */
struct stack_allocator_ops {
    /* Chooses a slot and attaches a stack to it. The caller sets thread->context to what is
     * returned, and only then writes the context. NULL: no slot, or nothing could be attached. */
    struct context *(*alloc)(struct thread *thread, uint32_t stack_size);
    /* The opposite, for a thread that has ended. */
    void (*free)(struct thread *thread);
};

/* The library's own: a bit for each slot, under a lock (Genode since 2014, issue 1024). */
extern const struct stack_allocator_ops stack_bit_allocator;

/* What threads get their stacks from; set before the first is made. NULL: stack_bit_allocator.
 * (Programs without initialised data have a page less to be copied for each run.) */
extern const struct stack_allocator_ops *stack_allocator;

#define STACK_SLOTS    (FL_CONTEXT_SIZE / FL_SLOT_SIZE)
#define STACK_MAX_SIZE (FL_SLOT_SIZE - FL_PAGE_SIZE) /* a page below it stays unpopulated */

static inline uint32_t stack_slot_base(uint32_t slot)
{
    return FL_CONTEXT_BASE + slot * FL_SLOT_SIZE;
}

/* Where the context of a stack in the slot at `base` lies, whatever the stack's size. */
static inline struct context *stack_context(uint32_t base)
{
    return (struct context *)(base + FL_SLOT_SIZE) - 1;
}

static inline uint32_t stack_slot_of(const struct context *context)
{
    return (uint32_t)(uintptr_t)context & ~(FL_SLOT_SIZE - 1u);
}

SYS_ALWAYS_INLINE void stack_mark(uint32_t event, uint32_t base, uint32_t size,
                                  const struct thread *thread)
{
    sys_mark(event, base, size, (uint32_t)(uintptr_t)thread);
}

/* What every allocator does once it has chosen: RAM for the stack, attached at the top of the slot
 * at `base` by an IPC to core; and its removal. False: core refused, nothing is left behind. */
bool stack_attach(uint32_t base, uint32_t stack_size, struct thread *thread);
void stack_detach(struct thread *thread);

#endif
