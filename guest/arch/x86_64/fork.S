/* What of fork and exit cannot be said in C (guest/lib/vm.h). Messages as in arch_syscall.h. */

/* tid_t arch_fork(tid_t core, uint32_t tag, uint32_t call)
 * The child's thread starts at 1: with the parent's stack pointer, on a copy of the parent's stack. Both
 * sides write to their stack first of all: when its page is copied is not the compiler's choice. */
        .section .text.arch_fork, "ax"
        .global arch_fork
        .type   arch_fork, @function
arch_fork:
        .cfi_startproc
        .irp    reg, rbx, rbp, r12, r13, r14, r15
        push    %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \reg, 0
        .endr
        mov     %edx, %eax
        mov     $1f, %edx
        lea     8(%rsp), %r10           /* a thread starts as if called */
        xor     %r8d, %r8d
        xor     %r9d, %r9d
        xor     %ebx, %ebx
        syscall
        movzwl  %dx, %edx               /* the answer's label: a status, as r0 */
        or      %edx, %edi
        mov     %r10d, %edi
        jz      1f
        mov     $-1, %edi
1:      push    %rdi                    /* the child's argument is 0 */
        pop     %rax
        .irp    reg, r15, r14, r13, r12, rbp, rbx
        pop     %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore \reg
        .endr
        ret
        .cfi_endproc

/* void arch_exit(tid_t core, uint32_t tag, uint32_t call, uint32_t code, uint32_t end) */
        .section .text.arch_exit, "ax"
        .global arch_exit
        .type   arch_exit, @function
arch_exit:
        .cfi_startproc
        mov     %r8d, %r13d
        mov     %ecx, %r12d
        mov     %edx, %eax
        mov     %ecx, %edx
        xor     %r10d, %r10d
        xor     %r8d, %r8d
        xor     %r9d, %r9d
        xor     %ebx, %ebx
        syscall
        mov     %r12d, %edi
        mov     %r13d, %eax
        syscall
        ud2
        .cfi_endproc
