#ifndef FAULTLINE_BACKEND_QEMU_H
#define FAULTLINE_BACKEND_QEMU_H

#include "backend.h"

#define QEMU "qemu-system-arm"

/* ARMv7 under QEMU's TCG, a child process. */
extern const struct backend_ops backend_qemu;

#endif
