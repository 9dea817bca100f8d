/* Some of everything that user code is made of, to be interrupted at (guest/scenarios/rig_window.c). */

        .syntax unified
        .arm
        .cfi_sections .debug_frame

        .macro  frame_of_window
        .cfi_def_cfa_offset 36
        .cfi_offset r4, -36
        .cfi_offset r5, -32
        .cfi_offset r6, -28
        .cfi_offset r7, -24
        .cfi_offset r8, -20
        .cfi_offset r9, -16
        .cfi_offset r10, -12
        .cfi_offset r11, -8
        .cfi_offset lr, -4
        .endm

/* void arch_window(uint32_t memory[32]): what it leaves in memory depends on the first 16 words alone.
 * The last 16 take the flags and the registers. */
        .section .text.arch_window, "ax"
        .global arch_window
        .type   arch_window, %function
arch_window:
        .cfi_startproc
        push    {r4-r11, lr}
        frame_of_window
        mov     r11, r0

        /* one word, several, two, parts of one, across two */
        ldmia   r11, {r1-r6}
        add     r7, r11, #32
        stmia   r7!, {r1-r4}
        ldmdb   r7, {r8, r9}
        ldrd    r2, r3, [r11, #8]
        strd    r8, r9, [r11, #8]
        ldrb    r1, [r11, #5]
        strh    r1, [r11, #18]
        ldrsh   r4, [r11, #22]
        ldr     r10, [r11, #29]

        /* a loop */
        mov     r0, #4
1:      ldr     r5, [r11, r0, lsl #2]
        add     r6, r6, r5, ror #3
        eor     r6, r6, r0, lsl #9
        subs    r0, r0, #1
        bne     1b

        /* flags that live across instructions, instructions that are passed over */
        adds    r1, r6, r5
        adc     r4, r4, r6
        sbcs    r3, r3, r1
        addmi   r4, r4, #1
        subpl   r4, r4, #3
        cmp     r6, r5
        movhi   r2, r6
        ldrls   r2, [r11, #12]
        strhi   r2, [r11, #24]

        /* arithmetic that takes longer on hardware, and saturates */
        mul     r8, r6, r5
        umull   r9, r10, r8, r6
        mla     r3, r4, r5, r9
        clz     r2, r3
        ubfx    r1, r3, #5, #9
        mvn     r0, #0x80000000
        qadd    r0, r0, r0

        /* an exclusive pair, that is begun again when somebody came between */
        add     r12, r11, #48
        dmb     ish
2:      ldrex   r0, [r12]
        add     r0, r0, #1
        strex   r1, r0, [r12]
        cmp     r1, #0
        bne     2b
        dmb     ish

        /* calls that return by a register and from the stack */
        bl      3f
        bl      4f
        b       5f
        .cfi_endproc

        .cfi_startproc
3:      add     r4, r4, r0
        bx      lr
        .cfi_endproc

        .cfi_startproc
4:      push    {r4, lr}
        .cfi_def_cfa_offset 8
        .cfi_offset r4, -8
        .cfi_offset lr, -4
        bl      3b
        ldr     r3, [sp]
        eor     r4, r4, r9
        pop     {r2, pc}
        .cfi_endproc

        .cfi_startproc
        frame_of_window
5:      adds    r2, r2, r10
        mrs     r12, apsr
        str     r12, [r11, #64]
        add     r12, r11, #68
        stmia   r12, {r0-r10}
        pop     {r4-r11, pc}
        .cfi_endproc
        .size   arch_window, . - arch_window
