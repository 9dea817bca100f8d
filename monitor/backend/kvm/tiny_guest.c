#include "tiny_guest.h"

#include <errno.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include "exit.h"
#include "selftest_layout.h"

#define N_EXCEPTIONS     32
#define N_GATES          256
#define STUB_SIZE        16
#define GATE_KERNEL      0x8e00
#define GATE_USER        0xee00
#define PAGE_BOTH        0x7u /* present, writable, for user mode */
#define PAGE_LARGE       0x80u
#define PAGE_UNCACHED    0x18u
#define PAGE_NO_EXECUTE  (1ull << 63)
#define LARGE_PAGE_SHIFT 21

extern const uint8_t st_begin[], st_end[], st_stubs[];

/* ---- the guest's memory ---- */

uint32_t tiny_address(const uint8_t *label)
{
    return ST_CODE + (uint32_t)(label - st_begin);
}

static void put64(struct tiny_guest *guest, uint32_t address, uint64_t value)
{
    memcpy(guest->ram + address, &value, sizeof value);
}

static void put_gate(struct tiny_guest *guest, unsigned vector, uint32_t handler, uint16_t flags)
{
    put64(guest, ST_IDT + vector * 16,
          (handler & 0xffffu) | (uint64_t)ST_KERNEL_CODE << 16 | (uint64_t)flags << 32 |
              (uint64_t)(handler >> 16) << 48);
    put64(guest, ST_IDT + vector * 16 + 8, 0);
}

static void put_tables(struct tiny_guest *guest)
{
    put64(guest, ST_TOP_TABLE, ST_UPPER_TABLE | PAGE_BOTH);
    put64(guest, ST_UPPER_TABLE, ST_LARGE_PAGES | PAGE_BOTH);
    put64(guest, ST_UPPER_TABLE + 3 * 8, ST_DEVICE_PAGES | PAGE_BOTH);
    put64(guest, ST_LARGE_PAGES, PAGE_BOTH | PAGE_LARGE);
    put64(guest, ST_LARGE_PAGES + (ST_NO_EXECUTE >> LARGE_PAGE_SHIFT) * 8,
          PAGE_BOTH | PAGE_LARGE | PAGE_NO_EXECUTE);
    put64(guest, ST_DEVICE_PAGES + ((ST_APIC >> LARGE_PAGE_SHIFT) & 511) * 8,
          ST_APIC | PAGE_BOTH | PAGE_LARGE | PAGE_UNCACHED);
}

static void put_descriptors(struct tiny_guest *guest)
{
    const uint64_t gdt[] = {
        0,
        0x00af9b000000ffff,                                     /* ST_KERNEL_CODE */
        0x00cf93000000ffff,                                     /* ST_KERNEL_DATA */
        0x00cff3000000ffff,                                     /* ST_USER_DATA */
        0x00affb000000ffff,                                     /* ST_USER_CODE */
        0x0000890000000067 | (uint64_t)(ST_TSS & 0xffff) << 16, /* ST_TSS_SELECT */
        0,
    };
    const uint16_t gdt_limit = sizeof gdt - 1, idt_limit = N_GATES * 16 - 1;
    memcpy(guest->ram + ST_GDT, gdt, sizeof gdt);
    memcpy(guest->ram + ST_GDT_POINTER, &gdt_limit, sizeof gdt_limit);
    put64(guest, ST_GDT_POINTER + 2, ST_GDT);
    memcpy(guest->ram + ST_IDT_POINTER, &idt_limit, sizeof idt_limit);
    put64(guest, ST_IDT_POINTER + 2, ST_IDT);
    put64(guest, ST_TSS + 4, ST_KERNEL_STACK);
}

static void lay_out(struct tiny_guest *guest, const struct tiny_start *start)
{
    put_tables(guest);
    put_descriptors(guest);
    memcpy(guest->ram + ST_CODE, st_begin, (size_t)(st_end - st_begin));
    for (unsigned i = 0; i < N_EXCEPTIONS; i++)
        put_gate(guest, i, tiny_address(st_stubs) + i * STUB_SIZE, GATE_KERNEL);
    for (unsigned i = 0; i < 2; i++)
        if (start->gates[i].handler != NULL)
            put_gate(guest, start->gates[i].vector, tiny_address(start->gates[i].handler),
                     start->gates[i].vector == ST_GATE ? GATE_USER : GATE_KERNEL);
}

/* ---- its processor ---- */

