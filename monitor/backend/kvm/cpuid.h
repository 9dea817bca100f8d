/* What the guest's processor says of itself: the same on every host. */
#ifndef FAULTLINE_KVM_CPUID_H
#define FAULTLINE_KVM_CPUID_H

#include <linux/kvm.h>
#include "complaint.h"

#define CPUID_LEAVES 6

/* From what KVM can, the processor that every guest gets. false: it cannot something needed, and
 * the processor is made without. */
bool cpuid_make(const struct kvm_cpuid_entry2 *supported, unsigned n,
                struct kvm_cpuid_entry2 made[CPUID_LEAVES], struct complaint *complaint);
/* Asks KVM what it can, and gives the processor that. false as above. */
bool cpuid_set(int kvm, int vcpu, struct complaint *complaint);

#endif
