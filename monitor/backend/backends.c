#include "backend.h"
#include "qemu.h"

const struct backend_ops *const backends[] = {
    &backend_qemu,
    NULL,
};
