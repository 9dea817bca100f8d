/* From exception vectors to the kernel's traps: fault status decoding (DDI 0406C B3.13). */

#include "arch.h"
#include "../../kernel/trap.h"

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

/* Called by vectors.S on the kernel's stack. */
struct arch_frame *arch_trap(uint32_t vector);

struct arch_frame *arch_trap(uint32_t vector)
{
    struct trap trap;
    switch (vector) {
    case VECTOR_SYSCALL:
        trap = (struct trap){.kind = TRAP_SYSCALL};
        break;
    case VECTOR_IRQ:
        trap = (struct trap){.kind = TRAP_TIMER};
        break;
    case VECTOR_DATA:
        trap = data_trap();
        break;
    case VECTOR_FETCH:
        trap = fetch_trap();
        break;
    default:
        trap = (struct trap){.kind = TRAP_EXCEPTION, .status = vector};
        break;
    }
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
