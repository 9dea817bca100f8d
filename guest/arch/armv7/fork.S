/* What of fork and exit cannot be said in C (guest/lib/vm.h). Messages as in arch_syscall.h. */

        .syntax unified
        .arm
        .cfi_sections .debug_frame

/* tid_t arch_fork(tid_t core, uint32_t tag, uint32_t call)
 * The child's thread starts at 1: with the parent's stack pointer, on a copy of the parent's stack. Both
 * sides write to their stack first of all: when its page is copied is not the compiler's choice. */
        .section .text.arch_fork, "ax"
        .global arch_fork
        .type   arch_fork, %function
arch_fork:
        .cfi_startproc
        push    {r3-r11, lr}
        .cfi_def_cfa_offset 40
        .cfi_offset r4, -36
        .cfi_offset r5, -32
        .cfi_offset r6, -28
        .cfi_offset r7, -24
        .cfi_offset r8, -20
        .cfi_offset r9, -16
        .cfi_offset r10, -12
        .cfi_offset r11, -8
        .cfi_offset lr, -4
        mov     r7, r2
        adr     r2, 1f
        mov     r3, sp
        mov     r4, #0
        mov     r5, #0
        mov     r6, #0
        svc     #0
        uxth    r2, r2                  /* the answer's label: a status, as r0 */
        orrs    r0, r0, r2
        moveq   r0, r3
        mvnne   r0, #0
1:      push    {r0}                    /* the child's r0 is its argument, 0 */
        .cfi_adjust_cfa_offset 4
        .cfi_rel_offset r0, 0
        pop     {r0, r3-r11, pc}
        .cfi_endproc

/* void arch_exit(tid_t core, uint32_t tag, uint32_t call, uint32_t code, uint32_t end) */
        .section .text.arch_exit, "ax"
        .global arch_exit
        .type   arch_exit, %function
arch_exit:
        ldr     r9, [sp]
        mov     r7, r2
        mov     r2, r3
        mov     r10, r3
        mov     r4, #0
        mov     r5, #0
        mov     r6, #0
        svc     #0
        mov     r0, r10
        mov     r7, r9
        svc     #0
        udf     #0
