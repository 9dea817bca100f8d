/* From QEMU's -kernel entry (physical addresses, MMU off) to kernel_main at 0x80000000 and up.
 *
 * TTBCR.N = 1 (DDI 0406C B3.5.4): addresses below 0x80000000 go through TTBR0, a table a space; the
 * kernel half goes through TTBR1, whose table is made here once. Until the jump to the kernel half,
 * TTBR0 holds the same table, with RAM mapped where it is.
 */
	.syntax unified
	.arch armv7-a
	.arch_extension virt

	.equ	RAM_BASE, 0x40000000
	.equ	KERNEL_OFFSET, 0x40000000
	.equ	RAM_SECTIONS, 16
	.equ	SECTION_KERNEL, 0x0000140e	/* TEX=1 C B, AP: kernel only, domain 0 */
	.equ	SECTION_DEVICE, 0x00000416	/* device, kernel only, execute never */

	.section .text.boot, "ax"
	.global	boot
boot:
	cpsid	aif, #0x13
	ldr	r4, =kernel_table - KERNEL_OFFSET

	ldr	r0, =RAM_BASE | SECTION_KERNEL
	add	r1, r4, #(RAM_BASE >> 20) * 4
	add	r2, r4, #((RAM_BASE + KERNEL_OFFSET) >> 20) * 4
	mov	r3, #RAM_SECTIONS
1:	str	r0, [r1], #4
	str	r0, [r2], #4
	add	r0, r0, #0x100000
	subs	r3, r3, #1
	bne	1b
	ldr	r0, =0x08000000 | SECTION_DEVICE	/* GICv2 at 0xf8000000 */
	add	r1, r4, #0xf80 * 4
	str	r0, [r1]

	mov	r0, #1
	mcr	p15, 0, r0, c2, c0, 2		/* TTBCR.N = 1 */
	mcr	p15, 0, r4, c2, c0, 0		/* TTBR0 */
	mcr	p15, 0, r4, c2, c0, 1		/* TTBR1 */
	mov	r0, #1
	mcr	p15, 0, r0, c3, c0, 0		/* DACR: domain 0 checks rights */
	mov	r0, #0
	mcr	p15, 0, r0, c8, c7, 0		/* TLBIALL */
	dsb
	isb
	mrc	p15, 0, r0, c1, c0, 0
	bic	r0, r0, #0x30000000		/* no TEX remap, no access flag */
	bic	r0, r0, #0x2			/* no alignment check */
	orr	r0, r0, #0x1000			/* I */
	orr	r0, r0, #0x5			/* C, MMU */
	mcr	p15, 0, r0, c1, c0, 0
	isb
	ldr	pc, =high

high:
	ldr	r0, =vectors
	mcr	p15, 0, r0, c12, c0, 0		/* VBAR */
	cps	#0x17
	ldr	sp, =abort_stack_top
	cps	#0x1b
	ldr	sp, =abort_stack_top
	cps	#0x13
	ldr	sp, =kernel_stack_top
	ldr	r0, =__bss_start
	ldr	r1, =__bss_end
	mov	r2, #0
1:	cmp	r0, r1
	strlo	r2, [r0], #4
	blo	1b
	bl	kernel_main
	b	.

	.section .tables, "aw", %nobits	/* not cleared with .bss: in use by then */
	.balign	16384
kernel_table:
	.skip	16384
	.section .bss.stack, "aw", %nobits
	.balign	8
	.skip	64
abort_stack_top:
	.skip	0x1400 - 64	/* its top shares a page with what .bss.hot holds */
	.global	kernel_stack_top
kernel_stack_top:
