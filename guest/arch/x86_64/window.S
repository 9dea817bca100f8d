/* Some of everything that user code is made of, to be interrupted at (guest/scenarios/rig_window.c).
 * No rep, and no pushf, which would tell whether it is stepped. */

/* void arch_window(uint32_t memory[32]): what it leaves in memory depends on the first 16 words alone.
 * The last 16 take the flags and the registers. */
        .section .text.arch_window, "ax"
        .global arch_window
        .type   arch_window, @function
arch_window:
        .cfi_startproc
        .irp    reg, rbx, rbp, r12, r13, r14, r15
        push    %\reg
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \reg, 0
        .endr
        mov     %edi, %r15d

        /* words of all sizes, two at once, across two, through registers and not */
        mov     (%r15), %eax
        mov     4(%r15), %rbx
        movl    $0x1234, 8(%r15)
        lea     32(%r15), %esi
        mov     %rbx, (%rsi)
        movb    $7, 5(%r15)
        mov     %ax, 18(%r15)
        movswl  22(%r15), %edx
        movzbl  3(%r15), %ecx
        mov     29(%r15), %r10d
        addl    %eax, 12(%r15)
        xchg    %edx, 16(%r15)
        movsl   /* from rsi to rdi, which is the memory */

        /* a loop */
        mov     $4, %r8d
        mov     $1, %ebp
1:      mov     (%r15, %r8, 4), %r9d
        ror     $3, %r9d
        add     %r9d, %ebp
        xor     %r8d, %ebp
        dec     %r8d
        jnz     1b
        mov     $3, %ecx
2:      add     %ecx, %ebp
        loop    2b

        /* flags that live across instructions, instructions that are passed over */
        add     %ebp, %r9d
        adc     %eax, %ebp
        sbb     %edx, %eax
        js      3f
        add     $3, %eax
3:      cmp     %ebp, %r9d
        cmova   %ebp, %edx
        setb    %cl
        jbe     4f
        mov     %edx, 24(%r15)
4:      bt      $5, %ebp
        rcl     $1, %edx

        /* arithmetic that takes longer on hardware */
        imul    %ebp, %r9d
        mov     %r9d, %eax
        mul     %ebp
        mov     %eax, %r12d
        or      $1, %ebp
        mov     $5, %edx
        div     %ebp
        bsr     %ebp, %r13d
        bswap   %r13d
        shld    $9, %eax, %r13d
        cltd

        /* what is atomic, and a pair that is begun again when somebody came between */
        lock addl $1, 48(%r15)
        mov     $2, %r14d
        lock xadd %r14d, 48(%r15)
        mfence
        mov     48(%r15), %eax
5:      lea     1(%rax), %ebx
        lock cmpxchg %ebx, 48(%r15)
        jne     5b

        /* calls, direct and not, and a stack that is used in other ways */
        call    6f
        mov     $7f, %r11d
        call    *%r11
        jmp     8f
        .cfi_endproc

        .cfi_startproc
6:      add     %eax, %r14d
        ret
        .cfi_endproc

        .cfi_startproc
7:      push    %r14
        .cfi_adjust_cfa_offset 8
        call    6b
        mov     (%rsp), %r11d
        xor     %r11d, %r12d
        pop     %rcx
        .cfi_adjust_cfa_offset -8
        enter   $16, $0
        .cfi_adjust_cfa_offset 24
        .cfi_rel_offset rbp, 16
        mov     %ecx, -4(%rbp)
        mov     -4(%rbp), %edx
        leave
        .cfi_adjust_cfa_offset -24
        .cfi_restore rbp
        ret
        .cfi_endproc

        .cfi_startproc
        .irp    reg, rbx, rbp, r12, r13, r14, r15
        .cfi_adjust_cfa_offset 8
        .cfi_rel_offset \reg, 0
        .endr
8:      xor     %r11d, %r11d
        add     %edx, %ecx
        lahf
        seto    %al
        movzwl  %ax, %eax
        mov     %eax, 64(%r15)
        mov     %ebx, 68(%r15)
        mov     %ecx, 72(%r15)
        mov     %edx, 76(%r15)
        mov     %ebp, 80(%r15)
        mov     %r8d, 84(%r15)
        mov     %r9d, 88(%r15)
        mov     %r10d, 92(%r15)
        mov     %r15d, 96(%r15)         /* the pointer */
        mov     %r12d, 100(%r15)
        mov     %r13d, 104(%r15)
        mov     %r14d, 108(%r15)
        .irp    reg, r15, r14, r13, r12, rbp, rbx
        pop     %\reg
        .cfi_adjust_cfa_offset -8
        .cfi_restore \reg
        .endr
        ret
        .cfi_endproc
        .size   arch_window, . - arch_window
