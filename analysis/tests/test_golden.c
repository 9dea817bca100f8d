/* The golden traces in traces/golden: what is on disk is read and judged, must come out as
 * verdict.json says, and must be what the stories tell today.
 *
 *     test_golden --write traces/golden     makes them anew (the directory must not be there)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "check.h"
#include "golden_disk.h"
#include "trace.h"
#include "verdict_json.h"

#define ROOT "traces/golden"

static struct engine *engine;
static struct trace_manifest manifest;

static const char *const verdict_names[] = {
    [GOLDEN_CLEAN] = "clean",
    [GOLDEN_VIOLATION] = "violation",
    [GOLDEN_INCONCLUSIVE] = "inconclusive",
    [GOLDEN_UNREADABLE] = "unreadable",
};

static const struct verdict *read_events(struct ctf_reader *reader)
{
    const struct ctf_damage *damage = ctf_reader_damage(reader);
    const struct fl_scenario *scenario = &manifest.scenario_copy;
    unsigned variant =
        strcmp(manifest.variant, scenario->variants[STORY_HALTS].id) ? STORY_PLAIN : STORY_HALTS;
    const struct fl_packet *packet;
    size_t n_events;

    engine_begin(engine, scenario, variant);
    while (ctf_reader_packet(reader, &packet, &n_events))
        engine_events(engine, packet->events, n_events);
    if (damage->reason[0] || damage->discarded)
        engine_damage(engine, damage->reason[0] ? damage->reason : "events were lost");
    return engine_end(engine, FL_OUTCOME_NONE);
}

/* What the trace in `dir` comes to, as verdict.json holds it. A new reference. */
static json_t *judge(const char *dir)
{
    g_autoptr(GError) error = NULL;
    struct ctf_reader *reader = ctf_reader_open(dir, &error);

    if (!reader) {
        assert_null(strchr(error->message, '\n'));
        return json_pack("{s:s}", "verdict", verdict_names[GOLDEN_UNREADABLE]);
    }
    if (!manifest_read(dir, &manifest, &error))
        fail_msg("%s", error->message);
    json_t *json = verdict_to_json(read_events(reader));
    ctf_reader_close(reader);
    return json;
}

/* The id of the check whose violation is the earliest, ties by id; NULL: none is violated. */
static const char *first_violated(const json_t *verdict)
{
    const char *first = NULL;
    json_int_t earliest = 0;
    size_t i;
    json_t *check;

    json_array_foreach(json_object_get(verdict, "checks"), i, check)
    {
        json_t *event = json_object_get(check, "event");
        if (json_is_integer(event) && (!first || json_integer_value(event) < earliest)) {
            first = json_string_value(json_object_get(check, "id"));
            earliest = json_integer_value(event);
        }
    }
    return first;
}

/* Wordings may change; what was found, where, and the hash may not. */
static void forget_words(json_t *verdict)
{
    size_t i;
    json_t *check;

    json_object_del(verdict, "reason");
    json_array_foreach(json_object_get(verdict, "checks"), i, check)
    {
        json_object_del(check, "message");
    }
}

static void expect(const char *dir, json_t *verdict, enum golden_verdict kind, const char *check)
{
    const char *name = json_string_value(json_object_get(verdict, "verdict"));
    const char *violated = first_violated(verdict);

    if (strcmp(name, verdict_names[kind]))
        fail_msg("%s is %s, not %s", dir, name, verdict_names[kind]);
    if (g_strcmp0(violated, check))
        fail_msg("%s violates %s, not %s", dir, violated, check);
}

static bool same_file(const char *a, const char *b, const char *name)
{
    g_autofree char *path_a = g_build_filename(a, name, NULL);
    g_autofree char *path_b = g_build_filename(b, name, NULL);
    g_autofree char *text_a = NULL, *text_b = NULL;
    gsize length_a, length_b;

    return g_file_get_contents(path_a, &text_a, &length_a, NULL) &&
           g_file_get_contents(path_b, &text_b, &length_b, NULL) && length_a == length_b &&
           memcmp(text_a, text_b, length_a) == 0;
}

static void remove_trace(const char *dir)
{
    static const char *const files[] = {"ctf/metadata", "ctf/events",    "ctf/.sums",
                                        "ctf",          "manifest.json", ""};

    for (unsigned i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(dir, files[i], NULL);
        assert_int_equal(remove(path), 0);
    }
}

/* One golden trace: `tell` wrote it anew into `fresh`. */
static void check_golden(const char *dir, const char *fresh, enum golden_verdict kind,
                         const char *check)
{
    g_autofree char *path = g_build_filename(dir, "verdict.json", NULL);
    json_t *expected = json_load_file(path, 0, NULL);
    json_t *verdict = judge(dir);

    if (!expected)
        fail_msg("%s cannot be read", path);
    expect(dir, verdict, kind, check);
    forget_words(expected);
    forget_words(verdict);
    if (!json_equal(expected, verdict))
        fail_msg("%s: the verdict differs from verdict.json", dir);
    if (!same_file(dir, fresh, "ctf/events") || !same_file(dir, fresh, "manifest.json"))
        fail_msg("%s is not what its story tells: make the golden traces anew", dir);
    json_decref(expected);
    json_decref(verdict);
}

