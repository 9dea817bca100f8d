/* Each trial is a row: where the guest begins, which gates it has, what it must say, and, for some,
 * what the host does with it before it is let run to its end. */
#include "trial.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/time.h>
#include "cpuid.h"
#include "exit.h"
#include "selftest_layout.h"
#include "vcpu.h"

#define MAX_SAID 4
#define MAX_RUNS 10000 /* of KVM_RUN: a guest needs a few */
#define LOOP_US  2000  /* that a guest loops until it is stopped */
#define PAGE     4096u

#define EXCEPTION_PF     14
#define EXCEPTION_DB     1
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

extern const uint8_t st_begin[], st_end[], st_enter[], st_port[], st_ring3[], st_gate[],
    st_syscall[], st_gate_count[], st_fault[], st_page_fault[], st_no_execute[],
    st_page_fault_end[], st_flush[], st_loop[], st_irq[], st_device[], st_trap_flag[], st_debug[],
    st_nops[], st_int3[], st_dirty[], st_shutdown[], st_stubs[];

struct trial {
    struct vcpu vcpu;
    uint8_t *ram;
    struct complaint *what;
    uint32_t said[MAX_SAID];
    unsigned n_said;
};

struct gate {
    uint8_t vector;
    const uint8_t *handler;
};

struct row {
    const uint8_t *entry;
    struct gate gates[2];
    bool in_ring3;                      /* from the start */
    bool (*drive)(struct trial *trial); /* NULL: it just runs to its end */
    unsigned n_expected;
    uint32_t expected[MAX_SAID];
};

/* ---- the guest's memory ---- */

static uint32_t address_of(const uint8_t *label)
{
    return ST_CODE + (uint32_t)(label - st_begin);
}

static void put64(struct trial *trial, uint32_t address, uint64_t value)
{
    memcpy(trial->ram + address, &value, sizeof value);
}

static void put_gate(struct trial *trial, unsigned vector, uint32_t handler, uint16_t flags)
{
    put64(trial, ST_IDT + vector * 16,
          (handler & 0xffffu) | (uint64_t)ST_KERNEL_CODE << 16 | (uint64_t)flags << 32 |
              (uint64_t)(handler >> 16) << 48);
    put64(trial, ST_IDT + vector * 16 + 8, 0);
}

static void put_tables(struct trial *trial)
{
    put64(trial, ST_TOP_TABLE, ST_UPPER_TABLE | PAGE_BOTH);
    put64(trial, ST_UPPER_TABLE, ST_LARGE_PAGES | PAGE_BOTH);
    put64(trial, ST_UPPER_TABLE + 3 * 8, ST_DEVICE_PAGES | PAGE_BOTH);
    put64(trial, ST_LARGE_PAGES, PAGE_BOTH | PAGE_LARGE);
    put64(trial, ST_LARGE_PAGES + (ST_NO_EXECUTE >> LARGE_PAGE_SHIFT) * 8,
          PAGE_BOTH | PAGE_LARGE | PAGE_NO_EXECUTE);
    put64(trial, ST_DEVICE_PAGES + ((ST_APIC >> LARGE_PAGE_SHIFT) & 511) * 8,
          ST_APIC | PAGE_BOTH | PAGE_LARGE | PAGE_UNCACHED);
}

static void put_descriptors(struct trial *trial)
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
    memcpy(trial->ram + ST_GDT, gdt, sizeof gdt);
    memcpy(trial->ram + ST_GDT_POINTER, &gdt_limit, sizeof gdt_limit);
    put64(trial, ST_GDT_POINTER + 2, ST_GDT);
    memcpy(trial->ram + ST_IDT_POINTER, &idt_limit, sizeof idt_limit);
    put64(trial, ST_IDT_POINTER + 2, ST_IDT);
    put64(trial, ST_TSS + 4, ST_KERNEL_STACK);
}

static void put_guest(struct trial *trial, const struct row *row)
{
    put_tables(trial);
    put_descriptors(trial);
    memcpy(trial->ram + ST_CODE, st_begin, (size_t)(st_end - st_begin));
    for (unsigned i = 0; i < N_EXCEPTIONS; i++)
        put_gate(trial, i, address_of(st_stubs) + i * STUB_SIZE, GATE_KERNEL);
    for (unsigned i = 0; i < 2; i++)
        if (row->gates[i].handler != NULL)
            put_gate(trial, row->gates[i].vector, address_of(row->gates[i].handler),
                     row->gates[i].vector == ST_GATE ? GATE_USER : GATE_KERNEL);
}

