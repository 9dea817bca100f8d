#include <string.h>
#include "backend.h"
#include "kvm.h"
#include "kvm_nested.h"
#include "qemu.h"

const struct backend_ops *const backends[] = {
    &backend_qemu, &backend_qemu_x86_64, &backend_kvm, &backend_kvm_nested, NULL,
};

const struct backend_ops *backend_find(const char *name)
{
    size_t i = 0;
    while (backends[i] != NULL && strcmp(backends[i]->id, name) != 0 &&
           g_strcmp0(backends[i]->alias, name) != 0)
        i++;
    return backends[i];
}

const struct backend_ops *backend_for(const char *arch)
{
    size_t i = 0;
    while (backends[i] != NULL && strcmp(backends[i]->arch, arch) != 0)
        i++;
    return backends[i];
}

const struct backend_ops *backend_telling(const struct backend_ops *backend)
{
    if (backend->capabilities & BACKEND_ACCESSES)
        return backend;
    size_t i = 0;
    while (backends[i] != NULL && (strcmp(backends[i]->arch, backend->arch) != 0 ||
                                   !(backends[i]->capabilities & BACKEND_ACCESSES)))
        i++;
    return backends[i];
}
