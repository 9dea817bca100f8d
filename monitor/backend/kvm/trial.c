/* Each trial is a row: where the guest begins, which gates it has, what it must say, and, for some,
 * what the host does with it before it is let run to its end. */
#include "trial.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/time.h>
#include "cpuid.h"
#include "selftest_layout.h"
#include "tiny_guest.h"

#define LOOP_US      2000 /* that a guest loops until it is stopped */
#define PAGE         4096u
#define EXCEPTION_DB 1
#define EXCEPTION_PF 14

extern const uint8_t st_enter[], st_port[], st_ring3[], st_gate[], st_syscall[], st_gate_count[],
    st_fault[], st_page_fault[], st_no_execute[], st_page_fault_end[], st_flush[], st_loop[],
    st_irq[], st_device[], st_trap_flag[], st_debug[], st_nops[], st_int3[], st_dirty[],
    st_shutdown[];

struct row {
    struct tiny_start start;
    bool (*drive)(struct tiny_guest *guest); /* NULL: it just runs to its end */
    unsigned n_expected;
    uint32_t expected[TINY_MAX_SAID];
};

/* ---- what the host does with some ---- */

static struct kvm_run *kicked; /* by the signal */

static void kick(int number)
{
    (void)number;
    kicked->immediate_exit = 1;
}

/* Lets the guest run until a signal gets it out. */
static bool run_until_kicked(struct tiny_guest *guest)
{
    kicked = guest->vcpu.run;
    sigaction(SIGALRM, &(struct sigaction){.sa_handler = kick}, NULL);
    setitimer(ITIMER_REAL, &(struct itimerval){.it_value = {.tv_usec = LOOP_US}}, NULL);
    int result = tiny_run(guest);
    int code = errno;
    kicked->immediate_exit = 0;
    if (result == 0)
        return tiny_not_meant(guest, 0);
    return code == EINTR || tiny_not_meant(guest, code);
}

static bool inject(struct tiny_guest *guest)
{
    struct kvm_run *state = guest->vcpu.run;
    if (!run_until_kicked(guest))
        return false;
    state->request_interrupt_window = 1;
    for (unsigned i = 0; !state->ready_for_interrupt_injection; i++)
        if (i == TINY_MAX_RUNS || tiny_run(guest) != 0 ||
            state->exit_reason != KVM_EXIT_IRQ_WINDOW_OPEN)
            return tiny_not_meant(guest, 0);
    state->request_interrupt_window = 0;
    if (ioctl(guest->vcpu.fd, KVM_INTERRUPT, &(struct kvm_interrupt){.irq = ST_IRQ}) != 0)
        return complain(guest->what, "KVM_INTERRUPT fails: %s", strerror(errno));
    return tiny_run_to_end(guest);
}

static bool write_device(struct tiny_guest *guest)
{
    const struct kvm_run *state = guest->vcpu.run;
    uint32_t word;
    if (tiny_run(guest) != 0)
        return tiny_not_meant(guest, errno);
    memcpy(&word, state->mmio.data, sizeof word);
    if (state->exit_reason != KVM_EXIT_MMIO || !state->mmio.is_write ||
        state->mmio.len != sizeof word || state->mmio.phys_addr != ST_APIC + ST_APIC_COUNT ||
        word != 0x12345)
        return tiny_not_meant(guest, 0);
    return tiny_run_to_end(guest);
}

static bool shut_down(struct tiny_guest *guest)
{
    if (tiny_run(guest) != 0)
        return tiny_not_meant(guest, errno);
    return guest->vcpu.run->exit_reason == KVM_EXIT_SHUTDOWN || tiny_not_meant(guest, 0);
}

static bool exit_at_once(struct tiny_guest *guest)
{
    uint64_t before = tiny_program_counter(guest);
    guest->vcpu.run->immediate_exit = 1;
    int result = tiny_run(guest);
    int code = errno;
    guest->vcpu.run->immediate_exit = 0;
    if (result == 0 || code != EINTR)
        return tiny_not_meant(guest, result == 0 ? 0 : code);
    if (tiny_program_counter(guest) != before)
        return complain(guest->what, "the guest ran on");
    return tiny_run_to_end(guest);
}

/* One more exit for the debugger, which must be at that label. */
static bool stops_at(struct tiny_guest *guest, uint32_t address)
{
    if (tiny_run(guest) != 0)
        return tiny_not_meant(guest, errno);
    if (guest->vcpu.run->exit_reason != KVM_EXIT_DEBUG)
        return complain(guest->what, "the guest did not stop");
    return tiny_program_counter(guest) == address || tiny_not_meant(guest, 0);
}

static bool step(struct tiny_guest *guest)
{
    if (!tiny_debug(guest, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, 0))
        return false;
    for (unsigned i = 1; i <= ST_NOPS; i++)
        if (!stops_at(guest, tiny_address(st_nops) + i))
            return false;
    return tiny_debug(guest, 0, 0) && tiny_run_to_end(guest);
}

static bool stop_at_breakpoint(struct tiny_guest *guest)
{
    uint32_t address = tiny_address(st_nops) + ST_NOPS / 2;
    return tiny_debug(guest, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_HW_BP, address) &&
           stops_at(guest, address) && tiny_debug(guest, 0, 0) && tiny_run_to_end(guest);
}

static bool stop_at_int3(struct tiny_guest *guest)
{
    return tiny_debug(guest, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_USE_SW_BP, 0) &&
           stops_at(guest, tiny_address(st_int3) + 1);
}

