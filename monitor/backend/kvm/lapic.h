/* The local APIC as far as a guest of ours uses it (guest/arch/x86_64/arch.h): a one-shot timer.
 * Its clock is the time that the guest really ran, so that a busy host or a parked guest does not
 * make it fire early. */
#ifndef FAULTLINE_KVM_LAPIC_H
#define FAULTLINE_KVM_LAPIC_H

#include <stdbool.h>
#include <stdint.h>

#define LAPIC_BASE 0xfee00000u
#define LAPIC_SIZE 0x1000u

enum lapic_register {
    LAPIC_EOI = 0x0b0,
    LAPIC_SVR = 0x0f0,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_INITIAL_COUNT = 0x380,
    LAPIC_DIVIDE = 0x3e0,
};

struct lapic {
    uint32_t lvt_timer;
    uint32_t divide;
    bool pending;    /* the timer fired, the guest has not been interrupted */
    bool in_service; /* the guest has been, and has not said that it is done */
};

struct lapic lapic_reset(void);
/* A guest's write. false: there is no such register, or not for such a value. *count: for how many
 * nanoseconds the timer is to be set, 0 for not at all; left alone by writes that do not set it. */
bool lapic_write(struct lapic *lapic, uint32_t offset, uint32_t value, uint64_t *count);
void lapic_fire(struct lapic *lapic);
/* Whether the processor is to be interrupted as soon as it can be. */
bool lapic_wants(const struct lapic *lapic);
/* It is now: returns the vector. */
uint8_t lapic_deliver(struct lapic *lapic);

#endif
