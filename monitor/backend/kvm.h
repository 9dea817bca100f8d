#ifndef FAULTLINE_BACKEND_KVM_H
#define FAULTLINE_BACKEND_KVM_H

#include "backend.h"

/* Where faultline-vmm is looked for (parts.h). */
#define KVM_VMM           "faultline-vmm"
#define KVM_VMM_INSTALLED "lib/faultline/" KVM_VMM

/* x86-64 on the host's KVM, under a VMM of our own: kvm/main.c, a child process. */
extern const struct backend_ops backend_kvm;

/* How the VMM ended: a status as of waitpid, and its last line, which tells of a guest that ended
 * badly all there is to tell. */
void kvm_say_end(int status, const char *line, char *reason, size_t size);

#endif