static bool log_dirty_pages(struct tiny_guest *guest)
{
    const uint64_t wanted = 0xd; /* pages 0, 2 and 3 from ST_DATA on */
    uint64_t log[ST_RAM_SIZE / PAGE / 64];
    if (!tiny_log_dirty_pages(guest) || !tiny_run_to_end(guest))
        return false;
    if (ioctl(guest->vcpu.vm, KVM_GET_DIRTY_LOG, &(struct kvm_dirty_log){.dirty_bitmap = log}) != 0)
        return complain(guest->what, "KVM_GET_DIRTY_LOG fails: %s", strerror(errno));
    return log[ST_DATA / PAGE / 64] == wanted ||
           complain(guest->what, "pages written: 0x%llx, logged: 0x%llx",
                    (unsigned long long)wanted, (unsigned long long)log[ST_DATA / PAGE / 64]);
}

/* ---- the table ---- */

#define SAYS(...)                                                                                  \
    .n_expected = sizeof(uint32_t[]){__VA_ARGS__} / sizeof(uint32_t), .expected = {__VA_ARGS__}

static const struct row rows[N_PROBES] = {
    [PROBE_ENTER] = {.start.entry = st_enter, .start.mode = TINY_PROTECTED, SAYS(ST_KERNEL_CODE)},
    [PROBE_PORT] = {.start.entry = st_port, SAYS(0x12345678, 7)},
    [PROBE_RING3] = {.start.entry = st_ring3,
                     .start.gates = {{ST_GATE, st_gate}},
                     SAYS(ST_USER_CODE, ST_USER_CODE)},
    [PROBE_SYSCALL] = {.start.entry = st_syscall,
                       .start.gates = {{ST_GATE, st_gate_count}},
                       SAYS(ST_SYSCALLS, ST_USER_CODE)},
    [PROBE_FAULT] = {.start.entry = st_fault, /* error: user mode reads what is not present */
                     .start.gates = {{EXCEPTION_PF, st_page_fault}, {ST_GATE, st_gate}},
                     SAYS(0x4, ST_ABSENT + ST_DATA, 0x600d, ST_USER_CODE)},
    [PROBE_NO_EXECUTE] = {.start.entry = st_no_execute, /* user mode executes what is present */
                          .start.gates = {{EXCEPTION_PF, st_page_fault_end}},
                          SAYS(0x15, ST_NO_EXECUTE + ST_DATA)},
    [PROBE_FLUSH] = {.start.entry = st_flush,
                     .start.gates = {{EXCEPTION_PF, st_page_fault_end}},
                     SAYS(0, ST_ABSENT + ST_DATA)},
    [PROBE_KICK] = {.start.entry = st_loop, .drive = run_until_kicked},
    [PROBE_INTERRUPT] = {.start.entry = st_loop,
                         .start.gates = {{ST_IRQ, st_irq}},
                         .drive = inject,
                         SAYS(ST_USER_CODE)},
    [PROBE_APIC] = {.start.entry = st_device, .drive = write_device},
    [PROBE_SHUTDOWN] = {.start.entry = st_shutdown, .drive = shut_down},
    [PROBE_IMMEDIATE_EXIT] = {.start.entry = st_port, .drive = exit_at_once, SAYS(0x12345678, 7)},
    [PROBE_TRAP_FLAG] = {.start.entry = st_trap_flag,
                         .start.gates = {{EXCEPTION_DB, st_debug}, {ST_GATE, st_gate_count}},
                         SAYS(ST_STEPS, ST_USER_CODE)},
    [PROBE_SINGLE_STEP] = {.start.entry = st_nops,
                           .start.gates = {{ST_GATE, st_gate}},
                           .start.mode = TINY_RING3,
                           .drive = step,
                           SAYS(0x600d, ST_USER_CODE)},
    [PROBE_BREAKPOINT] = {.start.entry = st_nops,
                          .start.gates = {{ST_GATE, st_gate}},
                          .start.mode = TINY_RING3,
                          .drive = stop_at_breakpoint,
                          SAYS(0x600d, ST_USER_CODE)},
    [PROBE_INT3] = {.start.entry = st_int3, .start.mode = TINY_RING3, .drive = stop_at_int3},
    [PROBE_DIRTY_LOG] = {.start.entry = st_dirty, .drive = log_dirty_pages},
};

static bool judge(struct tiny_guest *guest, const struct row *row)
{
    for (unsigned i = 0; i < row->n_expected; i++)
        if (i >= guest->n_said || guest->said[i] != row->expected[i])
            return complain(guest->what, "word %u of the guest is 0x%x, not 0x%x", i + 1,
                            i < guest->n_said ? guest->said[i] : 0, row->expected[i]);
    return true;
}

static bool try(struct tiny_guest *guest, int kvm, enum probe_id id)
{
    const struct row *row = &rows[id];
    bool (*drive)(struct tiny_guest *) = row->drive != NULL ? row->drive : tiny_run_to_end;
    if (id == PROBE_DEVICE)
        return true;
    bool featured = cpuid_set(kvm, guest->vcpu.fd, guest->what);
    if (id == PROBE_FEATURES)
        return featured;
    guest->what->text[0] = '\0'; /* the others are tried all the same */
    return tiny_start(guest, &row->start) && drive(guest) && judge(guest, row);
}

bool trial_run(int kvm, enum probe_id id, struct complaint *what)
{
    struct tiny_guest guest;
    if (!tiny_open(&guest, kvm, what))
        return false;
    bool ok = try(&guest, kvm, id);
    tiny_close(&guest);
    return ok;
}
