#include "measure.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include "cpuid.h"
#include "selftest_layout.h"
#include "tiny_guest.h"

#define PAGE         4096u
#define TIMES        500
#define EXCEPTION_DB 1

extern const uint8_t st_exits[], st_acknowledge[], st_many_steps[], st_debug[], st_gate[],
    st_many_pages[], st_nops[];

static double now_us(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec * 1e6 + (double)now.tv_nsec / 1e3;
}

/* One more exit of a guest that says a word. */
static bool next_exit(struct tiny_guest *guest)
{
    if (tiny_run(guest) != 0)
        return tiny_not_meant(guest, errno);
    const struct kvm_run *run = guest->vcpu.run;
    return (run->exit_reason == KVM_EXIT_IO && run->io.port == ST_PORT_SAY) ||
           tiny_not_meant(guest, 0);
}

static bool exits(struct tiny_guest *guest)
{
    for (unsigned i = 0; i < TIMES; i++)
        if (!next_exit(guest))
            return false;
    return true;
}

static bool injections(struct tiny_guest *guest)
{
    const struct kvm_interrupt interrupt = {.irq = ST_IRQ};
    for (unsigned i = 0; i < TIMES; i++) {
        if (!next_exit(guest))
            return false;
        if (ioctl(guest->vcpu.fd, KVM_INTERRUPT, &interrupt) != 0)
            return complain(guest->what, "KVM_INTERRUPT fails: %s", strerror(errno));
    }
    return true;
}

static bool host_steps(struct tiny_guest *guest)
{
    if (!tiny_debug(guest, KVM_GUESTDBG_ENABLE | KVM_GUESTDBG_SINGLESTEP, 0))
        return false;
    for (unsigned i = 0; i < ST_NOPS; i++)
        if (tiny_run(guest) != 0 || guest->vcpu.run->exit_reason != KVM_EXIT_DEBUG)
            return tiny_not_meant(guest, 0);
    return true;
}

/* The pages go back to what they were, as a reset by the host would have it. */
static bool resets(struct tiny_guest *guest)
{
    static uint8_t before[ST_PAGES * PAGE];
    uint64_t log[ST_RAM_SIZE / PAGE / 64];
    const struct kvm_dirty_log request = {.dirty_bitmap = log};
    memcpy(before, guest->ram + ST_DATA, sizeof before);
    if (!tiny_log_dirty_pages(guest))
        return false;
    for (unsigned i = 0; i < TIMES; i++) {
        if (!next_exit(guest))
            return false;
        if (ioctl(guest->vcpu.vm, KVM_GET_DIRTY_LOG, &request) != 0)
            return complain(guest->what, "KVM_GET_DIRTY_LOG fails: %s", strerror(errno));
        for (unsigned page = 0; page < ST_PAGES; page++)
            if (log[(ST_DATA / PAGE + page) / 64] >> ((ST_DATA / PAGE + page) % 64) & 1)
                memcpy(guest->ram + ST_DATA + page * PAGE, before + page * PAGE, PAGE);
    }
    return true;
}

static const struct row {
    const char *what;
    struct tiny_start start;
    bool (*drive)(struct tiny_guest *guest);
    unsigned times;
} rows[] = {
    {"an exit (port)", {.entry = st_exits}, exits, TIMES},
    {"an exit and an injected interrupt",
     {.entry = st_exits, .gates = {{ST_IRQ, st_acknowledge}}},
     injections,
     TIMES},
    {"a TF step, counted by the guest",
     {.entry = st_many_steps, .gates = {{EXCEPTION_DB, st_debug}, {ST_GATE, st_gate}}},
     tiny_run_to_end,
     ST_MANY_STEPS},
    {"a step by the host (SINGLESTEP)",
     {.entry = st_nops, .mode = TINY_RING3},
     host_steps,
     ST_NOPS},
    {"a run that writes 64 pages", {.entry = st_many_pages}, exits, TIMES},
    {"the same, with a reset by the dirty log", {.entry = st_many_pages}, resets, TIMES},
};

static bool measure(int kvm, const struct row *row, struct complaint *what)
{
    struct tiny_guest guest;
    if (!tiny_open(&guest, kvm, what))
        return false;
    cpuid_set(kvm, guest.vcpu.fd, what); /* these guests need none of it */
    bool ok = tiny_start(&guest, &row->start);
    double from = now_us();
    ok = ok && row->drive(&guest);
    if (ok)
        printf("%10.2f us  %s\n", (now_us() - from) / row->times, row->what);
    tiny_close(&guest);
    return ok;
}

int measure_main(void)
{
    struct complaint what;
    bool all = true;
    int kvm = kvm_open(&what);
    if (kvm < 0) {
        fprintf(stderr, "faultline-vmm: %s\n", what.text);
        return 2;
    }
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        bool ok = measure(kvm, &rows[i], &what);
        if (!ok)
            printf("         --     %s: %s\n", rows[i].what, what.text);
        all = all && ok;
    }
    close(kvm);
    return all ? 0 : 1;
}
