/* The two memory primitives that the compiler takes for granted, part of the kernel and of every
 * program. */

        .syntax unified
        .arm
        .cfi_sections .debug_frame

/* void *memset(void *to, int byte, size_t size): core zeroes every frame that it hands out with it,
 * so whole 32-byte blocks go by store-multiple. */
        .section .text.memset, "ax"
        .global memset
        .type   memset, %function
memset:
        .cfi_startproc
        mov     r12, r0
        and     r1, r1, #0xff
        orr     r1, r1, r1, lsl #8
        orr     r1, r1, r1, lsl #16
        tst     r0, #3
        bne     3f
        subs    r2, r2, #32
        blo     2f
        push    {r4-r9}
        .cfi_remember_state
        .cfi_def_cfa_offset 24
        .cfi_offset r4, -24
        .cfi_offset r5, -20
        .cfi_offset r6, -16
        .cfi_offset r7, -12
        .cfi_offset r8, -8
        .cfi_offset r9, -4
        mov     r3, r1
        mov     r4, r1
        mov     r5, r1
        mov     r6, r1
        mov     r7, r1
        mov     r8, r1
        mov     r9, r1
1:      stmia   r12!, {r1, r3-r9}
        subs    r2, r2, #32
        bhs     1b
        pop     {r4-r9}
        .cfi_restore_state
2:      add     r2, r2, #32
3:      subs    r2, r2, #1
        strbhs  r1, [r12], #1
        bhi     3b
        bx      lr
        .cfi_endproc

/* void *memcpy(void *to, const void *from, size_t size) */
        .section .text.memcpy, "ax"
        .global memcpy
        .type   memcpy, %function
memcpy:
        .cfi_startproc
        mov     r12, r0
        orr     r3, r0, r1
        tst     r3, #3
        bne     3f
        subs    r2, r2, #32
        blo     2f
        push    {r4-r10}
        .cfi_remember_state
        .cfi_def_cfa_offset 28
        .cfi_offset r4, -28
        .cfi_offset r5, -24
        .cfi_offset r6, -20
        .cfi_offset r7, -16
        .cfi_offset r8, -12
        .cfi_offset r9, -8
        .cfi_offset r10, -4
1:      ldmia   r1!, {r3-r10}
        stmia   r12!, {r3-r10}
        subs    r2, r2, #32
        bhs     1b
        pop     {r4-r10}
        .cfi_restore_state
2:      add     r2, r2, #32
3:      subs    r2, r2, #1
        ldrbhs  r3, [r1], #1
        strbhs  r3, [r12], #1
        bhi     3b
        bx      lr
        .cfi_endproc
