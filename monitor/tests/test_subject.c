/* What runs where: the image and the back end that options mean, and what a back end can. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "make_image.h"
#include "plan.h"
#include "scratch.h"
#include "subject.h"

static char *arm, *x86; /* paths of images */

static char *write_image(const char *dir, const char *name, uint16_t machine, uint32_t arch)
{
    struct made_image made = make_image();
    char *path = g_build_filename(dir, name, NULL);
    made.elf.e_machine = machine;
    made.header.arch = arch;
    assert_true(g_file_set_contents(path, (const char *)&made, sizeof made, NULL));
    return path;
}

static int write_images(void **state)
{
    make_scratch(state);
    arm = write_image(*state, "arm.elf", EM_ARM, FL_ARCH_ARMV7);
    x86 = write_image(*state, "x86.elf", EM_X86_64, FL_ARCH_X86_64);
    return 0;
}

static int remove_images(void **state)
{
    unlink(arm);
    unlink(x86);
    g_free(arm);
    g_free(x86);
    return remove_scratch(state);
}

static void what_is_given_chooses_the_other(void **state)
{
    (void)state;
    const struct {
        char *guest, *backend;
        const char *chosen; /* or what the error says */
        bool right;
    } rows[] = {
        {arm, NULL, "qemu", true},
        {x86, NULL, "qemu-x86_64", true},
        {arm, (char *)"qemu", "qemu", true},
        {arm, (char *)"qemu-armv7", "qemu", true},
        {x86, (char *)"qemu-x86_64", "qemu-x86_64", true},
        {x86, (char *)"qemu", "back end qemu runs armv7 guests", false},
        {arm, (char *)"qemu-x86_64", "is one for armv7; leave out --guest or --backend", false},
        {arm, (char *)"qemu-x86", "did you mean \"qemu-x86_64\"?", false},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        const struct subject_options options = {.guest = rows[i].guest, .backend = rows[i].backend};
        struct image *image;
        const struct backend_ops *backend;
        GError *error = NULL;
        assert_int_equal(subject_choose(&options, &image, &backend, &error), rows[i].right);
        if (rows[i].right) {
            assert_string_equal(backend->id, rows[i].chosen);
        } else {
            if (strstr(error->message, rows[i].chosen) == NULL)
                fail_msg("\"%s\" does not say \"%s\"", error->message, rows[i].chosen);
            g_error_free(error);
        }
        image_close(image);
    }
}

static void every_image_has_a_back_end(void **state)
{
    (void)state;
    for (size_t i = 0; backends[i] != NULL; i++) {
        assert_ptr_equal(backend_find(backends[i]->id), backends[i]);
        assert_non_null(backend_for(backends[i]->arch));
    }
    assert_null(backend_find("nowhere"));
    assert_null(backend_for("m68k"));
}

static void accesses_are_told_by_one_that_can(void **state)
{
    (void)state;
    const struct backend_ops able = {
        .id = "able", .arch = "m68k", .capabilities = BACKEND_ACCESSES};
    const struct backend_ops unable = {.id = "unable", .arch = "x86_64"};
    const struct backend_ops alone = {.id = "alone", .arch = "m68k"};
    assert_ptr_equal(backend_telling(&able), &able);
    assert_string_equal(backend_telling(&unable)->id, "qemu-x86_64");
    assert_null(backend_telling(&alone));
}

static void plans_beyond_a_back_end_are_refused(void **state)
{
    (void)state;
    static const struct backend_ops none = {.id = "poor", .arch = "armv7"};
    static const struct backend_ops all = {
        .id = "rich", .arch = "armv7", .capabilities = BACKEND_INSN | BACKEND_ONLINE};
    static const struct {
        uint32_t k;
        uint8_t mode;
        const char *lacks; /* NULL: nothing */
    } rows[] = {
        {0, FL_MODE_POSTED, NULL},
        {1, FL_MODE_POSTED, "back end poor cannot preempt between instructions"},
        {0, FL_MODE_ONLINE, "back end poor cannot decide online"},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        GError *error = NULL;
        const struct subject poor = {.backend = &none}, rich = {.backend = &all};
        const struct fl_plan plan = {.mode = rows[i].mode,
                                     .n_preemptions = 1,
                                     .preemptions = {{FL_PATH_DOMAIN(0), 1, rows[i].k, 0}}};
        assert_true(subject_takes(&rich, &plan, NULL));
        assert_int_equal(subject_takes(&poor, &plan, &error), rows[i].lacks == NULL);
        if (rows[i].lacks != NULL)
            assert_non_null(strstr(error->message, rows[i].lacks));
        g_clear_error(&error);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_given_chooses_the_other),
        cmocka_unit_test(every_image_has_a_back_end),
        cmocka_unit_test(accesses_are_told_by_one_that_can),
        cmocka_unit_test(plans_beyond_a_back_end_are_refused),
    };
    return cmocka_run_group_tests(tests, write_images, remove_images);
}
