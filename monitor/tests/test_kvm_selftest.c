/* The self-test of a KVM: from the results of its guests to what is said, and for real, whatever
 * this host has. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "backend/kvm/selftest.h"
#include "backend/kvm/vcpu.h"

#define INSTEAD "; use --backend qemu-x86_64, or kvm-nested"

struct row {
    enum probe_id wrong[6]; /* ends with PROBE_DEVICE */
    bool able;
    const char *text, *limits;
};

static void says_what_follows_from_the_results(void **state)
{
    (void)state;
    static const struct row rows[] = {
        {{0}, true, "this KVM can carry the rig", ""},
        {{PROBE_BREAKPOINT, PROBE_INT3}, /* KVM on an emulated SVM */
         true,
         "this KVM can carry the rig",
         "break- and watchpoints are found by stepping, breakpoints in code are found by stepping"},
        {{PROBE_RING3, PROBE_SYSCALL},
         false,
         "this KVM cannot carry the rig: a guest cannot run ring 3, `syscall` from ring 3 is not "
         "delivered" INSTEAD,
         ""},
        {{PROBE_TRAP_FLAG, PROBE_SINGLE_STEP},
         false,
         "this KVM cannot carry the rig: preemptions with k >= 1 do not come where they "
         "should" INSTEAD,
         "no steps by a debugger of the host"},
        {{PROBE_FEATURES},
         false,
         "this KVM cannot carry the rig: its processor lacks features" INSTEAD,
         ""},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct probe_result results[N_PROBES];
        struct verdict verdict;
        for (unsigned p = 0; p < N_PROBES; p++)
            results[p] = (struct probe_result){.state = PROBE_OK};
        for (unsigned w = 0; rows[i].wrong[w] != PROBE_DEVICE; w++)
            results[rows[i].wrong[w]].state = PROBE_WRONG;
        selftest_judge(results, &verdict);
        assert_string_equal(verdict.text, rows[i].text);
        assert_string_equal(verdict.limits, rows[i].limits);
        assert_int_equal(verdict.able, rows[i].able);
    }
}

static void every_needed_probe_is_enough_to_say_no(void **state)
{
    (void)state;
    unsigned needed = 0;
    for (unsigned p = 0; p < N_PROBES; p++) {
        struct probe_result results[N_PROBES];
        struct verdict verdict;
        for (unsigned i = 0; i < N_PROBES; i++)
            results[i] = (struct probe_result){.state = i == p ? PROBE_NOT_RUN : PROBE_OK};
        selftest_judge(results, &verdict);
        needed += !verdict.able;
        assert_true(!verdict.able || verdict.limits[0] != '\0');
        assert_non_null(selftest_name(p));
    }
    assert_int_equal(needed, N_PROBES - 4); /* what only a debugger of the host would use */
}

static void a_kvm_that_can_do_nothing_is_told_in_full(void **state)
{
    (void)state;
    struct probe_result results[N_PROBES] = {[PROBE_DEVICE] = {.state = PROBE_OK}};
    struct verdict verdict;
    selftest_judge(results, &verdict);
    assert_false(verdict.able);
    assert_non_null(strstr(verdict.text, INSTEAD)); /* not cut off */
    assert_non_null(strstr(verdict.limits, "no log of written pages"));
}

static void a_device_that_cannot_be_opened_is_told_alone(void **state)
{
    (void)state;
    static const struct {
        int code;
        const char *text;
    } rows[] = {
        {ENOENT, "there is no /dev/kvm: load the module kvm_intel or kvm_amd, or allow it in the "
                 "machine's firmware; or use --backend qemu-x86_64, or kvm-nested"},
        {EACCES, "no permission to use /dev/kvm: add yourself to its group (usermod -aG kvm NAME) "
                 "and log in anew; in a container: --device /dev/kvm; or use --backend "
                 "qemu-x86_64, or kvm-nested"},
        {EMFILE, "/dev/kvm cannot be opened: Too many open files; or use --backend qemu-x86_64, or "
                 "kvm-nested"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct probe_result results[N_PROBES] = {[PROBE_DEVICE] = {.state = PROBE_WRONG}};
        struct verdict verdict;
        kvm_explain(rows[i].code, &results[PROBE_DEVICE].what);
        selftest_judge(results, &verdict);
        assert_false(verdict.able);
        assert_string_equal(verdict.text, rows[i].text);
        assert_string_equal(verdict.limits, "");
    }
}

/* Whatever this host has, every probe that ran says why it is wrong, and nothing else is said. */
static void tells_of_this_host(void **state)
{
    (void)state;
    struct probe_result results[N_PROBES];
    struct verdict verdict;
    selftest_run(results);
    selftest_judge(results, &verdict);
    for (unsigned i = 0; i < N_PROBES; i++) {
        print_message("%s: %s\n", selftest_name(i), results[i].what.text);
        assert_int_equal(results[i].state == PROBE_WRONG, results[i].what.text[0] != '\0');
        assert_true(results[PROBE_DEVICE].state != PROBE_OK || results[i].state != PROBE_NOT_RUN);
    }
    print_message("%s\n", verdict.text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(says_what_follows_from_the_results),
        cmocka_unit_test(every_needed_probe_is_enough_to_say_no),
        cmocka_unit_test(a_kvm_that_can_do_nothing_is_told_in_full),
        cmocka_unit_test(a_device_that_cannot_be_opened_is_told_alone),
        cmocka_unit_test(tells_of_this_host),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
