/* The guests of the self-test, a label each. They are copied to ST_CODE and entered there: at
 * st_enter in 32-bit protected mode, at the others in ring 0 of long mode, where every exception ends
 * in a report. */
#include "selftest_layout.h"

	.macro	say register
	mov	\register, %eax
	out	%eax, $ST_PORT_SAY
	.endm

	.macro	end
	out	%eax, $ST_PORT_END
	.endm

	.macro	enter_user entry, flags
	pushq	$ST_USER_DATA
	pushq	$ST_USER_STACK
	pushq	$\flags
	pushq	$ST_USER_CODE
	lea	\entry(%rip), %rax
	push	%rax
	iretq
	.endm

	.section .rodata
	.balign	16
	.global	st_begin, st_end
st_begin:

/* ---- from 32-bit mode without paging to 64-bit mode, with tables of its own ---- */
	.code32
	.global	st_enter
st_enter:
	mov	$0x20, %eax			/* PAE */
	mov	%eax, %cr4
	mov	$ST_TOP_TABLE, %eax
	mov	%eax, %cr3
	mov	$0xc0000080, %ecx		/* EFER: NXE, LME, SCE */
	mov	$0x901, %eax
	xor	%edx, %edx
	wrmsr
	mov	$0x80010011, %eax		/* PG, WP, ET, PE */
	mov	%eax, %cr0
	lgdt	ST_GDT_POINTER
	ljmp	$ST_KERNEL_CODE, $(ST_CODE + 1f - st_begin)
	.code64
1:	mov	$ST_KERNEL_DATA, %eax
	mov	%eax, %ss
	mov	$ST_KERNEL_STACK, %esp
	mov	$ST_TSS_SELECT, %eax
	ltr	%ax
	lidt	ST_IDT_POINTER
	mov	%cs, %eax
	say	%eax
	end

/* ---- a port ---- */
	.global	st_port
st_port:
	say	$0x12345678
	say	$7
	end

/* ---- ring 3 and back by a gate ---- */
	.global	st_ring3, st_gate
st_ring3:
	enter_user 1f, 0x202
1:	mov	%cs, %eax
	int	$ST_GATE
st_gate:					/* says eax, and the caller's CS */
	say	%eax
	mov	8(%rsp), %eax
	say	%eax
	end

/* ---- syscall and sysretq ---- */
	.global	st_syscall, st_gate_count
st_syscall:
	lea	1f(%rip), %rax
	call	open_syscall
	xor	%r15d, %r15d
	enter_user 2f, 0x202
1:	inc	%r15d
	sysretq
2:	mov	$ST_SYSCALLS, %ebx
3:	syscall
	dec	%ebx
	jnz	3b
	int	$ST_GATE
st_gate_count:					/* says r15, and the caller's CS */
	say	%r15d
	mov	8(%rsp), %eax
	say	%eax
	end

open_syscall:					/* to the address in rax */
	mov	%rax, %rdx
	shr	$32, %rdx
	mov	$0xc0000082, %ecx		/* LSTAR */
	wrmsr
	mov	$0xc0000081, %ecx		/* STAR */
	xor	%eax, %eax
	mov	$((ST_KERNEL_DATA << 16) | ST_KERNEL_CODE), %edx
	wrmsr
	mov	$0xc0000084, %ecx		/* SFMASK: AC, NT, IOPL, DF, IF, TF */
	mov	$0x47700, %eax
	xor	%edx, %edx
	wrmsr
	ret

/* ---- a page fault of user mode: mapped, resumed ---- */
	.global	st_fault, st_page_fault
st_fault:
	enter_user 1f, 0x202
1:	mov	ST_ABSENT + ST_DATA, %ebx
	mov	$0x600d, %eax
	int	$ST_GATE
st_page_fault:					/* says the error and the address, and maps it */
	pop	%rax
	say	%eax
	mov	%cr2, %rax
	say	%eax
	movq	$0x87, ST_LARGE_PAGES + 8	/* present, writable, for user mode, large */
	iretq

/* ---- user mode jumps to where nothing may be executed ---- */
	.global	st_no_execute, st_page_fault_end
