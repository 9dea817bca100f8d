#include "exit.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#define DETAIL    64
#define RESET_RIP 0xfff0

static const char *const names[] = {
    [KVM_EXIT_UNKNOWN] = "an exit that the host does not know",
    [KVM_EXIT_EXCEPTION] = "an exception that the host took",
    [KVM_EXIT_IO] = "a port that is not there",
    [KVM_EXIT_HYPERCALL] = "a hypercall",
    [KVM_EXIT_DEBUG] = "a debug exit",
    [KVM_EXIT_HLT] = "halted with nothing to wake it",
    [KVM_EXIT_MMIO] = "memory that is not there",
    [KVM_EXIT_IRQ_WINDOW_OPEN] = "ready for an interrupt",
    [KVM_EXIT_SHUTDOWN] = "shutdown (triple fault)",
    [KVM_EXIT_FAIL_ENTRY] = "the processor refused the guest's state",
    [KVM_EXIT_INTR] = "interrupted",
    [KVM_EXIT_SET_TPR] = "task priority",
    [KVM_EXIT_TPR_ACCESS] = "task priority",
    [KVM_EXIT_NMI] = "non-maskable interrupt",
    [KVM_EXIT_INTERNAL_ERROR] = "KVM gave up",
    [KVM_EXIT_SYSTEM_EVENT] = "a system event",
    [KVM_EXIT_X86_RDMSR] = "read of an MSR that is not there",
    [KVM_EXIT_X86_WRMSR] = "write of an MSR that is not there",
};
#define N_NAMES (sizeof names / sizeof names[0])

static const char *const internal_names[] = {
    [KVM_INTERNAL_ERROR_EMULATION] = "an instruction that it cannot emulate",
    [KVM_INTERNAL_ERROR_SIMUL_EX] = "exceptions at the same time",
    [KVM_INTERNAL_ERROR_DELIVERY_EV] = "delivery of an event",
    [KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON] = "an exit that it did not expect",
};
#define N_INTERNAL_NAMES (sizeof internal_names / sizeof internal_names[0])

static void put(char detail[DETAIL], const char *format, ...) __attribute__((format(printf, 2, 3)));

static void put(char detail[DETAIL], const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(detail, DETAIL, format, args);
    va_end(args);
}

static void describe_internal(const struct kvm_run *run, char detail[DETAIL])
{
    unsigned error = run->internal.suberror;
    const char *name = error < N_INTERNAL_NAMES ? internal_names[error] : NULL;
    put(detail, ": %s (%u)", name != NULL ? name : "for a reason unknown", error);
}

static void describe_detail(const struct kvm_run *run, char detail[DETAIL])
{
    detail[0] = '\0';
    switch (run->exit_reason) {
    case KVM_EXIT_IO:
        put(detail, ": %s 0x%x, %u bytes",
            run->io.direction == KVM_EXIT_IO_OUT ? "write to" : "read of", run->io.port,
            run->io.size);
        break;
    case KVM_EXIT_MMIO:
        put(detail, ": %s 0x%llx, %u bytes", run->mmio.is_write ? "write to" : "read of",
            (unsigned long long)run->mmio.phys_addr, run->mmio.len);
        break;
    case KVM_EXIT_EXCEPTION:
        put(detail, ": vector %u, error 0x%x", run->ex.exception, run->ex.error_code);
        break;
    case KVM_EXIT_DEBUG:
        put(detail, ": vector %u, dr6 0x%llx", run->debug.arch.exception,
            (unsigned long long)run->debug.arch.dr6);
        break;
    case KVM_EXIT_UNKNOWN:
        put(detail, ": 0x%llx", (unsigned long long)run->hw.hardware_exit_reason);
        break;
    case KVM_EXIT_FAIL_ENTRY:
        put(detail, ": 0x%llx", (unsigned long long)run->fail_entry.hardware_entry_failure_reason);
        break;
    case KVM_EXIT_INTERNAL_ERROR:
        describe_internal(run, detail);
        break;
    default:
        break;
    }
}

static void add_place(const struct kvm_regs *regs, const struct kvm_sregs *sregs, char *text,
                      size_t size)
{
    snprintf(text, size, "; rip %llx rsp %llx flags %llx cr2 %llx cr3 %llx",
             (unsigned long long)regs->rip, (unsigned long long)regs->rsp,
             (unsigned long long)regs->rflags, (unsigned long long)sregs->cr2,
             (unsigned long long)sregs->cr3);
}

/* On AMD's processors nothing is defined after a shutdown, so KVM resets what the guest had (Linux,
 * arch/x86/kvm/svm/svm.c, shutdown_interception). */
static bool registers_are_lost(const struct kvm_run *run, const struct kvm_regs *regs)
{
    return run->exit_reason == KVM_EXIT_SHUTDOWN && regs->rip == RESET_RIP;
}

void exit_describe(const struct kvm_run *run, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs, char text[EXIT_TEXT])
{
    char detail[DETAIL];
    unsigned reason = run->exit_reason;
    describe_detail(run, detail);
    if (reason < N_NAMES && names[reason] != NULL)
        snprintf(text, EXIT_TEXT, "%s%s", names[reason], detail);
    else
        snprintf(text, EXIT_TEXT, "exit reason %u", reason);
    size_t length = strlen(text);
    if (registers_are_lost(run, regs))
        snprintf(text + length, EXIT_TEXT - length, "; its registers are lost with it, on AMD");
    else
        add_place(regs, sregs, text + length, EXIT_TEXT - length);
}

void exit_describe_vcpu(int vcpu, const struct kvm_run *run, int errno_value, char text[EXIT_TEXT])
{
    struct kvm_regs regs = {0};
    struct kvm_sregs sregs = {0};
    ioctl(vcpu, KVM_GET_REGS, &regs);
    ioctl(vcpu, KVM_GET_SREGS, &sregs);
    if (errno_value == 0) {
        exit_describe(run, &regs, &sregs, text);
        return;
    }
    if (errno_value == EINTR)
        snprintf(text, EXIT_TEXT, "stopped by a signal");
    else
        snprintf(text, EXIT_TEXT, "KVM_RUN failed: %s", strerror(errno_value));
    add_place(&regs, &sregs, text + strlen(text), EXIT_TEXT - strlen(text));
}
