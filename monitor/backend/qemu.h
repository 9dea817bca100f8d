#ifndef FAULTLINE_BACKEND_QEMU_H
#define FAULTLINE_BACKEND_QEMU_H

#include "backend.h"

/* Guests under QEMU's TCG, as child processes. */
extern const struct backend_ops backend_qemu; /* ARMv7 */
extern const struct backend_ops backend_qemu_x86_64;

#endif
