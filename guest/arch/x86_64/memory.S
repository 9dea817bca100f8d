/* The two memory primitives that the compiler takes for granted, part of the kernel and of every
 * program. Without rep: an instruction that repeats is one when it is counted and many when it is
 * stepped. */

/* void *memset(void *to, int byte, size_t size): core zeroes every frame that it hands out with it,
 * so whole 32-byte blocks go by four stores. */
        .section .text.memset, "ax"
        .global memset
        .type   memset, @function
memset:
        .cfi_startproc
        mov     %rdi, %rax
        movzbl  %sil, %ecx
        movabs  $0x0101010101010101, %rsi
        imul    %rcx, %rsi
        sub     $32, %rdx
        jb      2f
1:      mov     %rsi, (%rdi)
        mov     %rsi, 8(%rdi)
        mov     %rsi, 16(%rdi)
        mov     %rsi, 24(%rdi)
        add     $32, %rdi
        sub     $32, %rdx
        jae     1b
2:      add     $32, %rdx
        jz      4f
3:      mov     %sil, (%rdi)
        inc     %rdi
        dec     %rdx
        jnz     3b
4:      ret
        .cfi_endproc

/* void *memcpy(void *to, const void *from, size_t size) */
        .section .text.memcpy, "ax"
        .global memcpy
        .type   memcpy, @function
memcpy:
        .cfi_startproc
        mov     %rdi, %rax
        sub     $16, %rdx
        jb      2f
1:      mov     (%rsi), %rcx
        mov     8(%rsi), %r8
        mov     %rcx, (%rdi)
        mov     %r8, 8(%rdi)
        add     $16, %rsi
        add     $16, %rdi
        sub     $16, %rdx
        jae     1b
2:      add     $16, %rdx
        jz      4f
3:      mov     (%rsi), %cl
        mov     %cl, (%rdi)
        inc     %rsi
        inc     %rdi
        dec     %rdx
        jnz     3b
4:      ret
        .cfi_endproc
