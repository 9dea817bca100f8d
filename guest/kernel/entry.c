/* Kernel entries other than the timer's: which point each is, and who performs it. */

#include "kernel.h"

struct syscall {
    void (*handler)(struct thread *thread);
    uint32_t point;
};

#define SYSCALL(number, NAME, handler, POINT) [number] = {handler, FL_POINT_##POINT},
static const struct syscall syscalls[] = {
#include "syscalls.def"
};
#undef SYSCALL

static const struct syscall *syscall_of(const struct thread *thread)
{
    uint32_t number = arch_syscall_number(&thread->frame);
    return number < sizeof syscalls / sizeof syscalls[0] ? &syscalls[number] : NULL;
}

uint32_t entry_point(const struct thread *thread)
{
    switch (thread->trap.kind) {
    case TRAP_FAULT:
        return FL_POINT_FAULT;
    case TRAP_SYSCALL: {
        const struct syscall *syscall = syscall_of(thread);
        return syscall != NULL ? syscall->point : FL_POINT_EXCEPTION;
    }
    default:
        return FL_POINT_EXCEPTION;
    }
}

void entry_perform(struct thread *thread)
{
    switch (thread->trap.kind) {
    case TRAP_FAULT:
        fault_raise(thread, &thread->trap);
        break;
    case TRAP_SYSCALL: {
        const struct syscall *syscall = syscall_of(thread);
        if (syscall != NULL) {
            syscall->handler(thread);
        } else {
            give_status(thread, FL_ERROR_INVALID);
        }
        break;
    }
    default:
        thread_halt(thread, FL_HALT_EXCEPTION);
        break;
    }
}
