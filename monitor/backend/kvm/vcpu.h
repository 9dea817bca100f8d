/* A virtual machine of one processor, and of RAM at physical address 0. */
#ifndef FAULTLINE_KVM_VCPU_H
#define FAULTLINE_KVM_VCPU_H

#include <linux/kvm.h>
#include <stddef.h>
#include <stdint.h>
#include "complaint.h"

#define KVM_DEVICE "/dev/kvm"

struct vcpu {
    int vm, fd;
    struct kvm_run *run; /* shared with KVM */
    size_t run_size;
    struct kvm_userspace_memory_region ram;
};

/* Opens KVM_DEVICE. -1: it is not to be had, and why. */
int kvm_open(struct complaint *complaint);
/* What that open failed with, in words, with what to do. */
void kvm_explain(int code, struct complaint *complaint);

/* A processor that says nothing of itself yet (cpuid.h). */
bool vcpu_open(struct vcpu *vcpu, int kvm, void *ram, size_t size, struct complaint *complaint);
void vcpu_close(struct vcpu *vcpu);

/* As PVH wants it: 32-bit protected mode, flat segments, paging and interrupts off. */
bool vcpu_enter_protected(struct vcpu *vcpu, uint32_t entry, struct complaint *complaint);

/* A segment as a descriptor of a GDT would load it. */
struct kvm_segment vcpu_segment(uint16_t selector, bool code, bool wide);

#endif
