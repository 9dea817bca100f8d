/* The VMM's loop with guests of a few bytes: each way in which one ends, and the timer. Any KVM
 * that can be opened does, for they stay in 32-bit mode and ring 0. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>
#include <cmocka.h>
#include "backend/kvm/cpuid.h"
#include "backend/kvm/guest_run.h"
#include "backend/kvm/selftest.h"
#include "backend/kvm/vcpu.h"

#define RAM_SIZE 0x10000u
#define ENTRY    0x1000u
#define HANDLER  0x2000u
#define VECTOR   0x20u

/* After a processor's reset both tables lie at address 0: entry 1 of the GDT is the code segment.
 */
#define GDT_CODE 0x08u
#define GATE     0x8e00u

#define POWER_OFF 0x31, 0xc0, 0xe7, 0xf4 /* xor %eax, %eax; out %eax, $0xf4 */
#define APIC_WRITE(offset, value)                                                                  \
    0xc7, 0x05, (offset)&0xff, (offset) >> 8, 0xe0, 0xfe, (value)&0xff, ((value) >> 8) & 0xff,     \
        ((value) >> 16) & 0xff, 0     /* movl $value, 0xfee00000 + offset */
#define SET_STACK 0xbc, 0, 0x80, 0, 0 /* mov $0x8000, %esp */
#define SET_TIMER(ns)                                                                              \
    APIC_WRITE(0xf0, 0x1ff), APIC_WRITE(0x320, VECTOR), APIC_WRITE(0x3e0, 0xb),                    \
        APIC_WRITE(0x380, ns)

struct row {
    const char *what;
    uint8_t code[64];
    const char *end; /* NULL: powered off */
};

static const struct row rows[] = {
    {"powers off", {POWER_OFF}, NULL},
    {"writes 1 to the port of the end",
     {0xb8, 1, 0, 0, 0, 0xe7, 0xf4},
     "a port that is not there: write to 0xf4, 4 bytes; rip 10"},
    {"writes a byte there", {0xe6, 0xf4}, "a port that is not there: write to 0xf4, 1 bytes; rip"},
    {"reads a port", {0xe5, 0x80}, "a port that is not there: read of 0x80, 4 bytes; rip 10"},
    {"halts", {0xf4}, "halted with nothing to wake it; rip 100"},
    {"writes beyond RAM",
     {0xa3, 0, 0, 0xc0, 0xfe},
     "memory that is not there: write to 0xfec00000, 4 bytes; rip 10"},
    {"reads the timer's count",
     {0xa1, 0x90, 0x03, 0xe0, 0xfe},
     "memory that is not there: read of 0xfee00390, 4 bytes; rip 10"},
    {"wants a timer that repeats",
     {APIC_WRITE(0x320, 0x20000 + VECTOR)},
     "memory that is not there: write to 0xfee00320, 4 bytes; rip 10"},
    {"has no gate for its exception", {0x0f, 0x0b}, "shutdown (triple fault); rip "},
    {"loops", {0xeb, 0xfe}, "stopped by a signal; rip 1000 rsp "},
    {"is interrupted in a loop", {SET_STACK, SET_TIMER(1000000), 0xfb, 0xeb, 0xfe}, NULL},
    {"takes no interrupt in a loop",
     {SET_TIMER(1000000), 0xeb, 0xfe},
     "stopped by a signal; rip 1028 rsp "},
};

static uint8_t *ram;

static void lay_out(const struct row *row)
{
    const uint64_t code_segment = 0x00cf9b000000ffff;
    const uint64_t gate = HANDLER | GDT_CODE << 16 | (uint64_t)GATE << 32;
    const uint8_t handler[] = {POWER_OFF};
    memset(ram, 0, RAM_SIZE);
    memcpy(ram + GDT_CODE, &code_segment, sizeof code_segment);
    memcpy(ram + VECTOR * 8, &gate, sizeof gate);
    memcpy(ram + ENTRY, row->code, sizeof row->code);
    memcpy(ram + HANDLER, handler, sizeof handler);
}

/* SIGTERM after that time, which no guest needs that ends by itself. */
static timer_t set_alarm(void)
{
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGTERM};
    const struct itimerspec when = {.it_value = {.tv_sec = 1}};
    timer_t timer;
    assert_int_equal(timer_create(CLOCK_MONOTONIC, &event, &timer), 0);
    assert_int_equal(timer_settime(timer, 0, &when, NULL), 0);
    return timer;
}

static void ends_as_it_should(int kvm, const struct row *row)
{
    struct vcpu vcpu;
    struct complaint complaint = {""};
    char text[EXIT_TEXT] = "";
    lay_out(row);
    assert_true(vcpu_open(&vcpu, kvm, ram, RAM_SIZE, &complaint));
    cpuid_set(kvm, vcpu.fd, &complaint); /* these guests need none of what may be missing */
    assert_true(vcpu_enter_protected(&vcpu, ENTRY, &complaint));
    timer_t timer = set_alarm();
    bool off = guest_run(&vcpu, text);
    timer_delete(timer);
    vcpu_close(&vcpu);
    print_message("%s: %s\n", row->what, off ? "powered off" : text);
    assert_int_equal(off, row->end == NULL);
    assert_true(off || strncmp(text, row->end, strlen(row->end)) == 0);
}

static void every_end_is_told(void **state)
{
    struct complaint complaint;
    (void)state;
    int kvm = kvm_open(&complaint);
    assert_true(kvm >= 0);
    ram = mmap(NULL, RAM_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_true(ram != MAP_FAILED);
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        ends_as_it_should(kvm, &rows[i]);
    munmap(ram, RAM_SIZE);
    close(kvm);
}

/* What these guests need of a KVM; one that cannot is the self-test's to tell. */
static bool can_run(void)
{
    static const enum probe_id needed[] = {PROBE_DEVICE, PROBE_PORT,     PROBE_KICK,
                                           PROBE_APIC,   PROBE_SHUTDOWN, PROBE_INTERRUPT};
    struct probe_result results[N_PROBES];
    selftest_run(results);
    for (size_t i = 0; i < sizeof needed / sizeof needed[0]; i++) {
        if (results[needed[i]].state == PROBE_OK)
            continue;
        printf("%s: %s\n", selftest_name(needed[i]), results[needed[i]].what.text);
        return false;
    }
    return true;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_end_is_told),
    };
    return can_run() ? cmocka_run_group_tests(tests, NULL, NULL) : 77;
}
