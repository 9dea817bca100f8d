/* From the PVH entry (32-bit protected mode, paging off, physical addresses) to kernel_main in 64-bit
 * mode at 0xffffffff80000000 and up.
 *
 * The kernel half of every address space is made here once (SDM 4.5): RAM, and the local APIC. Until
 * the jump to the kernel half, RAM is mapped where it is, too.
 */
	.equ	KERNEL_OFFSET, 0xffffffff80000000
	.equ	RAM_PAGES, 8			/* of 2 MiB */
	.equ	PAGE_KERNEL, 0x1e3		/* present, writable, accessed, dirty, 2 MiB, global */
	.equ	PAGE_DEVICE, 0x1fb		/* the same, not cached */
	.equ	TABLE, 0x23			/* present, writable, accessed */
	.equ	APIC, 0xfee00000
	.equ	IMAGE_BASE, 0x100000		/* layout.sh */

	.equ	CR0_FLAGS, 0x80010005		/* PG, WP, EM: no FPU or SSE for anybody, PE */
	.equ	CR4_FLAGS, 0x100a4		/* FSGSBASE, PGE, PAE, TSD: user mode reads no clock */
	.equ	MSR_EFER, 0xc0000080
	.equ	EFER_FLAGS, 0x901		/* NXE, LME, SCE */
	.equ	MSR_STAR, 0xc0000081
	.equ	MSR_LSTAR, 0xc0000082
	.equ	MSR_SFMASK, 0xc0000084
	.equ	FLAGS_CLEARED, 0x47700		/* by syscall: AC, NT, IOPL, DF, IF, TF */

	.section .note.pvh, "a", @note
	.balign	4
	.long	4, 4, 18			/* XEN_ELFNOTE_PHYS32_ENTRY */
	.asciz	"Xen"
	.long	boot - KERNEL_OFFSET

	.section .text.boot, "ax"
	.code32
	.global	boot
boot:
	cli
	cld
	/* What a firmware left below the image differs between machines; a broken program may see it */
	xor	%edi, %edi
	mov	$(IMAGE_BASE / 4), %ecx
	xor	%eax, %eax
	rep stosl
	mov	$(boot_tables - KERNEL_OFFSET), %edi
	mov	$((boot_tables_end - boot_tables) / 4), %ecx
	xor	%eax, %eax
	rep stosl

	movl	$(upper_table - KERNEL_OFFSET + TABLE), boot_table - KERNEL_OFFSET
	movl	$(kernel_upper - KERNEL_OFFSET + TABLE), boot_table - KERNEL_OFFSET + 511 * 8
	movl	$(ram_table - KERNEL_OFFSET + TABLE), upper_table - KERNEL_OFFSET
	movl	$(ram_table - KERNEL_OFFSET + TABLE), kernel_upper - KERNEL_OFFSET + 510 * 8
	movl	$(device_table - KERNEL_OFFSET + TABLE), kernel_upper - KERNEL_OFFSET + 511 * 8
	movl	$(APIC + PAGE_DEVICE), device_table - KERNEL_OFFSET
	mov	$(ram_table - KERNEL_OFFSET), %edi
	mov	$PAGE_KERNEL, %eax
	mov	$RAM_PAGES, %ecx
1:	mov	%eax, (%edi)
	add	$0x200000, %eax
	add	$8, %edi
	loop	1b

	mov	$CR4_FLAGS, %eax
	mov	%eax, %cr4
	mov	$(boot_table - KERNEL_OFFSET), %eax
	mov	%eax, %cr3
	mov	$MSR_EFER, %ecx
	mov	$EFER_FLAGS, %eax
	xor	%edx, %edx
	wrmsr
	mov	$CR0_FLAGS, %eax
	mov	%eax, %cr0
	lgdt	boot_gdt_pointer - KERNEL_OFFSET
	ljmp	$0x08, $(1f - KERNEL_OFFSET)
	.code64
