/* What the kernel asks of ARMv7-A on QEMU's `virt`. The same names in every arch folder.
 * References: ARM Architecture Reference Manual ARMv7-A, DDI 0406C (section numbers in the .c
 * files).
 */
#ifndef FAULTLINE_ARCH_H
#define FAULTLINE_ARCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"

#define ARCH_ID            FL_ARCH_ARMV7
#define ARCH_RAM_BASE      0x40000000u /* physical */
#define ARCH_KERNEL_OFFSET 0x40000000u /* virtual - physical, for all of RAM */

/* A thread's user registers, in the order in which the exception entry stores them (vectors.S). */
struct arch_frame {
    uint32_t r[15];
    uint32_t pc;
    uint32_t psr;
};

_Static_assert(sizeof(struct arch_frame) == 68, "vectors.S knows this size");

static inline void arch_frame_init(struct arch_frame *frame, uint32_t ip, uint32_t sp, uint32_t arg)
{
    *frame = (struct arch_frame){.r = {[0] = arg, [13] = sp}, .pc = ip, .psr = 0x10};
}

static inline uint32_t arch_frame_sp(const struct arch_frame *frame)
{
    return frame->r[13];
}

static inline uint32_t arch_argument(const struct arch_frame *frame, unsigned i)
{
    return frame->r[i];
}

static inline void arch_set_result(struct arch_frame *frame, unsigned i, uint32_t value)
{
    frame->r[i] = value;
}

static inline uint32_t arch_syscall_number(const struct arch_frame *frame)
{
    return frame->r[7];
}

/* Makes the thread execute its system call instruction once more. */
static inline void arch_syscall_restart(struct arch_frame *frame)
{
    frame->pc -= 4;
}

/* Where the thread was when it trapped: a system call's pc stands behind the instruction. */
static inline uint32_t arch_trap_pc(const struct arch_frame *frame, bool syscall)
{
    return syscall ? frame->pc - 4 : frame->pc;
}

/* Kernel address of guest physical page `frame`, counted from the start of RAM. */
static inline void *arch_frame_address(uint32_t frame)
{
    return (void *)(ARCH_RAM_BASE + ARCH_KERNEL_OFFSET + (frame << FL_PAGE_SHIFT));
}

static inline uint32_t arch_address_frame(uint32_t kernel_address)
{
    return (kernel_address - ARCH_RAM_BASE - ARCH_KERNEL_OFFSET) >> FL_PAGE_SHIFT;
}

static inline void arch_barrier(void)
{
    __asm__ volatile("dmb" ::: "memory");
}

/* Instructions executed since boot: with icount and cntfrq = 1 GHz a tick is an instruction. */
static inline uint64_t arch_time(void)
{
    uint32_t low, high;
    __asm__ volatile("mrrc p15, 1, %0, %1, c14" : "=r"(low), "=r"(high));
    return (uint64_t)high << 32 | low;
}

/* The thread pointer register that user mode can read (TPIDRURO). */
static inline void arch_set_thread_pointer(uint32_t value)
{
    __asm__ volatile("mcr p15, 0, %0, c13, c0, 3" ::"r"(value));
}

/* ---- timer.c: the instruction timer, the only source of interrupts ---- */

void arch_timer_init(void);
/* Interrupts user mode when arch_time() reaches `time`. */
void arch_timer_arm(uint64_t time);
void arch_timer_acknowledge(void);

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
/* Maps whole sections (1 MiB) read-write. */
void arch_map_sections(uint32_t space, uint32_t address, uint32_t frame, uint32_t size);
/* Physical address of the space's top table, the same for ever. */
uint32_t arch_space_table(uint32_t space);
/* Makes the space current and drops every old translation. true: it did. */
bool arch_space_activate(uint32_t space);
/* Makes it current and drops nothing, which is wrong, and good for tests of that. false. */
bool arch_space_select(uint32_t space);
void arch_flush_page(uint32_t address);

/* ---- memory.S: as in C ---- */

void *memset(void *target, int byte, size_t size);
void *memcpy(void *target, const void *source, size_t size);

/* ---- vectors.S ---- */

/* Runs user mode from `frame` on until a trap handler returns NULL. */
void arch_run(struct arch_frame *frame);
/* What a trap handler returns instead of `frame` to have user mode interrupted after so many
 * instructions, exactly: before the one that follows. */
struct arch_frame *arch_run_for(struct arch_frame *frame, uint32_t instructions);
/* The same until about that time. After either, the next trap says how many were executed. */
struct arch_frame *arch_run_until(struct arch_frame *frame, uint64_t time);
/* Leaves the trap or exception in progress: arch_run returns. */
_Noreturn void arch_run_abandon(void);

/* ---- trap.c ---- */

_Noreturn void arch_power_off(void);

#endif