/* ---- its processor ---- */

static bool enter_long(struct trial *trial, uint32_t entry, bool ring3)
{
    struct kvm_sregs sregs;
    int vcpu = trial->vcpu.fd;
    if (ioctl(vcpu, KVM_GET_SREGS, &sregs) != 0)
        return complain(trial->what, "KVM_GET_SREGS fails: %s", strerror(errno));
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
        return complain(trial->what, "64-bit mode is refused (KVM_SET_SREGS): %s", strerror(errno));
    return true;
}

static uint64_t program_counter(const struct trial *trial)
{
    struct kvm_regs regs = {0};
    ioctl(trial->vcpu.fd, KVM_GET_REGS, &regs);
    return regs.rip;
}

/* As with ioctl: 0, or -1 and errno. */
static int run(struct trial *trial)
{
    return ioctl(trial->vcpu.fd, KVM_RUN, 0);
}

static bool not_meant(struct trial *trial, int errno_value)
{
    char text[EXIT_TEXT];
    exit_describe_vcpu(trial->vcpu.fd, trial->vcpu.run, errno_value, text);
    return complain(trial->what, "%s", text);
}

/* A write to a port: kept if it is a word. *more: whether the guest is to go on. */
static bool hear(struct trial *trial, bool *more)
{
    const struct kvm_run *state = trial->vcpu.run;
    uint32_t word;
    if (state->exit_reason != KVM_EXIT_IO || state->io.size != sizeof word || state->io.count != 1)
        return not_meant(trial, 0);
    memcpy(&word, (const uint8_t *)state + state->io.data_offset, sizeof word);
    *more = state->io.port == ST_PORT_SAY;
    if (state->io.port == ST_PORT_EXCEPTION)
        return complain(trial->what, "exception %u", word);
    if (*more && trial->n_said < MAX_SAID)
        trial->said[trial->n_said++] = word;
    return *more || state->io.port == ST_PORT_END || not_meant(trial, 0);
}

static bool run_to_end(struct trial *trial)
{
    bool more = true;
    for (unsigned i = 0; more; i++) {
        if (i == MAX_RUNS)
            return complain(trial->what, "the guest does not come to its end");
        if (run(trial) != 0)
            return not_meant(trial, errno);
        if (!hear(trial, &more))
            return false;
    }
    return true;
}

/* ---- what the host does with some ---- */

static struct kvm_run *kicked; /* by the signal */

static void kick(int number)
{
    (void)number;
    kicked->immediate_exit = 1;
}

/* Lets the guest run until a signal gets it out. */
static bool run_until_kicked(struct trial *trial)
{
    kicked = trial->vcpu.run;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = kick}, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = LOOP_US}}, NULL);
    int result = run(trial);
    int code = errno;
    kicked->immediate_exit = 0;
    if (result == 0)
        return not_meant(trial, 0);
    return code == EINTR || not_meant(trial, code);
}

static bool inject(struct trial *trial)
{
    struct kvm_run *state = trial->vcpu.run;
    if (!run_until_kicked(trial))
        return false;
    state->request_interrupt_window = 1;
    for (unsigned i = 0; !state->ready_for_interrupt_injection; i++)
        if (i == MAX_RUNS || run(trial) != 0 || state->exit_reason != KVM_EXIT_IRQ_WINDOW_OPEN)
            return not_meant(trial, 0);
    state->request_interrupt_window = 0;
    if (ioctl(trial->vcpu.fd, KVM_INTERRUPT, &(struct kvm_interrupt){.irq = ST_IRQ}) != 0)
        return complain(trial->what, "KVM_INTERRUPT fails: %s", strerror(errno));
    return run_to_end(trial);
}

static bool write_device(struct trial *trial)
{
    const struct kvm_run *state = trial->vcpu.run;
    uint32_t word;
    if (run(trial) != 0)
        return not_meant(trial, errno);
    memcpy(&word, state->mmio.data, sizeof word);
    if (state->exit_reason != KVM_EXIT_MMIO || !state->mmio.is_write ||
        state->mmio.len != sizeof word || state->mmio.phys_addr != ST_APIC + ST_APIC_COUNT ||
        word != 0x12345)
        return not_meant(trial, 0);
    return run_to_end(trial);
}

static bool shut_down(struct trial *trial)
{
    if (run(trial) != 0)
        return not_meant(trial, errno);
    return trial->vcpu.run->exit_reason == KVM_EXIT_SHUTDOWN || not_meant(trial, 0);
}

static bool exit_at_once(struct trial *trial)
{
    uint64_t before = program_counter(trial);
    trial->vcpu.run->immediate_exit = 1;
    int result = run(trial);
    int code = errno;
    trial->vcpu.run->immediate_exit = 0;
    if (result == 0 || code != EINTR)
        return not_meant(trial, result == 0 ? 0 : code);
    if (program_counter(trial) != before)
        return complain(trial->what, "the guest ran on");
    return run_to_end(trial);
}

static bool debug(struct trial *trial, uint32_t control, uint64_t breakpoint)
{
    struct kvm_guest_debug request = {.control = control};
    request.arch.debugreg[0] = breakpoint;
    request.arch.debugreg[7] = breakpoint != 0 ? 0x402 : 0x400; /* DR0 of all tasks, execution */
    return ioctl(trial->vcpu.fd, KVM_SET_GUEST_DEBUG, &request) == 0 ||
           complain(trial->what, "KVM_SET_GUEST_DEBUG fails: %s", strerror(errno));
}

/* One more exit for the debugger, which must be at that label. */
static bool stops_at(struct trial *trial, uint32_t address)
{
    if (run(trial) != 0)
        return not_meant(trial, errno);
    if (trial->vcpu.run->exit_reason != KVM_EXIT_DEBUG)
        return complain(trial->what, "the guest did not stop");
    return program_counter(trial) == address || not_meant(trial, 0);
}

static bool step(struct trial *trial)
{
    if (!debug(trial, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, 0))
        return false;
    for (unsigned i = 1; i <= ST_NOPS; i++)
        if (!stops_at(trial, address_of(st_nops) + i))
            return false;
    return debug(trial, 0, 0) && run_to_end(trial);
}

static bool stop_at_breakpoint(struct trial *trial)
{
    uint32_t address = address_of(st_nops) + ST_NOPS / 2;
    return debug(trial, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, address) &&
           stops_at(trial, address) && debug(trial, 0, 0) && run_to_end(trial);
}

static bool stop_at_int3(struct trial *trial)
{
    return debug(trial, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, 0) &&
           stops_at(trial, address_of(st_int3) + 1);
}

static bool log_dirty_pages(struct trial *trial)
{
    const uint64_t wanted = 0xd; /* pages 0, 2 and 3 from ST_DATA on */
    uint64_t log[ST_RAM_SIZE / PAGE / 64];
    struct kvm_userspace_memory_region logged = trial->vcpu.ram;
    logged.flags = KVM_MEM_LOG_DIRTY_PAGES;
    if (ioctl(trial->vcpu.vm, KVM_SET_USER_MEMORY_REGION, &logged) != 0)
        return complain(trial->what, "KVM_MEM_LOG_DIRTY_PAGES is refused: %s", strerror(errno));
    if (!run_to_end(trial))
        return false;
    if (ioctl(trial->vcpu.vm, KVM_GET_DIRTY_LOG, &(struct kvm_dirty_log){.dirty_bitmap = log}) != 0)
        return complain(trial->what, "KVM_GET_DIRTY_LOG fails: %s", strerror(errno));
    return log[ST_DATA / PAGE / 64] == wanted ||
           complain(trial->what, "pages written: 0x%llx, logged: 0x%llx",
                    (unsigned long long)wanted, (unsigned long long)log[ST_DATA / PAGE / 64]);
}

/* ---- the table ---- */

#define SAYS(...)                                                                                  \
    .n_expected = sizeof(uint32_t[]){__VA_ARGS__} / sizeof(uint32_t), .expected = {__VA_ARGS__}