1:	mov	$2f, %rax
	jmp	*%rax

2:	lgdt	gdt_pointer
	mov	$0x10, %eax
	mov	%eax, %ss
	xor	%eax, %eax
	mov	%eax, %ds
	mov	%eax, %es
	mov	%eax, %fs
	mov	%eax, %gs
	lldt	%ax
	mov	$kernel_stack_top, %rsp

	mov	$__bss_start, %rdi
	mov	$__bss_end, %rcx
	sub	%rdi, %rcx
	shr	$3, %rcx
	rep stosq

	call	tables_make
	mov	$0x28, %eax
	ltr	%ax
	lidt	idt_pointer
	mov	$MSR_STAR, %ecx			/* kernel's segments from 0x08, user's from 0x10 on */
	xor	%eax, %eax
	mov	$0x00100008, %edx
	wrmsr
	mov	$MSR_LSTAR, %ecx
	mov	$syscall, %rax
	mov	$-1, %edx
	wrmsr
	mov	$MSR_SFMASK, %ecx
	mov	$FLAGS_CLEARED, %eax
	xor	%edx, %edx
	wrmsr
	call	kernel_main
	ud2

/* What is made of the address of a label at run time: the TSS's descriptor and its stacks, and the
 * gates, one for each stub of vectors.S. */
tables_make:
	mov	$tss, %rax
	mov	%ax, gdt + 0x28 + 2
	shr	$16, %rax
	mov	%al, gdt + 0x28 + 4
	mov	%ah, gdt + 0x28 + 7
	shr	$16, %rax
	mov	%eax, gdt + 0x28 + 8
	movq	$double_fault_stack_top, tss + 36	/* IST 1 (SDM 7.7) */
	movw	$104, tss + 102				/* no I/O map: no port for user mode */

	mov	$idt, %rdi
	mov	$stubs, %rsi
	mov	$(0x20 + 1), %ecx
1:	mov	(%rsi), %rax
	mov	%ax, (%rdi)
	movl	$0x8e000008, 2(%rdi)		/* interrupt gate, ring 0, kernel code */
	shr	$16, %rax
	mov	%ax, 6(%rdi)
	movl	$-1, 8(%rdi)
	add	$8, %rsi
	add	$16, %rdi
	loop	1b
	movb	$1, idt + 8 * 16 + 4		/* a double fault has a stack of its own */
	ret

	.section .data.tables, "aw"
	.balign	16
gdt:	.quad	0
	.quad	0x00af9b000000ffff	/* 0x08 kernel code */
	.quad	0x00cf93000000ffff	/* 0x10 kernel data */
	.quad	0x00cff3000000ffff	/* 0x18 user data */
	.quad	0x00affb000000ffff	/* 0x20 user code */
	.quad	0x0000890000000067, 0	/* 0x28 TSS */
gdt_end:
	.skip	6
gdt_pointer:
	.word	gdt_end - gdt - 1
	.quad	gdt
	.skip	6
idt_pointer:
	.word	(0x20 + 1) * 16 - 1
	.quad	idt

	.section .text.boot, "ax"
	.balign	4
boot_gdt_pointer:
	.word	gdt_end - gdt - 1
	.long	gdt - KERNEL_OFFSET

	.section .tables, "aw", @nobits	/* not cleared with .bss: in use by then */
	.balign	4096
boot_tables:
boot_table:
	.skip	4096
upper_table:
	.skip	4096
	.global	kernel_upper
kernel_upper:				/* what the last entry of every top table points to */
	.skip	4096
ram_table:
	.skip	4096
device_table:
	.skip	4096
boot_tables_end:

	.section .bss.stack, "aw", @nobits
	.balign	16
idt:	.skip	(0x20 + 1) * 16
	.skip	512
double_fault_stack_top:
	.skip	0x1400 - 512 - (0x20 + 1) * 16	/* its top shares a page with what .bss.hot holds */
	.global	kernel_stack_top
kernel_stack_top:
