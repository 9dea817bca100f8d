/* References: Documentation/virt/kvm/api.rst of Linux; the Xen project's misc/pvh for the entry. */
#include "vcpu.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#define API_VERSION 12

#define CR0_PE 0x1u
#define CR0_ET 0x10u
#define RFLAGS 0x2u /* the bit that is always set */

void kvm_explain(int code, struct complaint *complaint)
{
    switch (code) {
    case ENOENT:
    case ENXIO:
    case ENODEV:
        complain(complaint, "there is no " KVM_DEVICE ": load the module kvm_intel or kvm_amd, or "
                            "allow it in the machine's firmware");
        break;
    case EACCES:
    case EPERM:
        complain(complaint, "no permission to use " KVM_DEVICE
                            ": add yourself to its group (usermod -aG kvm NAME) and log in anew; "
                            "in a container: --device " KVM_DEVICE);
        break;
    default:
        complain(complaint, KVM_DEVICE " cannot be opened: %s", strerror(code));
    }
}

int kvm_open(struct complaint *complaint)
{
    int kvm = open(KVM_DEVICE, O_RDWR | O_CLOEXEC);
    if (kvm < 0) {
        kvm_explain(errno, complaint);
        return -1;
    }
    int version = ioctl(kvm, KVM_GET_API_VERSION, 0);
    if (version != API_VERSION) {
        complain(complaint, KVM_DEVICE " speaks API version %d, not %d: is it Linux's KVM?",
                 version, API_VERSION);
        close(kvm);
        return -1;
    }
    return kvm;
}

static bool failed(struct complaint *complaint, const char *call)
{
    return complain(complaint, "KVM refuses %s: %s", call, strerror(errno));
}

static bool set_up(struct vcpu *vcpu, int kvm, void *ram, size_t size, struct complaint *complaint)
{
    vcpu->vm = ioctl(kvm, KVM_CREATE_VM, 0);
    if (vcpu->vm < 0)
        return failed(complaint, "a virtual machine (KVM_CREATE_VM)");
    vcpu->ram = (struct kvm_userspace_memory_region){
        .memory_size = size,
        .userspace_addr = (uint64_t)ram,
    };
    if (ioctl(vcpu->vm, KVM_SET_USER_MEMORY_REGION, &vcpu->ram) != 0)
        return failed(complaint, "the guest's RAM (KVM_SET_USER_MEMORY_REGION)");
    vcpu->fd = ioctl(vcpu->vm, KVM_CREATE_VCPU, 0);
    if (vcpu->fd < 0)
        return failed(complaint, "a processor (KVM_CREATE_VCPU)");
    int run_size = ioctl(kvm, KVM_GET_VCPU_MMAP_SIZE, 0);
    if (run_size < (int)sizeof *vcpu->run)
        return failed(complaint, "the size of its control page (KVM_GET_VCPU_MMAP_SIZE)");
    vcpu->run_size = (size_t)run_size;
    void *run = mmap(NULL, vcpu->run_size, PROT_READ | PROT_WRITE, MAP_SHARED, vcpu->fd, 0);
    if (run == MAP_FAILED)
        return failed(complaint, "its control page (mmap)");
    vcpu->run = run;
    return true;
}

bool vcpu_open(struct vcpu *vcpu, int kvm, void *ram, size_t size, struct complaint *complaint)
{
    *vcpu = (struct vcpu){.vm = -1, .fd = -1};
    bool ok = set_up(vcpu, kvm, ram, size, complaint);
    if (!ok)
        vcpu_close(vcpu);
    return ok;
}

void vcpu_close(struct vcpu *vcpu)
{
    if (vcpu->run != NULL)
        munmap(vcpu->run, vcpu->run_size);
    if (vcpu->fd >= 0)
        close(vcpu->fd);
    if (vcpu->vm >= 0)
        close(vcpu->vm);
}

struct kvm_segment vcpu_segment(uint16_t selector, bool code, bool wide)
{
    return (struct kvm_segment){
        .limit = 0xffffffff,
        .selector = selector,
        .type = code ? 11 : 3, /* readable, or writable, and accessed */
        .dpl = selector & 3,
        .present = 1,
        .s = 1,
        .g = 1,
        .l = code && wide,
        .db = !(code && wide),
    };
}

bool vcpu_enter_protected(struct vcpu *vcpu, uint32_t entry, struct complaint *complaint)
{
    struct kvm_sregs sregs;
    if (ioctl(vcpu->fd, KVM_GET_SREGS, &sregs) != 0)
        return failed(complaint, "to tell its registers (KVM_GET_SREGS)");
    sregs.cs = vcpu_segment(0x08, true, false);
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss = vcpu_segment(0x10, false, false);
    sregs.tr = (struct kvm_segment){.limit = 0x67, .type = 11, .present = 1};
    sregs.cr0 = CR0_PE | CR0_ET;
    sregs.cr4 = 0;
    sregs.efer = 0;
    struct kvm_regs regs = {.rip = entry, .rflags = RFLAGS};
    if (ioctl(vcpu->fd, KVM_SET_SREGS, &sregs) != 0 || ioctl(vcpu->fd, KVM_SET_REGS, &regs) != 0)
        return failed(complaint, "32-bit protected mode (KVM_SET_SREGS)");
    return true;
}
