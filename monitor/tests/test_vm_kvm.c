/* Guests on KVM whose memory is ruined under them: each is a result that says where the processor
 * stood, and the next run is a sound one. On this host's KVM where that can carry the rig, else on
 * the nested one. */
#include <glob.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "backend/kvm.h"
#include "backend/kvm_nested.h"
#include "plan.h"
#include "scratch.h"
#include "session.h"

#define PATIENCE_MS   120000
#define SHUTDOWN      "shutdown (triple fault); "
#define KERNEL_OFFSET 0xffffffff80000000u
#define IMAGE_BASE    0x100000u
#define IMAGE_END     0x400000u /* where frames begin */

static const struct backend_ops *lane;
static struct image *image;
static char *scratch;

static struct run run_once(struct session *session, const char *scenario, const char *variant)
{
    GError *error = NULL;
    struct run run;
    struct fl_plan plan;
    int index = image_scenario(image, scenario);
    assert_true(index >= 0);
    const struct fl_scenario *of = &image->scenarios[index];
    plan_init(&plan, of, (unsigned)index, (unsigned)scenario_variant(of, variant));
    session_post(session, &plan);
    if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
        fail_msg("no run: %s", error != NULL ? error->message : "the guest does not answer");
    session_release(session);
    return run;
}

/* Fills that much of guest RAM with a byte, or with bytes drawn. */
static void ruin(uint32_t from, uint32_t size, int byte)
{
    glob_t found;
    g_autofree char *pattern = g_strdup_printf("%s/*/*/ram", scratch);
    assert_int_equal(glob(pattern, 0, NULL, &found), 0);
    assert_int_equal(found.gl_pathc, 1);
    g_autoptr(GRand) rand = g_rand_new_with_seed(1);
    g_autofree uint8_t *bytes = g_malloc(size);
    for (uint32_t i = 0; i < size; i++)
        bytes[i] = byte >= 0 ? (uint8_t)byte : (uint8_t)g_rand_int(rand);
    FILE *ram = fopen(found.gl_pathv[0], "r+b");
    assert_non_null(ram);
    assert_int_equal(fseek(ram, from, SEEK_SET), 0);
    assert_int_equal(fwrite(bytes, 1, size, ram), size);
    fclose(ram);
    globfree(&found);
}

static uint32_t physical(const char *symbol)
{
    uint64_t address;
    assert_true(image_symbol(image, symbol, &address));
    return (uint32_t)(address - KERNEL_OFFSET);
}

/* An idle guest is ruined, and then given a run. Not by its code alone: the TCG that carries nested
 * KVM does not see that somebody else writes to it. */
static void whatever_is_left_of_a_guest_is_a_result(void **state)
{
    scratch = *state;
    const struct {
        const char *what;
        uint32_t from, size;
        int byte;          /* -1: drawn */
        const char *death; /* how it begins; NULL: any */
    } rows[] = {
        {"no image", IMAGE_BASE, IMAGE_END - IMAGE_BASE, 0, SHUTDOWN},
        {"no kernel half of its address spaces", physical("kernel_upper"), FL_PAGE_SIZE, 0,
         SHUTDOWN},
        {"no gates", physical("__bss_start"), FL_PAGE_SIZE, 0, SHUTDOWN},
        {"garbage for page tables", physical("kernel_upper"), FL_PAGE_SIZE, 0xff, NULL},
        {"garbage for an image", IMAGE_BASE, IMAGE_END - IMAGE_BASE, -1, NULL},
    };
    GError *error = NULL;
    struct session_options options = {.backend = lane, .image = image, .watchdog = 3};
    struct session *session = session_open(&options, &error);
    if (session == NULL)
        fail_msg("%s", error->message);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct run run = run_once(session, "smoke", "plain");
        assert_int_equal(run.result.outcome, FL_OUTCOME_EXITED);
        ruin(rows[i].from, rows[i].size, rows[i].byte);
        run = run_once(session, "smoke", "plain");
        print_message("%s: outcome %u, %s\n", rows[i].what, run.result.outcome, run.death);
        assert_int_not_equal(run.result.outcome, FL_OUTCOME_EXITED);
        assert_true(rows[i].death == NULL || g_str_has_prefix(run.death, rows[i].death));
    }
    assert_int_equal(run_once(session, "smoke", "plain").result.outcome, FL_OUTCOME_EXITED);
    session_close(session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(whatever_is_left_of_a_guest_is_a_result, make_scratch,
                                        remove_scratch),
    };
    char reason[600];
    lane = backend_kvm.probe(reason, sizeof reason) ? &backend_kvm : &backend_kvm_nested;
    if (!lane->probe(reason, sizeof reason)) {
        puts(reason);
        return 77;
    }
    printf("lane: %s\n", lane->id);
    image = image_open("build/guest/x86_64.elf", NULL);
    int failed = image != NULL ? cmocka_run_group_tests(tests, NULL, NULL) : 1;
    image_close(image);
    return failed;
}
