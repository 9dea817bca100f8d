/* manifest.json: what is written comes back, and nothing else is let in. */
#include "unit.h"
#include <jansson.h>

static int set_up(void **state)
{
    *state = sample_directory();
    return 0;
}

static int tear_down(void **state)
{
    sample_remove(*state);
    return 0;
}

static void a_manifest_comes_back_as_written(void **state)
{
    struct trace_manifest written = sample_manifest(), read;
    assert_true(manifest_write(*state, &written, NULL));
    memset(&read, 0xff, sizeof read);
    assert_true(manifest_read(*state, &read, NULL));
    assert_memory_equal(&read, &written, sizeof read);
}

static void an_unfinished_manifest_comes_back_too(void **state)
{
    struct trace_manifest written = sample_manifest(), read;
    written.n_params = 0;
    written.params[0] = 0;
    memset(written.param_ids, 0, sizeof written.param_ids);
    memset(written.event_hash, 0, sizeof written.event_hash);
    memset(written.outcome, 0, sizeof written.outcome);
    assert_true(manifest_write(*state, &written, NULL));
    assert_true(manifest_read(*state, &read, NULL));
    assert_memory_equal(&read, &written, sizeof read);
}

/* Every text at its longest, every list full. */
static void the_largest_manifest_comes_back(void **state)
{
    struct trace_manifest written = sample_manifest(), read;
    struct fl_scenario *scenario = &written.scenario_copy;
    scenario->n_domains = FL_MAX_DOMAINS;
    scenario->n_named = FL_MAX_NAMED_THREADS;
    scenario->n_params = written.n_params = FL_MAX_PARAMS;
    scenario->n_variants = FL_MAX_VARIANTS;
    memset(scenario->threads, 'x', sizeof scenario->threads - 1);
    for (uint32_t i = 0; i < FL_MAX_PARAMS; i++) {
        g_snprintf(scenario->params[i].id, sizeof scenario->params[i].id, "parameter-%u", i);
        strcpy(written.param_ids[i], scenario->params[i].id);
        scenario->params[i].max = written.params[i] = UINT32_MAX;
    }
    for (uint32_t i = 2; i < FL_MAX_VARIANTS; i++)
        scenario->variants[i] = scenario->variants[1];
    assert_true(manifest_write(*state, &written, NULL));
    assert_true(manifest_read(*state, &read, NULL));
    assert_memory_equal(&read, &written, sizeof read);
}

/* ---- What is refused. `path` leads to a value, which `value` (JSON) replaces. ---- */

static const struct {
    const char *path, *value, *message;
} refusals[] = {
    {"abi_version", "1", "recorded with ABI version 1, this program reads version 2"},
    {"abi_version", "-1", "manifest.abi_version: must be a whole number from 0 to"},
    {"abi_version", "1.0", "manifest.abi_version: must be a whole number"},
    {"scenario", "7", "manifest.scenario: must be a text"},
    {"scenario", "\"other\"", "tables.id: is 'sample', but the scenario is 'other'"},
    {"scenario", "\"0123456789012345678901234567890123456789\"", "must have less than 32 bytes"},
    {"scenario", "\"sam\\u0000ple\"", "line 2: \\u0000 is not allowed"},
    {"variant", "\"quick\"", "variant: scenario 'sample' has none named 'quick'"},
    {"image_hash", "\"12\"", "image_hash: must be a SHA-256"},
    {"event_hash", "\"0123456789ABCDEF\"", "event_hash: must be 16 hexadecimal digits"},
    {"outcome", "\"fine\"", "outcome: 'fine' is none that this program knows"},
    {"params", "[]", "params: must be an object"},
    {"params", "{\"tasks\": 1}", "params: scenario 'sample' has none named 'tasks'"},
    {"params", "{\"threads\": 5}", "params.threads: must be from 1 to 4"},
    {"params", "{\"threads\": 4294967297}", "params.threads: must be a whole number"},
    {"params", "{\"threads\": \"2\"}", "params.threads: must be a whole number"},
    {"params", "{\"threads-that-are-created\": 1}", "is too long a name"},
    {"tables", "null", "tables: must be an object"},
    {"tables.domains", "{}", "tables.domains: must be a list of 1 to 4"},
    {"tables.domains", "[]", "tables.domains: must be a list of 1 to 4"},
    {"tables.domains", "[1, 2, 3, 4, 5]", "tables.domains: must be a list of 1 to 4"},
    {"tables.domains", "[1]", "tables.domains[0]: must be an object"},
    {"tables.domains", "[{\"name\": \"x\", \"server\": 2}]",
     "tables.domains[0].server: must be a whole number from 0 to 1"},
    {"tables.named", "[{\"name\": \"t1\", \"path\": 33619968}]",
     "tables.named[0].path: must be a thread's path"},
    {"tables.variants", "[{\"id\": \"fixed\"}]", "tables.variants[0].summary: is missing"},
    {"tables.variants",
     "[{\"id\": \"x\", \"summary\": \"\", \"expect\": \"\", \"depth\": \"deep\"}]",
     "tables.variants[0].depth: must be a name that this program knows"},
};

static json_t *sample_json(const char *dir)
{
    struct trace_manifest manifest = sample_manifest();
    assert_true(manifest_write(dir, &manifest, NULL));
    char *path = g_build_filename(dir, "manifest.json", NULL);
    json_t *json = json_load_file(path, 0, NULL);
    assert_non_null(json);
    assert_int_equal(json_object_del(json, "sum"), 0);
    g_free(path);
    return json;
}

