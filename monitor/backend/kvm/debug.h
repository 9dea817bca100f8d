/* Runs a guest to its end as a debugger orders (debug_protocol.h). */
#ifndef FAULTLINE_KVM_DEBUG_H
#define FAULTLINE_KVM_DEBUG_H

#include "exit.h"
#include "vcpu.h"

/* A socket that is listened on, or a serial port. -1: complained. */
int debug_open(const char *path, struct complaint *complaint);

/* true: the debugger is gone. Else text says how the guest ended, and where. */
bool debug_run(struct vcpu *vcpu, int debugger, char text[EXIT_TEXT]);

#endif