static void write_or_fail(bool written, GError *error)
{
    if (!written)
        fail_msg("%s", error->message);
}

static unsigned check_table(const struct golden *table, const char *folder,
                            enum golden_verdict kind)
{
    static struct story story;
    unsigned count = 0;
    g_autofree char *fresh = g_dir_make_tmp("golden-XXXXXX", NULL);

    for (const struct golden *golden = table; golden->name; golden++, count++) {
        g_autofree char *dir = g_build_filename(ROOT, folder, golden->name, NULL);
        GError *error = NULL;
        golden->tell(&story);
        write_or_fail(golden_write(fresh, &story, golden->variant, 0, &error), error);
        check_golden(dir, fresh, kind, kind == GOLDEN_VIOLATION ? golden->check : NULL);
        remove_trace(fresh);
    }
    return count;
}

/* Nothing lies in a folder that no story tells. */
static void expect_entries(const char *folder, unsigned count)
{
    g_autofree char *path = g_build_filename(ROOT, folder, NULL);
    GDir *dir = g_dir_open(path, 0, NULL);

    assert_non_null(dir);
    while (g_dir_read_name(dir))
        count--;
    g_dir_close(dir);
    assert_int_equal(count, 0);
}

static void succeed(void **unused)
{
    (void)unused;
    expect_entries("succeed", check_table(golden_clean, "succeed", GOLDEN_CLEAN));
}

static void fail_traces(void **unused)
{
    (void)unused;
    expect_entries("fail", check_table(golden_violating, "fail", GOLDEN_VIOLATION) +
                               check_table(golden_vm_violating, "fail", GOLDEN_VIOLATION) +
                               check_table(golden_waits_violating, "fail", GOLDEN_VIOLATION) +
                               check_table(golden_own_violating, "fail", GOLDEN_VIOLATION) +
                               check_table(golden_suspend_violating, "fail", GOLDEN_VIOLATION) +
                               check_table(golden_refused_violating, "fail", GOLDEN_VIOLATION));
}

static void damaged(void **unused)
{
    unsigned count = 0;
    g_autofree char *fresh = g_dir_make_tmp("golden-XXXXXX", NULL);

    (void)unused;
    for (const struct golden_damage *damage = golden_damaged; damage->name; damage++, count++) {
        g_autofree char *dir = g_build_filename(ROOT, "damaged", damage->name, NULL);
        GError *error = NULL;
        write_or_fail(golden_write_damaged(fresh, damage, &error), error);
        check_golden(dir, fresh, damage->verdict, damage->check);
        remove_trace(fresh);
    }
    expect_entries("damaged", count);
}

/* ---- --write ---- */

static bool write_verdict(const char *dir, GError **error)
{
    json_t *verdict = judge(dir);
    char *text = json_dumps(verdict, JSON_INDENT(2));
    g_autofree char *line = g_strconcat(text, "\n", NULL);
    bool done = rundir_write(dir, "verdict.json", line, error);

    free(text);
    json_decref(verdict);
    return done;
}

static bool write_table(const char *root, const struct golden *table, const char *folder,
                        GError **error)
{
    static struct story story;

    for (const struct golden *golden = table; golden->name; golden++) {
        g_autofree char *dir = g_build_filename(root, folder, golden->name, NULL);
        golden->tell(&story);
        if (!golden_write(dir, &story, golden->variant, 0, error) || !write_verdict(dir, error))
            return false;
    }
    return true;
}

static bool write_all(const char *root, GError **error)
{
    if (!write_table(root, golden_clean, "succeed", error) ||
        !write_table(root, golden_violating, "fail", error) ||
        !write_table(root, golden_vm_violating, "fail", error) ||
        !write_table(root, golden_waits_violating, "fail", error) ||
        !write_table(root, golden_own_violating, "fail", error) ||
        !write_table(root, golden_suspend_violating, "fail", error) ||
        !write_table(root, golden_refused_violating, "fail", error))
        return false;
    for (const struct golden_damage *damage = golden_damaged; damage->name; damage++) {
        g_autofree char *dir = g_build_filename(root, "damaged", damage->name, NULL);
        if (!golden_write_damaged(dir, damage, error) || !write_verdict(dir, error))
            return false;
    }
    return true;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(succeed), cmocka_unit_test(fail_traces),
                                       cmocka_unit_test(damaged)};
    GError *error = NULL;
    int failed = 0;

    engine = engine_new();
    if (argc == 3 && !strcmp(argv[1], "--write")) {
        if (!write_all(argv[2], &error)) {
            fprintf(stderr, "test_golden: %s\n", error->message);
            failed = 2;
        }
    } else {
        failed = cmocka_run_group_tests(tests, NULL, NULL);
    }
    engine_free(engine);
    return failed;
}
