/* How user code enters the kernel on x86-64: syscall, number in rax, arguments and results in rdi,
 * rsi, rdx, r10, r8, r9, rbx. rcx and r11 are the instruction's own. */
#ifndef FAULTLINE_ARCH_SYSCALL_H
#define FAULTLINE_ARCH_SYSCALL_H

#include <stdint.h>

struct sys_regs {
    uint32_t r[7];
};

static inline __attribute__((always_inline)) void sys_trap(uint32_t number, struct sys_regs *regs)
{
    register uint32_t r0 __asm__("rdi") = regs->r[0];
    register uint32_t r1 __asm__("rsi") = regs->r[1];
    register uint32_t r2 __asm__("rdx") = regs->r[2];
    register uint32_t r3 __asm__("r10") = regs->r[3];
    register uint32_t r4 __asm__("r8") = regs->r[4];
    register uint32_t r5 __asm__("r9") = regs->r[5];
    register uint32_t r6 __asm__("rbx") = regs->r[6];

    __asm__ volatile("syscall"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6)
                     : "a"(number)
                     : "rcx", "r11", "memory");
    regs->r[0] = r0;
    regs->r[1] = r1;
    regs->r[2] = r2;
    regs->r[3] = r3;
    regs->r[4] = r4;
    regs->r[5] = r5;
    regs->r[6] = r6;
}

/* The kernel loads the base of fs with the address of the thread's utcb. */
static inline __attribute__((always_inline)) uintptr_t sys_thread_pointer(void)
{
    uintptr_t pointer;
    __asm__("rdfsbase %0" : "=r"(pointer));
    return pointer;
}

#endif
