/* The processor runs until KVM gives it back: for the guest's few devices, for a signal, or for
 * what is the guest's end. A signal makes KVM_RUN return, and immediate_exit makes the next one
 * return if it came before that (Documentation/virt/kvm/api.rst). */
#include "guest_run.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include "lapic.h"

#define NS_PER_S 1000000000u

enum step { STEP_ON, STEP_OFF, STEP_DEAD };

struct guest {
    struct vcpu *vcpu;
    struct lapic lapic;
    timer_t timer;
};

/* What signals do: there is one guest in a process. */
static struct kvm_run *volatile running;
static volatile sig_atomic_t fired, stopped;

static void on_signal(int number)
{
    if (number == SIGALRM)
        fired = 1;
    else
        stopped = 1;
    running->immediate_exit = 1;
}

static bool set_up(struct guest *guest)
{
    struct sigaction action = {.sa_handler = on_signal};
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGALRM};
    running = guest->vcpu->run;
    fired = stopped = 0;
    return sigaction(SIGALRM, &action, NULL) == 0 && sigaction(SIGTERM, &action, NULL) == 0 &&
           timer_create(CLOCK_THREAD_CPUTIME_ID, &event, &guest->timer) == 0;
}

static void set_timer(struct guest *guest, uint64_t ns)
{
    const struct itimerspec when = {
        .it_value = {.tv_sec = (time_t)(ns / NS_PER_S), .tv_nsec = (long)(ns % NS_PER_S)}};
    timer_settime(guest->timer, 0, &when, NULL);
}

static enum step on_port(struct guest *guest)
{
    const struct kvm_run *run = guest->vcpu->run;
    uint32_t value;
    if (run->io.port != EXIT_PORT || run->io.direction != KVM_EXIT_IO_OUT ||
        run->io.size != sizeof value || run->io.count != 1)
        return STEP_DEAD;
    memcpy(&value, (const uint8_t *)run + run->io.data_offset, sizeof value);
    return value == 0 ? STEP_OFF : STEP_DEAD;
}

static enum step on_memory(struct guest *guest)
{
    const struct kvm_run *run = guest->vcpu->run;
    const uint64_t none = UINT64_MAX;
    uint64_t count = none;
    uint32_t value;
    if (!run->mmio.is_write || run->mmio.len != sizeof value ||
        run->mmio.phys_addr - LAPIC_BASE >= LAPIC_SIZE)
        return STEP_DEAD;
    memcpy(&value, run->mmio.data, sizeof value);
    if (!lapic_write(&guest->lapic, (uint32_t)(run->mmio.phys_addr - LAPIC_BASE), value, &count))
        return STEP_DEAD;
    if (count != none)
        set_timer(guest, count);
    return STEP_ON;
}

static enum step on_exit_of_guest(struct guest *guest)
{
    switch (guest->vcpu->run->exit_reason) {
    case KVM_EXIT_IO:
        return on_port(guest);
    case KVM_EXIT_MMIO:
        return on_memory(guest);
    case KVM_EXIT_IRQ_WINDOW_OPEN:
    case KVM_EXIT_INTR:
        return STEP_ON;
    default:
        return STEP_DEAD;
    }
}

/* An interrupt is injected when the guest can take it, which KVM is asked to say. */
static bool interrupt(struct guest *guest)
{
    struct kvm_run *run = guest->vcpu->run;
    if (fired) {
        fired = 0;
        lapic_fire(&guest->lapic);
    }
    bool wants = lapic_wants(&guest->lapic);
    if (wants && run->ready_for_interrupt_injection) {
        const struct kvm_interrupt interrupt = {.irq = lapic_deliver(&guest->lapic)};
        wants = false;
        if (ioctl(guest->vcpu->fd, KVM_INTERRUPT, &interrupt) != 0)
            return false;
    }
    run->request_interrupt_window = wants;
    return true;
}

bool guest_run(struct vcpu *vcpu, char text[EXIT_TEXT])
{
    struct guest guest = {.vcpu = vcpu, .lapic = lapic_reset()};
    enum step step = STEP_ON;
    int code = set_up(&guest) ? 0 : errno;
    while (code == 0 && step == STEP_ON && !stopped) {
        if (interrupt(&guest) && ioctl(vcpu->fd, KVM_RUN, 0) == 0)
            step = on_exit_of_guest(&guest);
        else if (errno == EINTR)
            vcpu->run->immediate_exit = 0;
        else
            code = errno;
    }
    if (stopped && code == 0)
        code = EINTR;
    if (step != STEP_OFF)
        exit_describe_vcpu(vcpu->fd, vcpu->run, code, text);
    return step == STEP_OFF;
}
