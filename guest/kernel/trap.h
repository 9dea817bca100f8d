/* What an architecture tells the kernel about why user mode stopped. */
#ifndef FAULTLINE_TRAP_H
#define FAULTLINE_TRAP_H

#include <stdint.h>

enum trap_kind { TRAP_SYSCALL, TRAP_FAULT, TRAP_EXCEPTION, TRAP_TIMER };

struct trap {
    enum trap_kind kind;
    uint32_t address;      /* TRAP_FAULT: what was touched */
    uint32_t access;       /* TRAP_FAULT: FL_ACCESS_* */
    uint32_t status;       /* the architecture's own code */
    uint64_t time;         /* arch_time() on entry */
    uint32_t instructions; /* executed in user mode, with the one that trapped; good only after
                              arch_run_for and arch_run_until */
};

struct arch_frame;

/* The thread that was running has its registers in its thread block. Returns whose registers to
 * load, or NULL when the run is over. */
struct arch_frame *kernel_trap(const struct trap *trap);

/* The kernel itself did something impossible: the run ends as guest-fault. */
_Noreturn void kernel_broken(uint32_t kind, uint32_t pc, uint32_t address, uint32_t status);

#endif
