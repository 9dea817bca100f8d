/* The two memory primitives that the compiler takes for granted, part of the kernel and of every
 * program. */

        .syntax unified
        .arm

/* void *memset(void *to, int byte, size_t size): core zeroes every frame that it hands out with it,
 * so whole 32-byte blocks go by store-multiple. */
        .section .text.memset, "ax"
        .global memset
        .type   memset, %function
memset:
        mov     r12, r0
        and     r1, r1, #0xff
        orr     r1, r1, r1, lsl #8
        orr     r1, r1, r1, lsl #16
        tst     r0, #3
        bne     3f
        subs    r2, r2, #32
        blo     2f
        push    {r4-r9}
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
2:      add     r2, r2, #32
3:      subs    r2, r2, #1
        strbhs  r1, [r12], #1
        bhi     3b
        bx      lr

/* void *memcpy(void *to, const void *from, size_t size) */
        .section .text.memcpy, "ax"
        .global memcpy
        .type   memcpy, %function
memcpy:
        mov     r12, r0
        orr     r3, r0, r1
        tst     r3, #3
        bne     3f
        subs    r2, r2, #32
        blo     2f
        push    {r4-r10}
1:      ldmia   r1!, {r3-r10}
        stmia   r12!, {r3-r10}
        subs    r2, r2, #32
        bhs     1b
        pop     {r4-r10}
2:      add     r2, r2, #32
3:      subs    r2, r2, #1
        ldrbhs  r3, [r1], #1
        strbhs  r3, [r12], #1
        bhi     3b
        bx      lr
