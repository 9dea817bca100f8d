/* Which images are taken, which are refused, and in which words; and addresses as source places. */
#include <errno.h>
#include <fcntl.h>
#include <libelf.h>
#include <link.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "image.h"
#include "inlined.h"
#include "make_image.h"
#include "symbols.h"

/* Puts the bytes where image_open can find them. The file lives as long as the descriptor. */
static int put(const void *bytes, size_t size, char path[64])
{
    int file = memfd_create("image", MFD_CLOEXEC);
    assert_true(file >= 0);
    assert_int_equal(write(file, bytes, size), (ssize_t)size);
    g_snprintf(path, 64, "/proc/self/fd/%d", file);
    return file;
}

static struct image *open_bytes(const void *bytes, size_t size, GError **error)
{
    char path[64];
    int file = put(bytes, size, path);
    struct image *image = image_open(path, error);
    close(file);
    return image;
}

static void assert_refused(const void *bytes, size_t size, int code, const char *words)
{
    GError *error = NULL;
    struct image *image = open_bytes(bytes, size, &error);
    assert_null(image);
    assert_non_null(error);
    if (strstr(error->message, words) == NULL)
        fail_msg("\"%s\" does not say \"%s\"", error->message, words);
    assert_null(strchr(error->message, '\n'));
    assert_true(g_error_matches(error, IMAGE_ERROR, code));
    g_error_free(error);
}

static void refused(const struct made_image *made, int code, const char *words)
{
    assert_refused(made, sizeof *made, code, words);
}

static void takes_a_sound_image(void **state)
{
    (void)state;
    struct made_image made = make_image();
    struct image *image = open_bytes(&made, sizeof made, NULL);
    assert_non_null(image);
    assert_string_equal(image->arch, "armv7");
    assert_int_equal(image->n_scenarios, 2);
    assert_int_equal(image_scenario(image, "second"), 1);
    assert_int_equal(image_scenario(image, "third"), -1);
    assert_int_equal(scenario_variant(&image->scenarios[0], "fixed"), 1);
    assert_int_equal(scenario_variant(&image->scenarios[0], "good"), -1);

    char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)&made, sizeof made);
    assert_string_equal(image->hash, hash);
    g_free(hash);
    struct source_place place;
    assert_false(image_source(image, FL_CORE_BASE, &place));
    image_close(image);
}

static void refuses_what_cannot_be_read(void **state)
{
    (void)state;
    GError *error = NULL;
    assert_null(image_open("/nowhere/armv7.elf", &error));
    assert_true(g_error_matches(error, IMAGE_ERROR, IMAGE_ERROR_OPEN));
    assert_non_null(strstr(error->message, "No such file"));
    assert_non_null(strstr(error->message, "build it with `make`"));
    g_clear_error(&error);
    assert_null(image_open("/", &error));
    assert_true(g_error_matches(error, IMAGE_ERROR, IMAGE_ERROR_NOT_ELF));
    g_clear_error(&error);
}

static void refuses_a_file_without_permission(void **state)
{
    (void)state;
    if (geteuid() == 0)
        skip(); /* root may read everything */
    char path[] = "/tmp/faultline-test-XXXXXX";
    int file = mkstemp(path);
    GError *error = NULL;
    assert_int_equal(fchmod(file, 0), 0);
    assert_null(image_open(path, &error));
    assert_non_null(strstr(error->message, "Permission denied"));
    g_error_free(error);
    unlink(path);
    close(file);
}

static void refuses_other_files(void **state)
{
    (void)state;
    assert_refused("", 0, IMAGE_ERROR_NOT_ELF, "is no ELF file");
    assert_refused("#!/bin/sh\necho guest\n", 21, IMAGE_ERROR_NOT_ELF, "is no ELF file");
    struct made_image made = make_image();
    assert_refused(&made, sizeof made.elf + 4, IMAGE_ERROR_NOT_GUEST, "is no Faultline guest");
    strcpy(strstr(made.names + 1 + sizeof ".shstrtab", "image"), "other");
    refused(&made, IMAGE_ERROR_NOT_GUEST, "no section .faultline.image");
}