static bool enter_long(struct tiny_guest *guest, uint32_t entry, bool ring3)
{
    struct kvm_sregs sregs;
    int vcpu = guest->vcpu.fd;
    if (ioctl(vcpu, KVM_GET_SREGS, &sregs) != 0)
        return complain(guest->what, "KVM_GET_SREGS fails: %s", strerror(errno));
    sregs.cs = vcpu_segment(ring3 ? ST_USER_CODE : ST_KERNEL_CODE, true, true);
    sregs.ss = vcpu_segment(ring3 ? ST_USER_DATA : ST_KERNEL_DATA, false, true);
    sregs.ds = sregs.es = sregs.fs = sregs.gs = sregs.ss;
    sregs.tr = (struct kvm_segment){
        .base = ST_TSS, .limit = 0x67, .selector = ST_TSS_SELECT, .type = 11, .present = 1};
    sregs.gdt = (struct kvm_dtable){.base = ST_GDT, .limit = 7 * 8 - 1};
    sregs.idt = (struct kvm_dtable){.base = ST_IDT, .limit = N_GATES * 16 - 1};
    sregs.cr3 = ST_TOP_TABLE;
    sregs.cr4 = 0x20;       /* PAE */
    sregs.cr0 = 0x80010011; /* PG, WP, ET, PE */
    sregs.efer = 0xd01;     /* NXE, LMA, LME, SCE */
    struct kvm_regs regs = {
        .rip = entry, .rsp = ring3 ? ST_USER_STACK : ST_KERNEL_STACK, .rflags = 2};
    if (ioctl(vcpu, KVM_SET_SREGS, &sregs) != 0 || ioctl(vcpu, KVM_SET_REGS, &regs) != 0)
        return complain(guest->what, "64-bit mode is refused (KVM_SET_SREGS): %s", strerror(errno));
    return true;
}

bool tiny_open(struct tiny_guest *guest, int kvm, struct complaint *what)
{
    *guest = (struct tiny_guest){.what = what};
    void *ram = mmap(NULL, ST_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ram == MAP_FAILED)
        return complain(what, "no memory: %s", strerror(errno));
    guest->ram = ram;
    bool ok = vcpu_open(&guest->vcpu, kvm, ram, ST_RAM_SIZE, what);
    if (!ok)
        munmap(ram, ST_RAM_SIZE);
    return ok;
}

void tiny_close(struct tiny_guest *guest)
{
    vcpu_close(&guest->vcpu);
    munmap(guest->ram, ST_RAM_SIZE);
}

bool tiny_start(struct tiny_guest *guest, const struct tiny_start *start)
{
    uint32_t entry = tiny_address(start->entry);
    lay_out(guest, start);
    return start->mode == TINY_PROTECTED ? vcpu_enter_protected(&guest->vcpu, entry, guest->what)
                                         : enter_long(guest, entry, start->mode == TINY_RING3);
}

uint64_t tiny_program_counter(const struct tiny_guest *guest)
{
    struct kvm_regs regs = {0};
    ioctl(guest->vcpu.fd, KVM_GET_REGS, &regs);
    return regs.rip;
}

int tiny_run(struct tiny_guest *guest)
{
    return ioctl(guest->vcpu.fd, KVM_RUN, 0);
}

bool tiny_not_meant(struct tiny_guest *guest, int errno_value)
{
    char text[EXIT_TEXT];
    exit_describe_vcpu(guest->vcpu.fd, guest->vcpu.run, errno_value, text);
    return complain(guest->what, "%s", text);
}

/* A write to a port: kept if it is a word. *more: whether the guest is to go on. */
static bool hear(struct tiny_guest *guest, bool *more)
{
    const struct kvm_run *state = guest->vcpu.run;
    uint32_t word;
    if (state->exit_reason != KVM_EXIT_IO || state->io.size != sizeof word || state->io.count != 1)
        return tiny_not_meant(guest, 0);
    memcpy(&word, (const uint8_t *)state + state->io.data_offset, sizeof word);
    *more = state->io.port == ST_PORT_SAY;
    if (state->io.port == ST_PORT_EXCEPTION)
        return complain(guest->what, "exception %u", word);
    if (*more && guest->n_said < TINY_MAX_SAID)
        guest->said[guest->n_said++] = word;
    return *more || state->io.port == ST_PORT_END || tiny_not_meant(guest, 0);
}

bool tiny_run_to_end(struct tiny_guest *guest)
{
    bool more = true;
    for (unsigned i = 0; more; i++) {
        if (i == TINY_MAX_RUNS)
            return complain(guest->what, "the guest does not come to its end");
        if (tiny_run(guest) != 0)
            return tiny_not_meant(guest, errno);
        if (!hear(guest, &more))
            return false;
    }
    return true;
}

bool tiny_debug(struct tiny_guest *guest, uint32_t control, uint64_t breakpoint)
{
    struct kvm_guest_debug request = {.control = control};
    request.arch.debugreg[0] = breakpoint;
    request.arch.debugreg[7] = breakpoint != 0 ? 0x402 : 0x400; /* DR0 of all tasks, execution */
    return ioctl(guest->vcpu.fd, KVM_SET_GUEST_DEBUG, &request) == 0 ||
           complain(guest->what, "KVM_SET_GUEST_DEBUG fails: %s", strerror(errno));
}

bool tiny_log_dirty_pages(struct tiny_guest *guest)
{
    struct kvm_userspace_memory_region logged = guest->vcpu.ram;
    logged.flags = KVM_MEM_LOG_DIRTY_PAGES;
    return ioctl(guest->vcpu.vm, KVM_SET_USER_MEMORY_REGION, &logged) == 0 ||
           complain(guest->what, "KVM_MEM_LOG_DIRTY_PAGES is refused: %s", strerror(errno));
}