static const struct row rows[N_PROBES] = {
    [PROBE_ENTER] = {.entry = st_enter, SAYS(ST_KERNEL_CODE)},
    [PROBE_PORT] = {.entry = st_port, SAYS(0x12345678, 7)},
    [PROBE_RING3] = {.entry = st_ring3,
                     .gates = {{ST_GATE, st_gate}},
                     SAYS(ST_USER_CODE, ST_USER_CODE)},
    [PROBE_SYSCALL] = {.entry = st_syscall,
                       .gates = {{ST_GATE, st_gate_count}},
                       SAYS(ST_SYSCALLS, ST_USER_CODE)},
    [PROBE_FAULT] = {.entry = st_fault, /* error: user mode reads what is not present */
                     .gates = {{EXCEPTION_PF, st_page_fault}, {ST_GATE, st_gate}},
                     SAYS(0x4, ST_ABSENT + ST_DATA, 0x600d, ST_USER_CODE)},
    [PROBE_NO_EXECUTE] = {.entry = st_no_execute, /* user mode executes what is present */
                          .gates = {{EXCEPTION_PF, st_page_fault_end}},
                          SAYS(0x15, ST_NO_EXECUTE + ST_DATA)},
    [PROBE_FLUSH] = {.entry = st_flush,
                     .gates = {{EXCEPTION_PF, st_page_fault_end}},
                     SAYS(0, ST_ABSENT + ST_DATA)},
    [PROBE_KICK] = {.entry = st_loop, .drive = run_until_kicked},
    [PROBE_INTERRUPT] = {.entry = st_loop,
                         .gates = {{ST_IRQ, st_irq}},
                         .drive = inject,
                         SAYS(ST_USER_CODE)},
    [PROBE_APIC] = {.entry = st_device, .drive = write_device},
    [PROBE_SHUTDOWN] = {.entry = st_shutdown, .drive = shut_down},
    [PROBE_IMMEDIATE_EXIT] = {.entry = st_port, .drive = exit_at_once, SAYS(0x12345678, 7)},
    [PROBE_TRAP_FLAG] = {.entry = st_trap_flag,
                         .gates = {{EXCEPTION_DB, st_debug}, {ST_GATE, st_gate_count}},
                         SAYS(ST_STEPS, ST_USER_CODE)},
    [PROBE_SINGLE_STEP] = {.entry = st_nops,
                           .gates = {{ST_GATE, st_gate}},
                           .in_ring3 = true,
                           .drive = step,
                           SAYS(0x600d, ST_USER_CODE)},
    [PROBE_BREAKPOINT] = {.entry = st_nops,
                          .gates = {{ST_GATE, st_gate}},
                          .in_ring3 = true,
                          .drive = stop_at_breakpoint,
                          SAYS(0x600d, ST_USER_CODE)},
    [PROBE_INT3] = {.entry = st_int3, .in_ring3 = true, .drive = stop_at_int3},
    [PROBE_DIRTY_LOG] = {.entry = st_dirty, .drive = log_dirty_pages},
};

static bool judge(struct trial *trial, const struct row *row)
{
    for (unsigned i = 0; i < row->n_expected; i++)
        if (i >= trial->n_said || trial->said[i] != row->expected[i])
            return complain(trial->what, "word %u of the guest is 0x%x, not 0x%x", i + 1,
                            i < trial->n_said ? trial->said[i] : 0, row->expected[i]);
    return true;
}

bool trial_run(int kvm, enum probe_id id, struct complaint *what)
{
    const struct row *row = &rows[id];
    struct trial trial = {.what = what};
    void *ram = mmap(NULL, ST_RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (ram == MAP_FAILED)
        return complain(what, "no memory: %s", strerror(errno));
    trial.ram = ram;
    if (!vcpu_open(&trial.vcpu, kvm, ram, ST_RAM_SIZE, what))
        return false;
    if (id == PROBE_DEVICE)
        return true;
    bool featured = cpuid_set(kvm, trial.vcpu.fd, what);
    if (id == PROBE_FEATURES)
        return featured;
    what->text[0] = '\0';
    put_guest(&trial, row);
    bool entered = id == PROBE_ENTER
                       ? vcpu_enter_protected(&trial.vcpu, address_of(row->entry), what)
                       : enter_long(&trial, address_of(row->entry), row->in_ring3);
    bool (*drive)(struct trial *) = row->drive != NULL ? row->drive : run_to_end;
    return entered && drive(&trial) && judge(&trial, row);
}
