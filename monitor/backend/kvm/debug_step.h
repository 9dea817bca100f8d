/* A guest that goes instruction by instruction, as it would go by itself: it sees nothing of it. */
#ifndef FAULTLINE_KVM_DEBUG_STEP_H
#define FAULTLINE_KVM_DEBUG_STEP_H

#include <stdbool.h>
#include <stdint.h>
#include "vcpu.h"

#define STEP_GATES 33u /* of the guest's interrupt table (guest/arch/x86_64/boot.S) */

struct stepped {
    struct vcpu *vcpu;
    uint8_t *ram;
    struct kvm_regs regs; /* as the guest has them, but for its trap flag */
    bool trap_flag;       /* the guest's own */
    bool trap_due;        /* its exception comes before the next instruction */
    bool guarded;         /* the gates are halts */
    uint64_t gates[STEP_GATES];
    uint8_t originals[STEP_GATES];
};

/* RAM where the kernel sees it. NULL: not there. */
uint8_t *stepped_kernel(const struct stepped *stepped, uint64_t address, uint64_t size);
/* RAM that is mapped there just now. */
uint8_t *stepped_at(const struct stepped *stepped, uint64_t address, uint64_t size);
static inline bool stepped_is_user(const struct stepped *stepped)
{
    return stepped->regs.rip >> 63 == 0;
}

bool stepped_read(struct stepped *stepped);
bool stepped_write(struct stepped *stepped);
/* One instruction, or the exception that comes first. false: the guest's end; vcpu->run says. */
bool stepped_step(struct stepped *stepped);
/* RAM as the guest has it, until the next step. */
bool stepped_reveal(struct stepped *stepped);
/* At full speed to the mark, which is an instruction of the kernel's. */
bool stepped_run_to(struct stepped *stepped, uint64_t mark);

#endif
