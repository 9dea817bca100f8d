#include <string.h>
#include "target.h"

static const struct gdb_target_ops *const targets[] = {&gdb_target_qemu, &gdb_target_qemu_x86_64,
                                                       &gdb_target_kvm, &gdb_target_kvm_nested};

const struct gdb_target_ops *gdb_target(const char *backend)
{
    for (size_t i = 0; i < G_N_ELEMENTS(targets); i++)
        if (strcmp(targets[i]->backend, backend) == 0)
            return targets[i];
    return NULL;
}