st_no_execute:
	enter_user 1f, 0x202
1:	mov	$(ST_NO_EXECUTE + ST_DATA), %eax
	jmp	*%rax
st_page_fault_end:				/* says the error and the address */
	pop	%rax
	say	%eax
	mov	%cr2, %rax
	say	%eax
	end

/* ---- a page is taken away and flushed ---- */
	.global	st_flush
st_flush:
	movq	$0x87, ST_LARGE_PAGES + 8
	mov	ST_ABSENT + ST_DATA, %ebx
	movq	$0, ST_LARGE_PAGES + 8
	invlpg	ST_ABSENT + ST_DATA
	mov	ST_ABSENT + ST_DATA, %ebx
	end

/* ---- user mode that never comes back by itself; the interrupt tells whom it found ---- */
	.global	st_loop, st_irq
st_loop:
	enter_user 1f, 0x202
1:	jmp	1b
st_irq:
	mov	8(%rsp), %eax
	say	%eax
	end

/* ---- the page of a device ---- */
	.global	st_device
st_device:
	mov	$ST_APIC + ST_APIC_COUNT, %ebx
	movl	$0x12345, (%rbx)
	end

/* ---- the trap flag: memory, stack, calls, branches, system calls ---- */
	.global	st_trap_flag, st_debug
st_trap_flag:
	lea	3f(%rip), %rax
	call	open_syscall
	xor	%r15d, %r15d
	enter_user 1f, 0x302			/* TF, IF */
1:	mov	$ST_ROUNDS, %ebx		/* 2 before the loop */
	mov	$ST_DATA, %esi
2:	lock incl (%rsi)			/* 8 in the loop: not SYSCALL, but RET */
	push	%rbx
	pop	%rdx
	call	4f
	syscall
	mov	%edx, 8(%rsi)
	dec	%ebx
	jnz	2b
	int	$ST_GATE
3:	pushq	$ST_USER_DATA			/* back by iretq, with the caller's flags */
	pushq	$(ST_USER_STACK)
	push	%r11
	pushq	$ST_USER_CODE
	push	%rcx
	iretq
4:	ret
st_debug:
	inc	%r15d
	iretq

/* ---- for the debugger of the host: entered in ring 3 ---- */
	.global	st_nops, st_int3
st_nops:
	.fill	ST_NOPS, 1, 0x90
	mov	$0x600d, %eax
	int	$ST_GATE
st_int3:
	nop
	int3
	int	$ST_GATE

/* ---- three pages are written ---- */
	.global	st_dirty
st_dirty:
	movl	$1, ST_DATA
	movl	$1, ST_DATA + 0x2000
	movl	$1, ST_DATA + 0x3ffc
	end

/* ---- no handler for the fault, nor for the fault of that ---- */
	.global	st_shutdown
st_shutdown:
	pushq	$0
	pushq	$0
	lidt	(%rsp)
	ud2

/* ---- for the measurements: exits without end, interruptible; steps; pages written ---- */
	.global	st_exits, st_acknowledge, st_many_steps, st_many_pages
st_exits:
	sti
1:	out	%eax, $ST_PORT_SAY
	jmp	1b
st_acknowledge:
	iretq
st_many_steps:
	xor	%r15d, %r15d
	enter_user 1f, 0x302
1:	mov	$ST_MANY_STEPS / 2, %ebx
2:	dec	%ebx
	jnz	2b
	int	$ST_GATE
st_many_pages:
	mov	$ST_DATA, %edi
	mov	$ST_PAGES, %ecx
1:	incl	(%rdi)
	add	$0x1000, %edi
	loop	1b
	out	%eax, $ST_PORT_SAY
	jmp	st_many_pages

/* ---- one stub an exception: says which, with what it pushed first ---- */
	.global	st_stubs
	.balign	16
st_stubs:
	.set	vector, 0
	.rept	32
	.balign	16
	pop	%rbx
	mov	$vector, %eax
	out	%eax, $ST_PORT_EXCEPTION
	.set	vector, vector + 1
	.endr
st_end:

	.section .note.GNU-stack, "", @progbits