static void refuses_other_guests(void **state)
{
    (void)state;
    struct made_image made = make_image();
    made.header.magic ^= 1;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "magic 0x4c544c47 instead of 0x4c544c46");

    made = make_image();
    made.header.abi_version = FL_ABI_VERSION + 1;
    char words[80];
    g_snprintf(words, sizeof words, "has ABI version %u and this monitor has %u; rebuild it",
               FL_ABI_VERSION + 1, FL_ABI_VERSION);
    refused(&made, IMAGE_ERROR_ABI, words);

    made = make_image();
    made.elf.e_machine = EM_MIPS;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "another machine");
    made = make_image();
    made.header.arch = 77;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "architecture 77");
    made = make_image();
    made.header.shared_offset = UINT32_MAX - 1;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "sizes out of range");
}

static void refuses_damaged_tables(void **state)
{
    (void)state;
    struct made_image made = make_image();
    made.header.n_scenarios = 0;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "holds 0 scenarios");
    made.header.n_scenarios = UINT32_MAX;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "scenarios (1 to");
    made.header.n_scenarios = 3;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "where 3 scenarios need");
    made = make_image();
    made.sections[3].sh_offset = 0x7fffffff;
    refused(&made, IMAGE_ERROR_NOT_GUEST, "of 0 bytes where 2 scenarios");
    made = make_image();
    assert_refused(&made, sizeof made - 1, IMAGE_ERROR_NOT_GUEST, "where 2 scenarios");
}

static void refuses_damaged_audits(void **state)
{
    static const struct {
        size_t offset, size;
        uint32_t value;
    } damages[] = {
        {offsetof(struct fl_audit_field, id), 2, FL_AUDIT_FIELD_COUNT},
        {offsetof(struct fl_audit_field, id), 2, FL_AUDIT_FIELD_TOTAL_OBJECTS}, /* twice */
        {offsetof(struct fl_audit_field, size), 2, 0},
        {offsetof(struct fl_audit_field, size), 2, 3},
        {offsetof(struct fl_audit_field, size), 2, 16},
        {offsetof(struct fl_audit_field, offset), 4, 11},
        {offsetof(struct fl_audit_field, offset), 4, UINT32_MAX},
        {offsetof(struct fl_audit_field, stride), 4, 0},
        {offsetof(struct fl_audit_field, stride), 4, UINT32_MAX},
        {offsetof(struct fl_audit_field, count), 4, 0},
        {offsetof(struct fl_audit_field, count), 4, UINT32_MAX},
    };
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(damages); i++) {
        struct made_image made = make_image();
        memcpy((char *)&made.audit[0] + damages[i].offset, &damages[i].value, damages[i].size);
        refused(&made, IMAGE_ERROR_NOT_GUEST, "damaged table of what to audit (row ");
    }
}

static void knows_what_to_audit(void **state)
{
    (void)state;
    struct made_image made = make_image();
    struct image *image = open_bytes(&made, sizeof made, NULL);
    assert_int_equal(image->n_audit, 2);
    assert_memory_equal(image->audit, made.audit, sizeof made.audit);
    image_close(image);
    strcpy(memmem(made.names, sizeof made.names, "audit", 5), "other");
    image = open_bytes(&made, sizeof made, NULL);
    assert_int_equal(image->n_audit, 0);
    image_close(image);
}

/* One wrong field a row, in the second scenario. */
static void refuses_damaged_scenarios(void **state)
{
    (void)state;
#define FIELD(field, value, words)                                                                 \
    {                                                                                              \
        offsetof(struct fl_scenario, field), sizeof(((struct fl_scenario *)0)->field), value,      \
            words                                                                                  \
    }
    static const struct {
        size_t offset, size;
        int byte;
        const char *words;
    } rows[] = {
        FIELD(id, 'x', "a text is empty, unterminated"),
        FIELD(id, 0, "a text is empty"),
        FIELD(summary, 'x', "unterminated"),
        FIELD(source, 0xff, "not UTF-8"),
        FIELD(threads, 'x', "unterminated"),
        FIELD(n_domains, 0, "no domain"),
        FIELD(n_domains, 0xff, "a count"),
        FIELD(n_named, 0x7f, "a count"),
        FIELD(n_params, 0xff, "a count"),
        FIELD(n_variants, 0xff, "a count"),
        FIELD(domains[0].name, 'x', "name of a domain"),
        FIELD(named[0].name, 'x', "name of a thread"),
        FIELD(params[0].id, '/', "text of a parameter"),
        FIELD(params[0].summary, 'x', "text of a parameter"),
        FIELD(params[0].preset, 0xff, "preset"),
        FIELD(params[0].min, 0xff, "preset"),
        FIELD(variants[1].id, 'x', "text of a variant"),
        FIELD(variants[1].expect, 0, "text of a variant"),
        FIELD(variants[1].bound, 0xff, "number of a variant"),
        FIELD(variants[1].depth, 0xff, "number of a variant"),
        FIELD(variants[1].sees, 0xff, "number of a variant"),
        FIELD(variants[1].n_halts, 0xff, "number of a variant"),
    };
#undef FIELD
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct made_image made = make_image();
        memset((char *)&made.scenarios[1] + rows[i].offset, rows[i].byte, rows[i].size);
        refused(&made, IMAGE_ERROR_NOT_GUEST, rows[i].words);
        refused(&made, IMAGE_ERROR_NOT_GUEST, "(number 2)");
    }
    struct made_image made = make_image();
    made.scenarios[1] = made.scenarios[0];
    refused(&made, IMAGE_ERROR_NOT_GUEST, "an earlier one has the same id");
    strcpy(made.scenarios[1].id, "../up");
    refused(&made, IMAGE_ERROR_NOT_GUEST, "a text is empty");
    made = make_image();
    made.scenarios[0].variants[1] = made.scenarios[0].variants[0];
    refused(&made, IMAGE_ERROR_NOT_GUEST, "two variants have one id");
}

