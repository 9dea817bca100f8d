#ifndef FAULTLINE_BACKEND_KVM_NESTED_H
#define FAULTLINE_BACKEND_KVM_NESTED_H

#include "backend.h"

/* faultline-vmm on the KVM of a Linux that runs under QEMU's TCG: for hosts whose own KVM is
 * missing or cannot run the guest. */
extern const struct backend_ops backend_kvm_nested;

#endif
