/* From exception vectors to the kernel's traps: fault status decoding (DDI 0406C B3.13). */

#include "arch.h"
#include "../../kernel/kernel.h"
#include "../../kernel/trap.h"

_Static_assert(offsetof(struct run, current) == 8, "vectors.S knows this offset");
_Static_assert(offsetof(struct thread, frame) == 0, "vectors.S stores registers there");

/* timer.c */
uint32_t arch_instructions(uint64_t trapped, uint32_t entry_cost);

enum {
    VECTOR_UNDEFINED = 1,
    VECTOR_SYSCALL = 2,
    VECTOR_FETCH = 3,
    VECTOR_DATA = 4,
    VECTOR_IRQ = 6
};

#define STATUS_WRITE 0x800u

static uint32_t status_code(uint32_t status)
{
    return (status & 0xfu) | (status >> 6 & 0x10u);
}

static bool is_page_fault(uint32_t status)
{
    switch (status_code(status)) {
    case 0x05: /* translation, section */
    case 0x07: /* translation, page */
    case 0x0d: /* permission, section */
    case 0x0f: /* permission, page */
        return true;
    default:
        return false;
    }
}

static struct trap data_trap(void)
{
    uint32_t address, status;
    __asm__ volatile("mrc p15, 0, %0, c6, c0, 0" : "=r"(address)); /* DFAR */
    __asm__ volatile("mrc p15, 0, %0, c5, c0, 0" : "=r"(status));  /* DFSR */
    return (struct trap){
        .kind = is_page_fault(status) ? TRAP_FAULT : TRAP_EXCEPTION,
        .address = address,
        .access = (status & STATUS_WRITE) ? FL_ACCESS_WRITE : FL_ACCESS_READ,
        .status = status,
    };
}

static struct trap fetch_trap(void)
{
    uint32_t address, status;
    __asm__ volatile("mrc p15, 0, %0, c6, c0, 2" : "=r"(address)); /* IFAR */
    __asm__ volatile("mrc p15, 0, %0, c5, c0, 1" : "=r"(status));  /* IFSR */
    return (struct trap){
        .kind = is_page_fault(status) ? TRAP_FAULT : TRAP_EXCEPTION,
        .address = address,
        .access = FL_ACCESS_EXEC,
        .status = status,
    };
}

static struct trap decode(uint32_t vector)
{
    switch (vector) {
    case VECTOR_SYSCALL:
        return (struct trap){.kind = TRAP_SYSCALL};
    case VECTOR_IRQ:
        return (struct trap){.kind = TRAP_TIMER};
    case VECTOR_DATA:
        return data_trap();
    case VECTOR_FETCH:
        return fetch_trap();
    default:
        return (struct trap){.kind = TRAP_EXCEPTION, .status = vector};
    }
}

/* Instructions of vectors.S from each vector to the reading of the counter, and with it; less one
 * where the instruction that trapped has begun, but does not count as executed: so it counts.
 * Before an interrupt none has begun. */
static const uint8_t entry_cost[] = {
    [VECTOR_UNDEFINED] = 14, [VECTOR_SYSCALL] = 5, [VECTOR_FETCH] = 14,
    [VECTOR_DATA] = 14,      [VECTOR_IRQ] = 8,
};

/* Called by vectors.S on the kernel's stack. `time`: arch_time() on entry. */
struct arch_frame *arch_trap(uint32_t vector, uint64_t time);

struct arch_frame *arch_trap(uint32_t vector, uint64_t time)
{
    struct trap trap = decode(vector);
    trap.time = time;
    trap.instructions = arch_instructions(time, entry_cost[vector]);
    return kernel_trap(&trap);
}

_Noreturn void arch_kernel_exception(uint32_t vector, uint32_t pc);

_Noreturn void arch_kernel_exception(uint32_t vector, uint32_t pc)
{
    struct trap trap = vector == VECTOR_FETCH ? fetch_trap() : data_trap();
    kernel_broken(vector, pc, trap.address, trap.status);
}

_Noreturn void arch_power_off(void)
{
    register uint32_t function __asm__("r0") = 0x84000008u; /* PSCI SYSTEM_OFF */
    __asm__ volatile(".arch_extension virt\n\thvc #0" ::"r"(function));
    for (;;) {
    }
}
