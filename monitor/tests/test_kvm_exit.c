/* The VMM: what is said of an exit, what a guest's processor is told to be, its timer. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "backend/kvm/cpuid.h"
#include "backend/kvm/exit.h"
#include "backend/kvm/lapic.h"

#define PLACE "; rip 1000 rsp 2000 flags 10246 cr2 40000000 cr3 3000"

static void tells_each_exit_by_name(void **state)
{
    (void)state;
    static const struct {
        struct kvm_run run;
        const char *text;
    } rows[] = {
        {{.exit_reason = KVM_EXIT_SHUTDOWN}, "shutdown (triple fault)" PLACE},
        {{.exit_reason = KVM_EXIT_HLT}, "halted with nothing to wake it" PLACE},
        {{.exit_reason = KVM_EXIT_IO,
          .io = {.direction = KVM_EXIT_IO_OUT, .size = 1, .port = 0x80}},
         "a port that is not there: write to 0x80, 1 bytes" PLACE},
        {{.exit_reason = KVM_EXIT_IO, .io = {.direction = KVM_EXIT_IO_IN, .size = 4, .port = 0xf4}},
         "a port that is not there: read of 0xf4, 4 bytes" PLACE},
        {{.exit_reason = KVM_EXIT_MMIO, .mmio = {.phys_addr = 0xfec00000, .len = 4, .is_write = 1}},
         "memory that is not there: write to 0xfec00000, 4 bytes" PLACE},
        {{.exit_reason = KVM_EXIT_INTERNAL_ERROR,
          .internal = {.suberror = KVM_INTERNAL_ERROR_EMULATION}},
         "KVM gave up: an instruction that it cannot emulate (1)" PLACE},
        {{.exit_reason = KVM_EXIT_INTERNAL_ERROR, .internal = {.suberror = 66584833}},
         "KVM gave up: for a reason unknown (66584833)" PLACE},
        {{.exit_reason = KVM_EXIT_FAIL_ENTRY,
          .fail_entry = {.hardware_entry_failure_reason = 0x80000021}},
         "the processor refused the guest's state: 0x80000021" PLACE},
        {{.exit_reason = KVM_EXIT_UNKNOWN, .hw = {.hardware_exit_reason = 7}},
         "an exit that the host does not know: 0x7" PLACE},
        {{.exit_reason = KVM_EXIT_EXCEPTION, .ex = {.exception = 18, .error_code = 2}},
         "an exception that the host took: vector 18, error 0x2" PLACE},
        {{.exit_reason = KVM_EXIT_S390_TSCH}, "exit reason 22" PLACE},
        {{.exit_reason = UINT32_MAX}, "exit reason 4294967295" PLACE},
    };
    const struct kvm_regs regs = {.rip = 0x1000, .rsp = 0x2000, .rflags = 0x10246};
    const struct kvm_sregs sregs = {.cr2 = 0x40000000, .cr3 = 0x3000};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char text[EXIT_TEXT];
        exit_describe(&rows[i].run, &regs, &sregs, text);
        assert_string_equal(text, rows[i].text);
    }
}

static void registers_that_are_lost_are_not_told(void **state)
{
    (void)state;
    const struct kvm_run run = {.exit_reason = KVM_EXIT_SHUTDOWN};
    const struct kvm_regs regs = {.rip = 0xfff0, .rflags = 2};
    const struct kvm_sregs sregs = {0};
    char text[EXIT_TEXT];
    exit_describe(&run, &regs, &sregs, text);
    assert_string_equal(text, "shutdown (triple fault); its registers are lost with it, on AMD");
}

static void the_longest_line_ends_in_its_room(void **state)
{
    (void)state;
    const uint64_t all = UINT64_MAX;
    const struct kvm_run run = {.exit_reason = KVM_EXIT_MMIO,
                                .mmio = {.phys_addr = all, .len = UINT32_MAX, .is_write = 1}};
    const struct kvm_regs regs = {.rip = all, .rsp = all, .rflags = all};
    const struct kvm_sregs sregs = {.cr2 = all, .cr3 = all};
    char text[EXIT_TEXT + 1];
    text[EXIT_TEXT] = '#';
    exit_describe(&run, &regs, &sregs, text);
    assert_int_equal(text[EXIT_TEXT], '#');
    assert_int_equal(strlen(text), EXIT_TEXT - 1);
    assert_non_null(strstr(text, "rip ffffffffffffffff rsp"));
}

/* ---- cpuid ---- */

