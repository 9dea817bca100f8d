/* A guest must run alike on every host, so only what it needs is let through, and what names a
 * model or counts cores is fixed. References: Intel SDM volume 2, CPUID; AMD APM volume 3, appendix
 * E. */
#include "cpuid.h"

#include <errno.h>
#include <stdint.h>
#include <string.h>
#include <sys/ioctl.h>

#define MAX_SUPPORTED 256
#define ROOM_FOR(n)   (sizeof(struct kvm_cpuid2) + (n) * sizeof(struct kvm_cpuid_entry2))

enum { EAX, EBX, ECX, EDX, N_REGISTERS };

struct leaf {
    uint32_t function;
    uint32_t fixed[N_REGISTERS];  /* said on every host */
    uint32_t needed[N_REGISTERS]; /* features, without which there is no guest */
    uint32_t host[N_REGISTERS];   /* taken as the host has it */
};

#define APIC_EDX     0x00000200u /* the VMM's own (lapic.h) */
#define BASE_EDX     0x0700a179u /* SSE2, SSE, FXSR, CMOV, PGE, CX8, PAE, MSR, TSC, PSE, FPU */
#define FSGSBASE_EBX 0x00000001u
#define LONG_EDX     0x20100800u /* LM, NX, SYSCALL */

static const struct leaf leaves[CPUID_LEAVES] = {
    /* Seven leaves, and as vendor "FaultlineVMM", in the order of ebx, edx, ecx. */
    {.function = 0, .fixed = {7, 0x6c756146, 0x4d4d5665, 0x6e696c74}},
    /* Family 6, model 15; CLFLUSH of 64 bytes, one logical processor, APIC id 0. */
    {.function = 1,
     .fixed = {[EAX] = 0x6f0, [EBX] = 0x10800, [EDX] = APIC_EDX},
     .needed = {[EDX] = BASE_EDX}},
    {.function = 7, .needed = {[EBX] = FSGSBASE_EBX}},
    {.function = 0x80000000, .fixed = {[EAX] = 0x80000008}},
    {.function = 0x80000001, .needed = {[EDX] = LONG_EDX}},
    /* Width of addresses: the processor faults on bits beyond it, so it must be the host's own. */
    {.function = 0x80000008, .host = {[EAX] = 0xffff}},
};

static struct kvm_cpuid_entry2 find(const struct kvm_cpuid_entry2 *supported, unsigned n,
                                    uint32_t function)
{
    for (unsigned i = 0; i < n; i++)
        if (supported[i].function == function && supported[i].index == 0)
            return supported[i];
    return (struct kvm_cpuid_entry2){0};
}

/* Notes what is missing; the first is told. */
static bool has_all(const struct leaf *leaf, const uint32_t has[N_REGISTERS],
                    struct complaint *complaint)
{
    static const char *const names[N_REGISTERS] = {"eax", "ebx", "ecx", "edx"};
    for (unsigned r = 0; r < N_REGISTERS; r++) {
        uint32_t missing = leaf->needed[r] & ~has[r];
        if (missing != 0)
            return complain(complaint,
                            "this KVM lacks features that the guest needs (cpuid 0x%x, bits 0x%x "
                            "of %s)",
                            leaf->function, missing, names[r]);
    }
    return true;
}

bool cpuid_make(const struct kvm_cpuid_entry2 *supported, unsigned n,
                struct kvm_cpuid_entry2 made[CPUID_LEAVES], struct complaint *complaint)
{
    bool ok = true;
    for (unsigned i = 0; i < CPUID_LEAVES; i++) {
        const struct leaf *leaf = &leaves[i];
        const struct kvm_cpuid_entry2 host = find(supported, n, leaf->function);
        const uint32_t has[N_REGISTERS] = {host.eax, host.ebx, host.ecx, host.edx};
        uint32_t says[N_REGISTERS];
        for (unsigned r = 0; r < N_REGISTERS; r++)
            says[r] = leaf->fixed[r] | ((leaf->needed[r] | leaf->host[r]) & has[r]);
        ok = ok && has_all(leaf, has, complaint);
        made[i] = (struct kvm_cpuid_entry2){
            .function = leaf->function,
            .flags = leaf->function == 7 ? KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
            .eax = says[EAX],
            .ebx = says[EBX],
            .ecx = says[ECX],
            .edx = says[EDX],
        };
    }
    return ok;
}

bool cpuid_set(int kvm, int vcpu, struct complaint *complaint)
{
    union {
        struct kvm_cpuid2 list;
        char room[ROOM_FOR(MAX_SUPPORTED)];
    } supported = {.list.nent = MAX_SUPPORTED};
    union {
        struct kvm_cpuid2 list;
        char room[ROOM_FOR(CPUID_LEAVES)];
    } made = {.list.nent = CPUID_LEAVES};
    if (ioctl(kvm, KVM_GET_SUPPORTED_CPUID, &supported) != 0)
        return complain(complaint, "KVM does not tell its features (KVM_GET_SUPPORTED_CPUID): %s",
                        strerror(errno));
    bool ok = cpuid_make(supported.list.entries, supported.list.nent, made.list.entries, complaint);
    if (ioctl(vcpu, KVM_SET_CPUID2, &made) != 0)
        return complain(complaint, "KVM refuses the guest's processor (KVM_SET_CPUID2): %s",
                        strerror(errno));
    return ok;
}
