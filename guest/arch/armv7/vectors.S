/* Exception entry and return.
 *
 * While a thread runs in user mode the supervisor stack pointer stands at the end of its
 * struct arch_frame, so that entry stores its registers straight into the thread block (the way
 * seL4 does it): srsdb puts the return state there, stmdb ^ the user registers below. The kernel is
 * not preemptible and has one stack, whose top is where arch_run was called.
 */
	.syntax unified
	.arch armv7-a

	.equ	FRAME_SIZE, 68
	.equ	FRAME_PC, 60

	.equ	VECTOR_UNDEFINED, 1
	.equ	VECTOR_SYSCALL, 2
	.equ	VECTOR_FETCH, 3
	.equ	VECTOR_DATA, 4
	.equ	VECTOR_IRQ, 6

	.section .text.vectors, "ax"
	.balign	32
	.global	vectors
vectors:
	b	.
	b	undefined
	b	syscall
	b	fetch_abort
	b	data_abort
	b	.
	b	interrupt
	b	.

/* Enters from an exception mode with lr already the address to go back to. */
	.macro	enter_from_user vector
	srsdb	sp!, #0x13
	cps	#0x13
	stmdb	sp, {r0-r14}^
	mov	r0, #\vector
	b	enter
	.endm

/* Aborts and undefined instructions of the kernel itself end the run, not the guest. r0 is saved on the mode's
 * own small stack while the mode of origin is looked at. */
	.macro	enter_checked vector
	push	{r0}
	mrs	r0, spsr
	tst	r0, #0xf
	pop	{r0}
	movne	r1, lr
	movne	r0, #\vector
	bne	kernel_exception
	enter_from_user \vector
	.endm

syscall:
	srsdb	sp!, #0x13
	stmdb	sp, {r0-r14}^
	mov	r0, #VECTOR_SYSCALL
enter:
	mrrc	p15, 1, r2, r3, c14	/* CNTVCT: second argument of arch_trap */
	ldr	r1, =run_stack
	ldr	sp, [r1]
	bl	arch_trap
	cmp	r0, #0
	beq	leave

resume:				/* r0: struct arch_frame, bit 0 set: exactly measured */
	tst	r0, #1
	bne	resume_measured
	clrex
	add	sp, r0, #FRAME_PC
	ldmia	r0, {r0-r14}^
	nop
	.global	resume_user
resume_user:
	rfeia	sp!

/* The counter is read, and the timer set when there is a delay, as late as can be: from that
 * reading to user mode it is a fixed number of instructions (timer.c). */
resume_measured:
	bic	r0, r0, #1
	clrex
	add	sp, r0, #FRAME_PC
	ldr	r4, =resume_delay
	ldrd	r4, r5, [r4]
	ldr	r1, =resume_time
	mrrc	p15, 1, r2, r3, c14
	str	r2, [r1]
	adds	r2, r2, r4
	adc	r3, r3, r5
	mcrr	p15, 3, r2, r3, c14	/* CNTV_CVAL */
	ldmia	r0, {r0-r14}^
	nop
	.global	resume_user_measured
resume_user_measured:
	rfeia	sp!

undefined:
	sub	lr, lr, #4
	enter_checked VECTOR_UNDEFINED
fetch_abort:
	sub	lr, lr, #4
	enter_checked VECTOR_FETCH
data_abort:
	sub	lr, lr, #8
	enter_checked VECTOR_DATA
interrupt:
	sub	lr, lr, #4
	enter_from_user VECTOR_IRQ

kernel_exception:		/* r0: vector, r1: pc */
	cps	#0x13
	ldr	r2, =run_stack
	ldr	sp, [r2]
	b	arch_kernel_exception

/* A run begins here. Two registers that user mode can write and no switch saves would tell it of the
 * run before. */
	.global	arch_run
arch_run:
	push	{r4-r12, lr}
	mov	r1, #0
	mcr	p15, 0, r1, c13, c0, 2	/* TPIDRURW */
	mcr	p14, 6, r1, c1, c0, 0	/* TEEHBR */
	ldr	r1, =run_stack
	str	sp, [r1]
	b	resume

	.global	arch_run_abandon
arch_run_abandon:
	ldr	r1, =run_stack
	ldr	sp, [r1]
leave:
	pop	{r4-r12, pc}

	.section .bss.hot, "aw", %nobits
	.balign	4
run_stack:
	.skip	4

/* For debuggers: whoever called `enter` is the running thread, and its registers lie in its block. So
 * a backtrace goes from the kernel on into user mode. Written out, since assemblers' directives know
 * no such rule (DWARF 4, 6.4). RUN_CURRENT is checked in trap.c. */
	.equ	RUN_CURRENT, 8
	.equ	DW_CFA_def_cfa_expression, 0x0f
	.equ	DW_CFA_offset, 0x80
	.equ	DW_OP_addr, 0x03
	.equ	DW_OP_deref, 0x06

	.section .debug_frame, "", %progbits
cie:
	.4byte	2f - 1f
1:	.4byte	0xffffffff
	.byte	3			/* version */
	.asciz	""			/* not "S", a signal frame: of a system call, the caller is before pc */
	.uleb128 1			/* code */
	.sleb128 4			/* data: words */
	.uleb128 15			/* pc is where it goes on */
	.balign	4
2:
	.4byte	4f - 3f
3:	.4byte	cie
	.4byte	enter, leave - enter
	.byte	DW_CFA_def_cfa_expression
	.uleb128 6
	.byte	DW_OP_addr
	.4byte	run + RUN_CURRENT
	.byte	DW_OP_deref
	.irp	register, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15
	.byte	DW_CFA_offset | \register
	.uleb128 \register
	.endr
	.balign	4
4:
