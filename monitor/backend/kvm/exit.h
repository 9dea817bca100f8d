/* Why KVM gave the processor back, in words: what a guest that went wrong leaves behind. */
#ifndef FAULTLINE_KVM_EXIT_H
#define FAULTLINE_KVM_EXIT_H

#include <linux/kvm.h>
#include <stddef.h>

#define EXIT_TEXT 160 /* as much as the monitor shows of a run's end */

/* One line: the reason by its name, with what belongs to it, and where the guest was. Nothing in
 * `run` is taken on trust. */
void exit_describe(const struct kvm_run *run, const struct kvm_regs *regs,
                   const struct kvm_sregs *sregs, char text[EXIT_TEXT]);
/* The same of a processor. `errno_value`: of KVM_RUN if that failed, else 0. */
void exit_describe_vcpu(int vcpu, const struct kvm_run *run, int errno_value, char text[EXIT_TEXT]);

#endif
