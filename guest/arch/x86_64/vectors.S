/* Exception entry and return.
 *
 * While a thread runs in user mode the TSS's stack pointer for ring 0 stands at the end of its
 * struct arch_frame, so that entry stores its registers straight into the thread block (the way
 * seL4 does it). The kernel is not preemptible and has one stack, whose top is where arch_run was
 * called. User mode is always gone to by iretq: sysret would load the flags from r11, and a host
 * that steps the guest would lose its step.
 */
	.equ	FRAME_SIZE, 176
	.equ	FRAME_FLAGS, 152
	.equ	GENERAL_SIZE, 120		/* what save_general pushes */

	.equ	USER_DATA, 0x1b
	.equ	USER_CODE, 0x23
	.equ	VECTOR_DEBUG, 1
	.equ	VECTOR_TICK, 0x20
	.equ	VECTOR_SYSCALL, 0x21

/* ---- the two ways to save and to load the registers ---- */

	.macro	save_general
	.irp	reg, r15, r14, r13, r12, r11, rbp, rcx, rax, rbx, r9, r8, r10, rdx, rsi, rdi
	push	%\reg
	.endr
	.endm

	.macro	load_general
	.irp	reg, rdi, rsi, rdx, r10, r8, r9, rbx, rax, rcx, rbp, r11, r12, r13, r14, r15
	pop	%\reg
	.endr
	add	$16, %rsp			/* vector, error */
	.endm

/* For unwinding from the kernel into user mode: rbx points to the frame. */
	.macro	user_frame_in_rbx
	.cfi_def_cfa rbx, FRAME_SIZE
	.cfi_offset rsp, -16
	.cfi_offset rip, -40
	.equ	offset, -FRAME_SIZE
	.irp	reg, rdi, rsi, rdx, r10, r8, r9, rbx, rax, rcx, rbp, r11, r12, r13, r14, r15
	.cfi_offset \reg, offset
	.equ	offset, offset + 8
	.endr
	.endm

	.section .text.vectors, "ax"
	.balign	32

syscall:				/* rcx: rip, r11: rflags */
	.global	syscall
	mov	%rsp, user_rsp(%rip)
	mov	tss + 4(%rip), %rsp
	push	$USER_DATA
	push	user_rsp(%rip)
	push	%r11
	push	$USER_CODE
	push	%rcx
	push	$0
	push	$VECTOR_SYSCALL
	xor	%ecx, %ecx			/* where a thread's code lies is none of its registers' business, */
	xor	%r11d, %r11d			/* nor whether it is stepped */
	save_general
	.cfi_startproc
	.cfi_signal_frame
enter:
	mov	%rsp, %rbx
	user_frame_in_rbx
enter_saved:
	mov	%rbx, %rdi
	mov	run_stack(%rip), %rsp
	call	arch_trap
	test	%rax, %rax
	jz	leave
	.cfi_endproc

resume:					/* rax: struct arch_frame */
	lea	FRAME_SIZE(%rax), %rcx
	mov	%rcx, tss + 4(%rip)
	mov	%rax, %rsp
	testb	$1, FRAME_FLAGS + 1(%rax)	/* TF: steps are counted */
	jnz	resume_measured
	load_general
	.global	resume_user
resume_user:
	iretq
resume_measured:
	load_general
	.global	resume_user_measured
resume_user_measured:
	iretq

/* A step of many: nobody has to know but the count. */
debug:
	testb	$3, 8(%rsp)
	jz	stub_1
	cmpl	$0, steps_left(%rip)
	je	stub_1				/* user code has set TF itself */
	decl	steps_left(%rip)
	jz	stub_1
	iretq

tick:
	cld
	push	$0
	push	$VECTOR_TICK
	save_general
	.cfi_startproc
	.cfi_signal_frame
	mov	%rsp, %rbx
	user_frame_in_rbx
	mov	run_stack(%rip), %rsp
	call	arch_tick
	test	%al, %al
	jnz	enter_saved
	.cfi_endproc
	mov	%rbx, %rsp
	load_general
	iretq

/* vector, error, rip, cs, rflags, rsp, ss lie on the stack. Exceptions of the kernel itself end the
 * run, not the guest. */
exception:
	cld
	testb	$3, 24(%rsp)
	jz	kernel_exception
	save_general
	jmp	enter

kernel_exception:
	lea	-GENERAL_SIZE(%rsp), %rdi	/* as if the rest of a struct arch_frame were there */
	mov	run_stack(%rip), %rsp
	call	arch_kernel_exception
	ud2

	.altmacro
	.macro	stub vector
stub_\vector:
	.if	(\vector != 8) && (\vector != 17) && (\vector != 21) && ((\vector < 10) || (\vector > 14))
	push	$0
	.endif
	push	$\vector
	jmp	exception
	.endm
	.macro	stub_address vector
	.if	\vector == VECTOR_DEBUG
	.quad	debug
	.else
	.quad	stub_\vector
	.endif
	.endm

	.equ	i, 0
	.rept	32
	stub	%i
	.equ	i, i + 1
	.endr

	.section .rodata
	.global	stubs
	.balign	8
stubs:
	.equ	i, 0
	.rept	32
	stub_address %i
	.equ	i, i + 1
	.endr
	.quad	tick

/* A run begins here: with no segment that user mode has set in the run before, and no switch
 * saves. */
	.section .text.vectors, "ax"
	.global	arch_run
arch_run:
	.irp	reg, rbx, rbp, r12, r13, r14, r15
	push	%\reg
	.endr
	mov	%rsp, run_stack(%rip)
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %gs
	wrgsbase %rax
	call	arch_begin
	test	%rax, %rax
	jnz	resume
	jmp	leave

	.global	arch_run_abandon
arch_run_abandon:
	mov	run_stack(%rip), %rsp
leave:
	.irp	reg, r15, r14, r13, r12, rbp, rbx
	pop	%\reg
	.endr
	ret

	.section .bss.hot, "aw", @nobits
	.balign	128				/* on one page; its first stack pointer, at 4, is aligned */
	.global	tss
	.skip	4
tss:	.skip	104
	.balign	8
run_stack:
	.skip	8
user_rsp:
	.skip	8
