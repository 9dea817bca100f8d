/* KVM steps by the processor's trap flag, and does not hide it: an exception clears it and leaves
 * it in the flags that it pushes, a system call likewise. So here
 *
 * - system calls are made by hand;
 * - the first instruction behind each gate is a halt, which KVM gives to us; the flags pushed are
 *   put right there;
 * - the trap flag that the guest sets itself, to count instructions, is kept apart, and its
 *   exception is injected.
 *
 * The timer does not run: its ticks leave nothing in a run (guest/arch/x86_64/timer.c).
 * Breakpoints of KVM's are not used: where KVM is nested they do not fire (selftest.h).
 */
#include "debug_step.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include "abi.h"
#include "lapic.h"

#define KERNEL       0xffffffff80000000u
#define HALT         0xf4
#define TRAP_FLAG    0x100u
#define RESUME_FLAG  0x10000u
#define VECTOR_DEBUG 1u
#define KERNEL_CODE  0x08
#define KERNEL_DATA  0x10
#define SYSCALL_SIZE 2u

#define MSR_LSTAR  0xc0000082u
#define MSR_SFMASK 0xc0000084u

uint8_t *stepped_kernel(const struct stepped *stepped, uint64_t address, uint64_t size)
{
    const uint64_t offset = address - KERNEL;
    return address >= KERNEL && offset < FL_RAM_SIZE && size <= FL_RAM_SIZE - offset
               ? stepped->ram + offset
               : NULL;
}

uint8_t *stepped_at(const struct stepped *stepped, uint64_t address, uint64_t size)
{
    if (address >= KERNEL)
        return stepped_kernel(stepped, address, size);
    struct kvm_translation at = {.linear_address = address};
    if (address % FL_PAGE_SIZE + size > FL_PAGE_SIZE ||
        ioctl(stepped->vcpu->fd, KVM_TRANSLATE, &at) != 0 || !at.valid)
        return NULL;
    return stepped_kernel(stepped, KERNEL + at.physical_address, size);
}

bool stepped_read(struct stepped *stepped)
{
    return ioctl(stepped->vcpu->fd, KVM_GET_REGS, &stepped->regs) == 0;
}

bool stepped_write(struct stepped *stepped)
{
    return ioctl(stepped->vcpu->fd, KVM_SET_REGS, &stepped->regs) == 0;
}

static bool set_stepping(const struct stepped *stepped, bool on)
{
    const struct kvm_guest_debug debug = {
        .control = on ? KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP : 0};
    return ioctl(stepped->vcpu->fd, KVM_SET_GUEST_DEBUG, &debug) == 0;
}

/* Until something is to be done about it. What it writes to its timer has no effect. */
static bool run(const struct stepped *stepped)
{
    const struct kvm_run *state = stepped->vcpu->run;
    do {
        if (ioctl(stepped->vcpu->fd, KVM_RUN, 0) != 0)
            return false;
    } while (state->exit_reason == KVM_EXIT_MMIO && state->mmio.is_write &&
             state->mmio.phys_addr - LAPIC_BASE < LAPIC_SIZE);
    return state->exit_reason == KVM_EXIT_DEBUG || state->exit_reason == KVM_EXIT_HLT;
}

/* ---- gates ---- */

struct gate {
    uint16_t low, selector, type, middle;
    uint32_t high, zero;
};

static bool find_gates(struct stepped *stepped)
{
    struct kvm_sregs sregs;
    if (ioctl(stepped->vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
        return false;
    const uint8_t *table =
        stepped_kernel(stepped, sregs.idt.base, STEP_GATES * sizeof(struct gate));
    for (unsigned i = 0; table != NULL && i < STEP_GATES; i++) {
        struct gate gate;
        memcpy(&gate, table + i * sizeof gate, sizeof gate);
        stepped->gates[i] =
            (uint64_t)gate.high << 32 | (uint32_t)gate.middle << 16 | (uint32_t)gate.low;
        if (stepped_kernel(stepped, stepped->gates[i], 1) == NULL)
            return false;
    }
    return table != NULL;
}

static bool guard(struct stepped *stepped, bool on)
{
    if (stepped->guarded == on)
        return true;
    if (on && !find_gates(stepped))
        return false;
    for (unsigned i = 0; i < STEP_GATES; i++) {
        uint8_t *code = stepped_kernel(stepped, stepped->gates[i], 1);
        if (on)
            stepped->originals[i] = *code;
        *code = on ? HALT : stepped->originals[i];
    }
    stepped->guarded = on;
    return true;
}

bool stepped_reveal(struct stepped *stepped)
{
    return guard(stepped, false);
}

/* STEP_GATES: none. */
static unsigned gate_at(const struct stepped *stepped, uint64_t address)
{
    unsigned i = 0;
    while (i < STEP_GATES && (!stepped->guarded || stepped->gates[i] != address))
        i++;
    return i;
}

static bool pushes_error(unsigned vector)
{
    return vector == 8 || vector == 17 || vector == 21 || (vector >= 10 && vector <= 14);
}

/* It has halted behind a gate: it stands before that instruction. */
static bool enter_gate(struct stepped *stepped)
{
    const unsigned gate = gate_at(stepped, stepped->regs.rip - 1);
    uint8_t *flags = stepped_kernel(stepped, stepped->regs.rsp + (pushes_error(gate) ? 24 : 16), 8);
    if (gate == STEP_GATES || flags == NULL)
        return false;
    flags[1] = (uint8_t)((flags[1] & ~(TRAP_FLAG >> 8)) | stepped->trap_flag);
    stepped->trap_flag = false;
    stepped->regs.rip--;
    stepped->regs.rflags &= ~(uint64_t)TRAP_FLAG;
    return stepped_write(stepped);
}

/* ---- a step ---- */

static bool inject_trap(struct stepped *stepped)
{
    struct kvm_vcpu_events events;
    stepped->trap_due = false;
    if (!set_stepping(stepped, false) ||
        ioctl(stepped->vcpu->fd, KVM_GET_VCPU_EVENTS, &events) != 0)
        return false;
    events.exception.injected = 1;
    events.exception.nr = VECTOR_DEBUG;
    events.exception.has_error_code = 0;
    return ioctl(stepped->vcpu->fd, KVM_SET_VCPU_EVENTS, &events) == 0 && run(stepped) &&
           stepped->vcpu->run->exit_reason == KVM_EXIT_HLT && stepped_read(stepped) &&
           enter_gate(stepped);
}

static bool at_system_call(const struct stepped *stepped)
{
    static const uint8_t code[SYSCALL_SIZE] = {0x0f, 0x05};
    const uint8_t *at = stepped_at(stepped, stepped->regs.rip, sizeof code);
    return at != NULL && memcmp(at, code, sizeof code) == 0;
}

/* Intel SDM volume 2, SYSCALL. */
static bool call_system(struct stepped *stepped)
{
    _Alignas(struct kvm_msrs)
        uint8_t buffer[sizeof(struct kvm_msrs) + 2 * sizeof(struct kvm_msr_entry)] = {0};
    struct kvm_msrs *msrs = (struct kvm_msrs *)(void *)buffer;
    struct kvm_sregs sregs;
    msrs->nmsrs = 2;
    msrs->entries[0].index = MSR_LSTAR;
    msrs->entries[1].index = MSR_SFMASK;
    if (ioctl(stepped->vcpu->fd, KVM_GET_MSRS, msrs) != 2 ||
        ioctl(stepped->vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
        return false;
    sregs.cs = vcpu_segment(KERNEL_CODE, true, true);
    sregs.ss = vcpu_segment(KERNEL_DATA, false, false);
    struct kvm_regs *regs = &stepped->regs;
    regs->rcx = regs->rip + SYSCALL_SIZE;
    regs->r11 = (regs->rflags & ~(uint64_t)RESUME_FLAG) | (stepped->trap_flag ? TRAP_FLAG : 0);
    regs->rip = msrs->entries[0].data;
    regs->rflags &= ~(msrs->entries[1].data | RESUME_FLAG);
    stepped->trap_flag = false;
    return ioctl(stepped->vcpu->fd, KVM_SET_SREGS, &sregs) == 0 && stepped_write(stepped);
}

static void cover(struct stepped *stepped, unsigned gate, bool on)
{
    if (gate < STEP_GATES)
        *stepped_kernel(stepped, stepped->gates[gate], 1) = on ? HALT : stepped->originals[gate];
}

bool stepped_step(struct stepped *stepped)
{
    if (!guard(stepped, true))
        return false;
    if (stepped->trap_due)
        return inject_trap(stepped);
    const bool user = stepped_is_user(stepped);
    if (user && at_system_call(stepped))
        return call_system(stepped);
    const unsigned gate = gate_at(stepped, stepped->regs.rip);
    const uint64_t stack = stepped->regs.rsp;
    cover(stepped, gate, false);
    const bool ran = set_stepping(stepped, true) && run(stepped);
    cover(stepped, gate, true);
    if (!ran || !stepped_read(stepped))
        return false;
    stepped->regs.rflags &= ~(uint64_t)TRAP_FLAG;
    if (stepped->vcpu->run->exit_reason == KVM_EXIT_HLT)
        return enter_gate(stepped);
    stepped->trap_due = user && stepped->trap_flag;
    const uint8_t *flags = stepped_kernel(stepped, stack + 16, 8); /* an iretq took them */
    if (!user && stepped_is_user(stepped))
        stepped->trap_flag = flags != NULL && (flags[1] & TRAP_FLAG >> 8) != 0;
    return true;
}

/* ---- at full speed ---- */

static bool let_go(struct stepped *stepped)
{
    if (stepped->trap_due && !stepped_step(stepped))
        return false;
    if (!guard(stepped, false) || !set_stepping(stepped, false))
        return false;
    stepped->regs.rflags &= ~(uint64_t)TRAP_FLAG;
    if (stepped->trap_flag)
        stepped->regs.rflags |= TRAP_FLAG;
    stepped->trap_flag = false;
    return stepped_write(stepped);
}

/* One that stands there is led on first: through its gates, if it had been stepped. */
bool stepped_run_to(struct stepped *stepped, uint64_t mark)
{
    uint8_t *code = stepped_kernel(stepped, mark, 1);
    if (code == NULL || (stepped->regs.rip == mark && !stepped_step(stepped)) || !let_go(stepped))
        return false;
    const uint8_t original = *code;
    *code = HALT;
    const bool there = run(stepped) && stepped->vcpu->run->exit_reason == KVM_EXIT_HLT &&
                       stepped_read(stepped) && stepped->regs.rip == mark + 1;
    *code = original;
    if (!there)
        return false;
    stepped->regs.rip = mark;
    return stepped_write(stepped);
}
