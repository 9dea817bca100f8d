#include "thread.h"

static const struct stack_allocator_ops *allocator(void)
{
    return stack_allocator ? stack_allocator : &stack_bit_allocator;
}

/* First function of every thread but a domain's first. */
static _Noreturn void thread_begin(struct context *context)
{
    stack_mark(FL_EVENT_MARK_USE, stack_slot_of(context), context->thread->stack_size,
               context->thread);
    context->entry(context->arg);
    sys_thread_exit(0);
}

uint32_t thread_create(struct thread *thread, uint32_t stack_size, void (*entry)(void *arg),
                       void *arg)
{
    if (stack_size == 0 || stack_size > STACK_MAX_SIZE)
        return FL_ERROR_NO_SLOT;

    stack_size = (stack_size + FL_PAGE_SIZE - 1) & ~(FL_PAGE_SIZE - 1);
    thread->context = NULL;
    thread->stack_size = stack_size;

    struct context *context = allocator()->alloc(thread, stack_size);
    if (!context)
        return FL_ERROR_STACK_ALLOC_FAILED;
    thread->context = context;
    stack_mark(FL_EVENT_MARK_PUBLISH, stack_slot_of(context), stack_size, thread);

    *context = (struct context){.thread = thread, .entry = entry, .arg = arg};
    uint32_t top = (uint32_t)(uintptr_t)context;
    uint32_t status = core_thread_create((uint32_t)(uintptr_t)thread_begin, top, top, &thread->tid);
    if (status != FL_ERROR_OK) {
        allocator()->free(thread);
        thread->context = NULL;
        thread->tid = 0;
    }
    return status;
}

/* The thread first: a stack must not go while somebody may run on it. */
uint32_t thread_destroy(struct thread *thread)
{
    uint32_t status = core_thread_destroy(thread->tid);

    if (status == FL_ERROR_OK) {
        allocator()->free(thread);
        thread->context = NULL;
        thread->dataspace = thread->tid = 0;
    }
    return status;
}
