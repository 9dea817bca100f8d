/* How user code enters the kernel on ARMv7: svc #0, number in r7, arguments and results in r0-r6.
 * The program is built without a frame pointer in r7 (-marm -O2). */
#ifndef FAULTLINE_ARCH_SYSCALL_H
#define FAULTLINE_ARCH_SYSCALL_H

#include <stdint.h>

struct sys_regs {
    uint32_t r[7];
};

static inline __attribute__((always_inline)) void sys_trap(uint32_t number, struct sys_regs *regs)
{
    register uint32_t r0 __asm__("r0") = regs->r[0];
    register uint32_t r1 __asm__("r1") = regs->r[1];
    register uint32_t r2 __asm__("r2") = regs->r[2];
    register uint32_t r3 __asm__("r3") = regs->r[3];
    register uint32_t r4 __asm__("r4") = regs->r[4];
    register uint32_t r5 __asm__("r5") = regs->r[5];
    register uint32_t r6 __asm__("r6") = regs->r[6];
    register uint32_t r7 __asm__("r7") = number;

    __asm__ volatile("svc #0"
                     : "+r"(r0), "+r"(r1), "+r"(r2), "+r"(r3), "+r"(r4), "+r"(r5), "+r"(r6)
                     : "r"(r7)
                     : "memory");
    regs->r[0] = r0;
    regs->r[1] = r1;
    regs->r[2] = r2;
    regs->r[3] = r3;
    regs->r[4] = r4;
    regs->r[5] = r5;
    regs->r[6] = r6;
}

/* TPIDRURO (ARM DDI 0406C, B4.1.151): the kernel loads it with the address of the thread's utcb. */
static inline __attribute__((always_inline)) uintptr_t sys_thread_pointer(void)
{
    uintptr_t pointer;
    __asm__("mrc p15, 0, %0, c13, c0, 3" : "=r"(pointer));
    return pointer;
}

#endif