/* Writes the object with one value replaced by JSON text, which may be text that jansson refuses.
 */
static void write_replaced(const char *dir, json_t *json, const char *path, const char *value)
{
    char **keys = g_strsplit(path, ".", 2);
    json_t *object = keys[1] ? json_object_get(json, keys[0]) : json;
    json_object_set_new(object, keys[1] ? keys[1] : keys[0], json_string("@"));
    char *dump = json_dumps(json, JSON_INDENT(1));
    char **halves = g_strsplit(dump, "\"@\"", 2);
    char *text = g_strjoin(value, halves[0], halves[1], NULL);
    assert_true(rundir_write(dir, "manifest.json", text, NULL));
    g_free(text);
    g_strfreev(halves);
    free(dump);
    g_strfreev(keys);
}

static void wrong_values_are_refused_in_one_line(void **state)
{
    for (size_t i = 0; i < G_N_ELEMENTS(refusals); i++) {
        struct trace_manifest read;
        GError *error = NULL;
        json_t *json = sample_json(*state);
        write_replaced(*state, json, refusals[i].path, refusals[i].value);
        assert_false(manifest_read(*state, &read, &error));
        if (!g_str_has_prefix(error->message, "manifest.json: ") ||
            !strstr(error->message, refusals[i].message) || strchr(error->message, '\n'))
            fail_msg("row %zu: '%s' does not say '%s'", i, error->message, refusals[i].message);
        g_error_free(error);
        json_decref(json);
    }
}

static void every_key_is_needed(void **state)
{
    json_t *whole = sample_json(*state), *value;
    const char *key;
    json_object_foreach(whole, key, value)
    {
        struct trace_manifest read;
        GError *error = NULL;
        json_t *part = json_copy(whole);
        json_object_del(part, key);
        char *text = json_dumps(part, 0);
        assert_true(rundir_write(*state, "manifest.json", text, NULL));
        assert_false(manifest_read(*state, &read, &error));
        assert_non_null(strstr(error->message, key));
        g_error_free(error);
        free(text);
        json_decref(part);
    }
    json_decref(whole);
}

static void keys_of_later_versions_are_passed_over(void **state)
{
    struct trace_manifest read;
    json_t *json = sample_json(*state);
    write_replaced(*state, json, "hostname", "[1, 2]");
    assert_true(manifest_read(*state, &read, NULL));
    json_decref(json);
}

/* In a text, a number, or the sum itself: any bit. What still reads as the same JSON is no damage.
 */
static void no_flipped_bit_goes_unnoticed(void **state)
{
    struct trace_manifest written = sample_manifest(), read;
    char *path = g_build_filename(*state, "manifest.json", NULL), *text;
    gsize size;
    assert_true(manifest_write(*state, &written, NULL));
    assert_true(g_file_get_contents(path, &text, &size, NULL));
    for (size_t bit = 0; bit < size * 8; bit += 5) {
        text[bit / 8] ^= (char)(1 << bit % 8);
        assert_true(g_file_set_contents(path, text, (gssize)size, NULL));
        GError *error = NULL;
        if (manifest_read(*state, &read, &error))
            assert_memory_equal(&read, &written, sizeof read);
        else
            assert_null(strchr(error->message, '\n'));
        g_clear_error(&error);
        text[bit / 8] ^= (char)(1 << bit % 8);
    }
    g_free(text);
    g_free(path);
}

static void what_cannot_be_read_back_is_not_written(void **state)
{
    struct trace_manifest manifest = sample_manifest();
    GError *error = NULL;
    char *path = g_build_filename(*state, "manifest.json", NULL);
    manifest.params[0] = 9;
    assert_false(manifest_write(*state, &manifest, &error));
    assert_string_equal(error->message, "manifest.json: params.threads: must be from 1 to 4");
    g_clear_error(&error);
    manifest = sample_manifest();
    manifest.scenario_copy.domains[0].name[0] = (char)0xff;
    assert_false(manifest_write(*state, &manifest, &error));
    assert_non_null(strstr(error->message, "no UTF-8"));
    g_clear_error(&error);
    manifest = sample_manifest();
    manifest.scenario_copy.n_domains = FL_MAX_DOMAINS + 1;
    assert_false(manifest_write(*state, &manifest, &error));
    g_clear_error(&error);
    assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_free(path);
}

static void no_manifest_is_said(void **state)
{
    struct trace_manifest read;
    GError *error = NULL;
    assert_false(manifest_read(*state, &read, &error));
    assert_int_equal(error->code, TRACE_ERROR_IO);
    assert_non_null(strstr(error->message, "manifest.json"));
    assert_non_null(strstr(error->message, "No such file or directory; check the path"));
    g_error_free(error);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_manifest_comes_back_as_written),
        TEST(an_unfinished_manifest_comes_back_too),
        TEST(the_largest_manifest_comes_back),
        TEST(wrong_values_are_refused_in_one_line),
        TEST(every_key_is_needed),
        TEST(keys_of_later_versions_are_passed_over),
        TEST(no_flipped_bit_goes_unnoticed),
        TEST(what_cannot_be_read_back_is_not_written),
        TEST(no_manifest_is_said),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