/* 3,000 images with up to 8 bytes changed, the same ones every time: taken or refused, no crash. */
static void survives_any_damage(void **state)
{
    (void)state;
    GRand *dice = g_rand_new_with_seed(2);
    const size_t head = offsetof(struct made_image, scenarios);
    unsigned taken = 0, turned_down = 0;
    for (unsigned i = 0; i < 3000; i++) {
        struct made_image made = make_image();
        for (int n = g_rand_int_range(dice, 1, 9); n > 0; n--) {
            size_t range = g_rand_boolean(dice) ? head : sizeof made;
            size_t at = (size_t)g_rand_int_range(dice, 0, (gint32)range);
            ((uint8_t *)&made)[at] = (uint8_t)g_rand_int(dice);
        }
        size_t size = sizeof made;
        if (i % 8 == 0)
            size = (size_t)g_rand_int_range(dice, 0, (gint32)size);
        GError *error = NULL;
        struct image *image = open_bytes(&made, size, &error);
        assert_true((image != NULL) != (error != NULL));
        image != NULL ? taken++ : turned_down++;
        g_clear_error(&error);
        image_close(image);
    }
    g_rand_free(dice);
    assert_true(taken > 100 && turned_down > 100);
}

/* ---- places, asked of this very program ---- */

static int first_object(struct dl_phdr_info *info, size_t size, void *bias)
{
    (void)size;
    *(uintptr_t *)bias = info->dlpi_addr;
    return 1;
}

static struct image_debug *own_debug(Elf **elf, uintptr_t *bias)
{
    int file = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
    elf_version(EV_CURRENT);
    *elf = elf_begin(file, ELF_C_READ_MMAP, NULL);
    assert_int_equal(elf_cntl(*elf, ELF_C_FDREAD), 0);
    close(file);
    dl_iterate_phdr(first_object, bias);
    return image_debug_new(*elf);
}

static __attribute__((noinline)) uint64_t caller(void)
{
    return inlined_address();
}
static const unsigned caller_line = __LINE__ - 2;

static void skips_frames_in_headers(void **state)
{
    (void)state;
    Elf *elf;
    uintptr_t bias;
    struct image_debug *debug = own_debug(&elf, &bias);
    struct source_place place = {0};
    uint64_t pc = caller();
    for (int again = 0; again < 2; again++) {
        assert_true(image_debug_source(debug, pc - bias, &place));
        assert_string_equal(place.function, "caller");
        assert_string_equal(place.file, "monitor/tests/test_image.c");
        assert_int_equal(place.line, caller_line);
    }
    assert_false(image_debug_source(debug, 1, &place));
    image_debug_free(debug);
    elf_end(elf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_a_sound_image),
        cmocka_unit_test(refuses_what_cannot_be_read),
        cmocka_unit_test(refuses_a_file_without_permission),
        cmocka_unit_test(refuses_other_files),
        cmocka_unit_test(refuses_other_guests),
        cmocka_unit_test(refuses_damaged_tables),
        cmocka_unit_test(refuses_damaged_scenarios),
        cmocka_unit_test(refuses_damaged_audits),
        cmocka_unit_test(knows_what_to_audit),
        cmocka_unit_test(survives_any_damage),
        cmocka_unit_test(skips_frames_in_headers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
