/* Runs a guest to its end. */
#ifndef FAULTLINE_KVM_GUEST_RUN_H
#define FAULTLINE_KVM_GUEST_RUN_H

#include "exit.h"
#include "vcpu.h"

#define EXIT_PORT 0xf4 /* a 32-bit write of 0 is the end of the machine */

/* true: the guest powered off. Else text says what it did instead, and where. SIGTERM is an end,
 * too, of a guest that does not come out by itself. */
bool guest_run(struct vcpu *vcpu, char text[EXIT_TEXT]);

#endif
