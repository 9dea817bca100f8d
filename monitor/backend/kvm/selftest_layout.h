/* Where the self-test's guests find things, in physical memory; also read by the assembler. */
#ifndef FAULTLINE_KVM_SELFTEST_LAYOUT_H
#define FAULTLINE_KVM_SELFTEST_LAYOUT_H

#define ST_RAM_SIZE     0x200000 /* one large page, mapped at 0 for both rings */
#define ST_TOP_TABLE    0x1000
#define ST_UPPER_TABLE  0x2000
#define ST_LARGE_PAGES  0x3000
#define ST_DEVICE_PAGES 0x4000
#define ST_GDT          0x5000
#define ST_TSS          0x5100
#define ST_GDT_POINTER  0x5200
#define ST_IDT_POINTER  0x5210
#define ST_IDT          0x6000
#define ST_KERNEL_STACK 0x8000
#define ST_USER_STACK   0x9000
#define ST_CODE         0x10000
#define ST_DATA         0x40000 /* pages for the log of dirty ones */

#define ST_ABSENT     0x200000   /* nothing is mapped here */
#define ST_NO_EXECUTE 0x400000   /* RAM once more, not to be executed */
#define ST_APIC       0xfee00000 /* a device page */
#define ST_APIC_COUNT 0x380

#define ST_KERNEL_CODE 0x08
#define ST_KERNEL_DATA 0x10
#define ST_USER_DATA   0x1b
#define ST_USER_CODE   0x23
#define ST_TSS_SELECT  0x28

/* A 32-bit write here tells the VMM a word, ends the guest, or says which exception was not meant.
 */
#define ST_PORT_SAY       0x10
#define ST_PORT_END       0x14
#define ST_PORT_EXCEPTION 0x18

#define ST_GATE     0x80 /* interrupt gate that user mode may call */
#define ST_IRQ      0x20
#define ST_SYSCALLS 100 /* calls made in a row */
#define ST_ROUNDS   100 /* of the loop that is stepped */
/* Traps: 8 in that loop, whose system call has none, and 2 before it. The last INT has none. */
#define ST_STEPS (ST_ROUNDS * 8 + 2)
#define ST_NOPS  16 /* one-byte instructions in a row */

/* For the measurements. */
#define ST_MANY_STEPS 20000
#define ST_PAGES      64 /* from ST_DATA on */

#endif