static const struct kvm_cpuid_entry2 hosts[][4] = {
    {{.function = 1, .eax = 0x806f8, .ebx = 0x3020800, .ecx = 0xffffffff, .edx = 0xffffffff},
     {.function = 7, .ebx = 0xffffffff, .ecx = 0xffffffff, .edx = 0xffffffff},
     {.function = 0x80000001, .ecx = 0xffffffff, .edx = 0xffffffff},
     {.function = 0x80000008, .eax = 0x3028, .ebx = 0xffff, .ecx = 0x7007}},
    {{.function = 1, .eax = 0x60fb1, .ebx = 0x800, .edx = 0x0700a179},
     {.function = 7, .ebx = 1},
     {.function = 0x80000001, .edx = 0x20100800},
     {.function = 0x80000008, .eax = 0x3028}},
};

static void every_host_shows_the_same_processor(void **state)
{
    (void)state;
    struct kvm_cpuid_entry2 made[2][CPUID_LEAVES];
    struct complaint complaint;
    for (unsigned i = 0; i < 2; i++)
        assert_true(cpuid_make(hosts[i], 4, made[i], &complaint));
    assert_memory_equal(made[0], made[1], sizeof made[0]);
    assert_int_equal(made[0][0].eax, 7);
    char vendor[13] = "";
    memcpy(vendor, &made[0][0].ebx, 4);
    memcpy(vendor + 4, &made[0][0].edx, 4);
    memcpy(vendor + 8, &made[0][0].ecx, 4);
    assert_string_equal(vendor, "FaultlineVMM");
}

static void a_host_without_what_is_needed_is_told(void **state)
{
    (void)state;
    struct kvm_cpuid_entry2 made[CPUID_LEAVES], lacking[4];
    struct complaint complaint;
    memcpy(lacking, hosts[0], sizeof lacking);
    lacking[1].ebx &= ~1u;
    assert_false(cpuid_make(lacking, 4, made, &complaint));
    assert_string_equal(complaint.text, "this KVM lacks features that the guest needs (cpuid 0x7, "
                                        "bits 0x1 of ebx)");
    assert_int_equal(made[2].ebx, 0); /* nor does the guest see it */
    assert_false(cpuid_make(lacking, 0, made, &complaint));
}

/* ---- the timer ---- */

static void its_timer_interrupts_once(void **state)
{
    (void)state;
    struct lapic lapic = lapic_reset();
    uint64_t count = 0;
    lapic_fire(&lapic);
    assert_false(lapic_wants(&lapic)); /* masked */
    assert_true(lapic_write(&lapic, LAPIC_SVR, 0x1ff, &count));
    assert_true(lapic_write(&lapic, LAPIC_LVT_LINT0, 0x10000, &count));
    assert_true(lapic_write(&lapic, LAPIC_LVT_TIMER, 0x20, &count));
    assert_true(lapic_write(&lapic, LAPIC_DIVIDE, 0xb, &count));
    assert_int_equal(count, 0);
    assert_true(lapic_write(&lapic, LAPIC_INITIAL_COUNT, 5000, &count));
    assert_int_equal(count, 5000);
    lapic_fire(&lapic);
    assert_true(lapic_wants(&lapic));
    assert_int_equal(lapic_deliver(&lapic), 0x20);
    lapic_fire(&lapic);
    assert_false(lapic_wants(&lapic)); /* not before the guest is done with the first */
    assert_true(lapic_write(&lapic, LAPIC_EOI, 0, &count));
    assert_true(lapic_wants(&lapic));
}

static void its_clock_can_be_divided(void **state)
{
    (void)state;
    static const uint32_t rows[][2] = {{0xb, 1}, {0x0, 2}, {0x3, 16}, {0x8, 32}, {0xa, 128}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct lapic lapic = lapic_reset();
        uint64_t count = 0;
        lapic_write(&lapic, LAPIC_DIVIDE, rows[i][0], &count);
        lapic_write(&lapic, LAPIC_INITIAL_COUNT, UINT32_MAX, &count);
        assert_int_equal(count, (uint64_t)UINT32_MAX * rows[i][1]);
    }
}

static void what_it_has_not_is_refused(void **state)
{
    (void)state;
    struct lapic lapic = lapic_reset();
    uint64_t count = 0;
    assert_false(lapic_write(&lapic, 0x300, 0, &count));                 /* no other processor */
    assert_false(lapic_write(&lapic, LAPIC_LVT_TIMER, 0x20020, &count)); /* no periodic mode */
    assert_int_equal(count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tells_each_exit_by_name),
        cmocka_unit_test(registers_that_are_lost_are_not_told),
        cmocka_unit_test(the_longest_line_ends_in_its_room),
        cmocka_unit_test(every_host_shows_the_same_processor),
        cmocka_unit_test(a_host_without_what_is_needed_is_told),
        cmocka_unit_test(its_timer_interrupts_once),
        cmocka_unit_test(its_clock_can_be_divided),
        cmocka_unit_test(what_it_has_not_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
