/* What the kernel asks of x86-64. The same names in every arch folder.
 * References: Intel 64 and IA-32 Architectures Software Developer's Manual, volume 3 (section
 * numbers in the other files).
 *
 * What a machine has to bring, beside the processor (64-bit mode, NX, FSGSBASE) and 16 MiB of RAM
 * at 0:
 *
 * - it enters the image as PVH says (ELF note 18 of "Xen": physical address of the entry): 32-bit
 *   protected mode, flat segments, paging and interrupts off;
 * - a local APIC at 0xfee00000 (xAPIC), of which the kernel writes SVR (0x0f0), EOI (0x0b0), LVT
 *   timer (0x320) and LINT0 (0x350), divide configuration (0x3e0), initial count (0x380), and reads
 *   nothing. The timer is one-shot, 1 ns a count, on vector ARCH_TICK_VECTOR. Nothing of a run
 *   depends on when it fires, so late, or not while a debugger holds the guest, is as good;
 * - port ARCH_EXIT_PORT: a 32-bit write of 0 is the end of the machine.
 */
#ifndef FAULTLINE_ARCH_H
#define FAULTLINE_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"

#define ARCH_ID            FL_ARCH_X86_64
#define ARCH_RAM_BASE      0x0u                /* physical */
#define ARCH_KERNEL_OFFSET 0xffffffff80000000u /* virtual - physical, for all of RAM */

#define ARCH_EXIT_PORT   0xf4u
#define ARCH_TICK_VECTOR 0x20u

/* A thread's user registers, in the order in which exceptions and vectors.S push them, from the end
 * down. */
struct arch_frame {
    uint64_t argument[7]; /* rdi, rsi, rdx, r10, r8, r9, rbx */
    uint64_t rax, rcx, rbp, r11, r12, r13, r14, r15;
    uint64_t vector, error;
    uint64_t rip, cs, rflags, rsp, ss;
} __attribute__((aligned(16))); /* where an exception begins to push (SDM 6.14.2) */

_Static_assert(sizeof(struct arch_frame) == 176, "vectors.S knows this size");
_Static_assert(offsetof(struct arch_frame, vector) == 120, "vectors.S knows this offset");

#define ARCH_USER_DATA  0x1bu
#define ARCH_USER_CODE  0x23u
#define ARCH_USER_FLAGS 0x202u /* interrupts on */

/* As after a call, with no address to return to. */
static inline void arch_frame_init(struct arch_frame *frame, uint32_t ip, uint32_t sp, uint32_t arg)
{
    *frame = (struct arch_frame){
        .argument = {arg},
        .rip = ip,
        .cs = ARCH_USER_CODE,
        .rflags = ARCH_USER_FLAGS,
        .rsp = (uint64_t)sp - 8,
        .ss = ARCH_USER_DATA,
    };
}

static inline uint32_t arch_frame_sp(const struct arch_frame *frame)
{
    return (uint32_t)frame->rsp;
}

static inline uint32_t arch_argument(const struct arch_frame *frame, unsigned i)
{
    return (uint32_t)frame->argument[i];
}

static inline void arch_set_result(struct arch_frame *frame, unsigned i, uint32_t value)
{
    frame->argument[i] = value;
}

static inline uint32_t arch_syscall_number(const struct arch_frame *frame)
{
    return (uint32_t)frame->rax;
}

#define ARCH_SYSCALL_SIZE 2u /* of the instruction */

/* Makes the thread execute its system call instruction once more. */
static inline void arch_syscall_restart(struct arch_frame *frame)
{
    frame->rip -= ARCH_SYSCALL_SIZE;
}

/* Where the thread was when it trapped: a system call's pc stands behind the instruction. */
static inline uint32_t arch_trap_pc(const struct arch_frame *frame, bool syscall)
{
    return (uint32_t)frame->rip - (syscall ? ARCH_SYSCALL_SIZE : 0);
}

/* Kernel address of guest physical page `frame`, counted from the start of RAM. */
static inline void *arch_frame_address(uint32_t frame)
{
    return (void *)(ARCH_RAM_BASE + ARCH_KERNEL_OFFSET + ((uint64_t)frame << FL_PAGE_SHIFT));
}

/* ---- timer.c: time, which is logical, and the instruction timer ---- */

/* So many units a trap, on whatever machine. */
uint64_t arch_time(void);
void arch_timer_init(void);
/* Interrupts user mode when arch_time() reaches `time`. */
void arch_timer_arm(uint64_t time);
void arch_timer_acknowledge(void);

/* The thread pointer register that user mode can read. */
static inline void arch_set_thread_pointer(uint32_t value)
{
    __asm__ volatile("wrfsbase %0" ::"r"((uint64_t)value));
}

/* ---- mmu.c: address spaces, by number below ARCH_MAX_SPACES ---- */

#define ARCH_MAX_SPACES 16u

struct arch_mapping {
    uint32_t frame;
    uint32_t rights; /* FL_RIGHTS_*; NONE: nothing is mapped */
};

/* Empties every address space; none is active afterwards. */
void arch_spaces_reset(void);
/* Maps, or with FL_RIGHTS_NONE takes out, one page. false: no table left. Old translations may stay
 * in the TLB until arch_flush_page or arch_space_activate. */
bool arch_map(uint32_t space, uint32_t address, struct arch_mapping mapping);
struct arch_mapping arch_lookup(uint32_t space, uint32_t address);
/* Maps whole sections (2 MiB) read-write. */
void arch_map_sections(uint32_t space, uint32_t address, uint32_t frame, uint32_t size);
/* Physical address of the space's top table, the same for ever. */
uint32_t arch_space_table(uint32_t space);
/* Makes the space current and drops every old translation. true: it did. */
bool arch_space_activate(uint32_t space);
/* Makes it current and asks for nothing to be dropped. false: what the processor drops of itself
 * is not to be counted on. */
bool arch_space_select(uint32_t space);
void arch_flush_page(uint32_t address);

/* ---- memory.S: as in C ---- */

void *memset(void *target, int byte, size_t size);
void *memcpy(void *target, const void *source, size_t size);

/* ---- vectors.S, trap.c ---- */

/* Runs user mode from `frame` on until a trap handler returns NULL. */
void arch_run(struct arch_frame *frame);
/* What a trap handler returns instead of `frame` to have user mode interrupted after so many
 * instructions, exactly: before the one that follows. */
struct arch_frame *arch_run_for(struct arch_frame *frame, uint32_t instructions);
/* The same until about that time. After either, the next trap says how many were executed. */
struct arch_frame *arch_run_until(struct arch_frame *frame, uint64_t time);
/* Leaves the trap or exception in progress: arch_run returns. */
_Noreturn void arch_run_abandon(void);

_Noreturn void arch_power_off(void);

#endif
