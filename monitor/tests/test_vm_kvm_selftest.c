/* The self-test on a KVM that is known to be good, but for what its processor is known to lack:
 * nested on TCG's SVM. Skipped where nobody has fetched the Linux that it needs. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include <jansson.h>
#include "nested_vmm.h"
#include "scratch.h"

static void a_good_kvm_is_told_to_be_good(void **state)
{
    /* Guest-debug breakpoints do not fire there; everything else works. */
    static const char *const lacking[] = {"breakpoint", "int3"};
    int status = -1;
    char *text = nested_vmm(*state, "--self-test --json", &status);
    const char *begin = text != NULL ? strchr(text, '{') : NULL;
    assert_non_null(begin);
    json_t *told = json_loads(begin, JSON_DISABLE_EOF_CHECK, NULL);
    assert_non_null(told);
    assert_int_equal(status, 0);
    assert_true(json_is_true(json_object_get(told, "able")));
    assert_string_equal(json_string_value(json_object_get(told, "verdict")),
                        "this KVM can carry the rig");
    size_t i;
    json_t *probe;
    json_array_foreach(json_object_get(told, "probes"), i, probe)
    {
        const char *id = json_string_value(json_object_get(probe, "id"));
        const char *what = json_string_value(json_object_get(probe, "state"));
        bool lacks = strcmp(id, lacking[0]) == 0 || strcmp(id, lacking[1]) == 0;
        print_message("%s: %s\n", id, what);
        assert_true(strcmp(what, "ok") == 0 || lacks);
    }
    assert_int_equal(i, 19);
    json_decref(told);
    g_free(text);
}

static int clean_up(void **state)
{
    nested_vmm_clean(*state);
    return remove_scratch(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_good_kvm_is_told_to_be_good, make_scratch, clean_up),
    };
    if (!g_file_test("build/nested/vmlinuz", G_FILE_TEST_EXISTS)) {
        puts("no build/nested/vmlinuz: run `make nested`");
        return 77;
    }
    return cmocka_run_group_tests(tests, NULL, NULL);
}
