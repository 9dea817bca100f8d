/* What libvirt is told of a guest, and what is found of it again by its directory. */
#include <glib/gstdio.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <cmocka.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "../backend/domain_xml.h"
#include "domain_note.h"
#include "lasting.h"
#include "scratch.h"
#include "workdir.h"

static char *const options[] = {"-cpu", "cortex-a15,pmu=off", "-icount", "shift=0,sleep=off", NULL};

static const struct spawn_machine machine = {
    .program = "qemu-system-arm",
    .arch = "armv7l",
    .machine = "virt",
    .details = "memory-backend=ram",
    .kernel = "/a&b/<k>'",
    .ram_mib = 16,
    .options = options,
};

static void passes_what_libvirt_has_no_words_for(void **state)
{
    (void)state;
    const struct domain domain = {
        .name = "one", .uuid = "u", .emulator = "/usr/bin/qemu-system-arm", .machine = &machine};
    g_autofree char *xml = domain_xml(&domain);
    const char *at = strstr(xml, "<qemu:commandline>");
    const char *const parts[] = {
        "<type arch='armv7l' machine='virt'>hvm</type>",
        "<memory unit='MiB'>16</memory>",
        "<on_reboot>destroy</on_reboot>",
        "<serial type='pty'>",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(parts); i++)
        assert_non_null(strstr(xml, parts[i]));
    assert_non_null(at);
    at = strstr(at, "<qemu:arg value='memory-backend=ram'/>");
    for (size_t i = 0; at != NULL && options[i] != NULL; i++) { /* all, in their order */
        g_autofree char *line = g_strdup_printf("<qemu:arg value='%s'/>", options[i]);
        at = strstr(at, line);
    }
    assert_non_null(at);
}

static void checked(GMarkupParseContext *context, const char *text, gsize size, void *found,
                    GError **error)
{
    (void)error;
    if (strcmp(g_markup_parse_context_get_element(context), "kernel") == 0)
        *(char **)found = g_strndup(text, size);
}

static void escapes_what_users_name(void **state)
{
    (void)state;
    static const GMarkupParser parser = {.text = checked};
    const struct domain domain = {
        .name = "<&'>", .uuid = "u", .emulator = "/bin/e", .machine = &machine};
    g_autofree char *xml = domain_xml(&domain);
    g_autofree char *kernel = NULL;
    GMarkupParseContext *context = g_markup_parse_context_new(&parser, 0, &kernel, NULL);
    assert_true(g_markup_parse_context_parse(context, xml, -1, NULL));
    assert_true(g_markup_parse_context_end_parse(context, NULL));
    assert_string_equal(kernel, machine.kernel);
    g_markup_parse_context_free(context);
}

static void note_in(const char *dir, const char *name)
{
    const struct domain_note note = {
        .uri = (char *)"qemu:///embed?root=/nowhere", .uuid = (char *)"u", .name = (char *)name};
    assert_true(domain_note_write(dir, &note, NULL));
}

static void notes_are_read_or_refused(void **state)
{
    (void)state;
    struct domain_note note;
    struct workdir *workdir = workdir_open(NULL);
    assert_false(domain_note_read(workdir_path(workdir), &note));
    note_in(workdir_path(workdir), "a guest");
    assert_true(domain_note_read(workdir_path(workdir), &note));
    assert_string_equal(note.name, "a guest");
    domain_note_free(&note);
    g_autofree char *path = g_build_filename(workdir_path(workdir), "domain", NULL);
    assert_true(g_file_set_contents(path, "[domain]\nuri=x\n", -1, NULL));
    assert_false(domain_note_read(workdir_path(workdir), &note));
    workdir_close(workdir);
}

/* One that is kept is found by its name as long as it is, and with all that lies below. */
static void what_is_kept_is_not_swept(void **state)
{
    (void)state;
    struct workdir *workdir = workdir_open(NULL);
    g_autofree char *dir = g_strdup(workdir_path(workdir));
    g_autofree char *deep = g_build_filename(dir, "libvirt", "run", NULL);
    note_in(dir, "lasting");
    assert_int_equal(g_mkdir_with_parents(deep, 0700), 0);
    assert_true(workdir_keep(workdir, "{\"name\": \"lasting\"}", NULL));
    workdir_leave(workdir);
    assert_int_equal(workdir_sweep(), 0);

    GPtrArray *entries = workdir_list();
    GPtrArray *list = lasting_list(entries);
    const struct lasting *found = lasting_find(list, "lasting");
    assert_non_null(found);
    assert_string_equal(found->entry->path, dir);
    assert_false(found->entry->owned);
    assert_null(lasting_find(list, "another"));
    g_ptr_array_unref(list);
    g_ptr_array_unref(entries);

    workdir_remove_kept(dir);
    assert_int_equal(access(dir, F_OK), -1);
}

static void what_is_left_otherwise_is(void **state)
{
    (void)state;
    struct workdir *workdir = workdir_open(NULL);
    g_autofree char *dir = g_strdup(workdir_path(workdir));
    g_autofree char *deep = g_build_filename(dir, "libvirt", "run", NULL);
    note_in(dir, "lost");
    assert_int_equal(g_mkdir_with_parents(deep, 0700), 0);
    workdir_leave(workdir);
    assert_int_equal(workdir_sweep(), 1);
    assert_int_equal(access(dir, F_OK), -1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(passes_what_libvirt_has_no_words_for),
        cmocka_unit_test(escapes_what_users_name),
        TEST(notes_are_read_or_refused),
        TEST(what_is_kept_is_not_swept),
        TEST(what_is_left_otherwise_is),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
