/* manifest.json: what was run, with the scenario's own tables, so that a trace needs no image. */
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include "disk.h"
#include "record.h"

#define FILE_NAME "manifest.json"

/* ---- Tables ---- */

#define MEMBER(record, member)                                                                     \
    .key = #member, .offset = offsetof(struct record, member),                                     \
    .size = sizeof(((struct record *)NULL)->member)
#define COUNT(record, member) .count_offset = offsetof(struct record, member)

static const struct record_field domain_fields[] = {
    {MEMBER(fl_domain, name), .type = RECORD_TEXT},
    {MEMBER(fl_domain, server), .type = RECORD_NUMBER, .max = 1},
    {.key = NULL},
};

static const struct record_field named_fields[] = {
    {MEMBER(fl_named_thread, path), .type = RECORD_PATH},
    {MEMBER(fl_named_thread, name), .type = RECORD_TEXT},
    {.key = NULL},
};

static const struct record_field param_fields[] = {
    {MEMBER(fl_param, id), .type = RECORD_TEXT},
    {MEMBER(fl_param, summary), .type = RECORD_TEXT},
    {MEMBER(fl_param, preset), .type = RECORD_NUMBER, .max = UINT32_MAX},
    {MEMBER(fl_param, min), .type = RECORD_NUMBER, .max = UINT32_MAX},
    {MEMBER(fl_param, max), .type = RECORD_NUMBER, .max = UINT32_MAX},
    {.key = NULL},
};

static const struct record_field halt_fields[] = {
    {MEMBER(fl_expected_halt, thread), .type = RECORD_PATH},
    {MEMBER(fl_expected_halt, reason), .type = RECORD_NAME, .kind = TRACE_HALT},
    {.key = NULL},
};

static const struct record_field variant_fields[] = {
    {MEMBER(fl_variant, id), .type = RECORD_TEXT},
    {MEMBER(fl_variant, summary), .type = RECORD_TEXT},
    {MEMBER(fl_variant, expect), .type = RECORD_TEXT},
    {MEMBER(fl_variant, depth), .type = RECORD_NAME, .kind = TRACE_DEPTH},
    {MEMBER(fl_variant, bound), .type = RECORD_NUMBER, .max = FL_MAX_PREEMPTIONS},
    {MEMBER(fl_variant, sees), .type = RECORD_NUMBER, .max = FL_EVENT_COUNT - 1},
    {MEMBER(fl_variant, halts), .type = RECORD_LIST, .max = FL_MAX_EXPECTED, .fields = halt_fields,
     COUNT(fl_variant, n_halts)},
    {.key = NULL},
};

static const struct record_field scenario_fields[] = {
    {MEMBER(fl_scenario, id), .type = RECORD_TEXT},
    {MEMBER(fl_scenario, summary), .type = RECORD_TEXT},
    {MEMBER(fl_scenario, source), .type = RECORD_TEXT},
    {MEMBER(fl_scenario, threads), .type = RECORD_TEXT},
    {MEMBER(fl_scenario, domains), .type = RECORD_LIST, .min = 1, .max = FL_MAX_DOMAINS,
     .fields = domain_fields, COUNT(fl_scenario, n_domains)},
    {MEMBER(fl_scenario, named), .type = RECORD_LIST, .max = FL_MAX_NAMED_THREADS,
     .fields = named_fields, COUNT(fl_scenario, n_named)},
    {MEMBER(fl_scenario, params), .type = RECORD_LIST, .max = FL_MAX_PARAMS, .fields = param_fields,
     COUNT(fl_scenario, n_params)},
    {MEMBER(fl_scenario, variants), .type = RECORD_LIST, .min = 1, .max = FL_MAX_VARIANTS,
     .fields = variant_fields, COUNT(fl_scenario, n_variants)},
    {.key = NULL},
};

static const struct record_field manifest_fields[] = {
    {MEMBER(trace_manifest, scenario), .type = RECORD_TEXT},
    {MEMBER(trace_manifest, variant), .type = RECORD_TEXT},
    {MEMBER(trace_manifest, backend), .type = RECORD_TEXT},
    {MEMBER(trace_manifest, arch), .type = RECORD_TEXT},
    {MEMBER(trace_manifest, image), .type = RECORD_TEXT},
    {MEMBER(trace_manifest, image_hash), .type = RECORD_TEXT},
    {MEMBER(trace_manifest, abi_version), .type = RECORD_NUMBER, .max = UINT32_MAX},
    {MEMBER(trace_manifest, event_hash), .type = RECORD_TEXT},
    {MEMBER(trace_manifest, outcome), .type = RECORD_TEXT},
    {.key = NULL},
};

/* ---- What the tables cannot say ---- */

static bool refuse(GError **error, const char *format, ...) G_GNUC_PRINTF(2, 3);

static bool refuse(GError **error, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, FILE_NAME ": %s", message);
    g_free(message);
    return false;
}

static bool hex_or_empty(const char *text, size_t digits)
{
    size_t length = strspn(text, "0123456789abcdef");
    return text[length] == '\0' && (length == 0 || length == digits);
}

static bool outcome_or_empty(const char *text)
{
    for (unsigned outcome = 0; *text && outcome <= FL_OUTCOME_SILENT; outcome++)
        if (g_strcmp0(trace_value_name(TRACE_OUTCOME, outcome), text) == 0)
            return true;
    return !*text;
}

static bool check_names(const struct trace_manifest *manifest, GError **error)
{
    const struct fl_scenario *scenario = &manifest->scenario_copy;
    if (!hex_or_empty(manifest->image_hash, 64))
        return refuse(error, "image_hash: must be a SHA-256, 64 hexadecimal digits, or empty");
    if (!hex_or_empty(manifest->event_hash, 16))
        return refuse(error, "event_hash: must be 16 hexadecimal digits, or empty");
    if (!outcome_or_empty(manifest->outcome))
        return refuse(error, "outcome: '%s' is none that this program knows", manifest->outcome);
    if (strcmp(manifest->scenario, scenario->id) != 0)
        return refuse(error, "tables.id: is '%s', but the scenario is '%s'", scenario->id,
                      manifest->scenario);
    for (uint32_t i = 0; i < scenario->n_variants; i++)
        if (strcmp(manifest->variant, scenario->variants[i].id) == 0)
            return true;
    return refuse(error, "variant: scenario '%s' has none named '%s'", scenario->id,
                  manifest->variant);
}

static bool check_param(const struct trace_manifest *manifest, uint32_t i, GError **error)
{
    const struct fl_scenario *scenario = &manifest->scenario_copy;
    for (uint32_t j = 0; j < scenario->n_params; j++) {
        const struct fl_param *param = &scenario->params[j];
        if (strcmp(manifest->param_ids[i], param->id) != 0)
            continue;
        if (manifest->params[i] < param->min || manifest->params[i] > param->max)
            return refuse(error, "params.%s: must be from %u to %u", param->id, param->min,
                          param->max);
        return true;
    }
    return refuse(error, "params: scenario '%s' has none named '%s'", scenario->id,
                  manifest->param_ids[i]);
}

/* ---- Parameters: an object from name to value ---- */

static json_t *params_to_json(const struct trace_manifest *manifest)
{
    json_t *params = json_object();
    for (uint32_t i = 0; i < MIN(manifest->n_params, FL_MAX_PARAMS); i++)
        json_object_set_new(params, manifest->param_ids[i], json_integer(manifest->params[i]));
    return params;
}

static bool params_from_json(const json_t *json, struct trace_manifest *manifest, GError **error)
{
    const char *id;
    json_t *value;
    if (!json_is_object(json) || json_object_size(json) > FL_MAX_PARAMS)
        return refuse(error, "params: must be an object with at most %u values", FL_MAX_PARAMS);
    /* jansson does not write to what it iterates over; its iterators are not const all the same. */
    json_object_foreach((json_t *)(uintptr_t)json, id, value)
    {
        uint32_t i = manifest->n_params++;
        json_int_t number = json_integer_value(value);
        if (g_strlcpy(manifest->param_ids[i], id, sizeof manifest->param_ids[i]) >=
            sizeof manifest->param_ids[i])
            return refuse(error, "params: '%s' is too long a name", id);
        if (!json_is_integer(value) || number < 0 || number > UINT32_MAX)
            return refuse(error, "params.%s: must be a whole number from 0 to %u", id, UINT32_MAX);
        manifest->params[i] = (uint32_t)number;
        if (!check_param(manifest, i, error))
            return false;
    }
    return true;
}

/* ---- The whole ---- */

/* The ABI version comes before the tables, whose form depends on it. */
static bool from_json(const json_t *json, struct trace_manifest *manifest, GError **error)
{
    memset(manifest, 0, sizeof *manifest);
    if (!record_from_json(manifest_fields, json, FILE_NAME ": manifest", manifest, error))
        return false;
    if (manifest->abi_version != FL_ABI_VERSION)
        return refuse(error, "recorded with ABI version %u, this program reads version %u",
                      manifest->abi_version, FL_ABI_VERSION);
    return record_from_json(scenario_fields, json_object_get(json, "tables"), FILE_NAME ": tables",
                            &manifest->scenario_copy, error) &&
           check_names(manifest, error) &&
           params_from_json(json_object_get(json, "params"), manifest, error);
}

static json_t *to_json(const struct trace_manifest *manifest, GError **error)
{
    json_t *json = record_to_json(manifest_fields, manifest);
    json_t *tables = record_to_json(scenario_fields, &manifest->scenario_copy);
    /* Both take the value over, and say no to NULL. */
    if (json && json_object_set_new(json, "params", params_to_json(manifest)) == 0 && tables &&
        json_object_set_new(json, "tables", tables) == 0)
        return json;
    json_decref(json);
    refuse(error, "a text is no UTF-8, a value has no name or a list is too long");
    return NULL;
}

/* ---- The checksum: SHA-256 of the object without it, keys sorted, no white space ---- */

static char *sum_of(const json_t *json)
{
    json_t *rest = json_copy((json_t *)(uintptr_t)json);
    json_object_del(rest, "sum");
    char *text = json_dumps(rest, JSON_COMPACT | JSON_SORT_KEYS);
    char *sum = g_compute_checksum_for_string(G_CHECKSUM_SHA256, text, -1);
    free(text);
    json_decref(rest);
    return sum;
}

/* The verdict depends on the tables, so a flipped bit here is as bad as one in the events. */
static bool check_sum(const json_t *json, GError **error)
{
    const json_t *said = json_object_get(json, "sum");
    if (!said)
        return true;
    char *sum = sum_of(json);
    bool equal = g_strcmp0(json_string_value(said), sum) == 0;
    g_free(sum);
    return equal || refuse(error, "its checksum differs: it was damaged or changed by hand");
}

/* ---- Files ---- */

static bool write_json(const char *dir, const json_t *json, GError **error)
{
    char *text = json_dumps(json, JSON_INDENT(2));
    char *line = g_strconcat(text, "\n", NULL);
    bool done = rundir_write(dir, FILE_NAME, line, error);
    g_free(line);
    free(text);
    return done;
}

/* What cannot be read back is not written. */
bool manifest_write(const char *dir, const struct trace_manifest *manifest, GError **error)
{
    struct trace_manifest copy;
    json_t *json = to_json(manifest, error);
    if (!json)
        return false;
    bool done = from_json(json, &copy, error);
    if (done) {
        char *sum = sum_of(json);
        json_object_set_new(json, "sum", json_string(sum));
        done = write_json(dir, json, error);
        g_free(sum);
    }
    json_decref(json);
    return done;
}

bool manifest_read(const char *dir, struct trace_manifest *manifest, GError **error)
{
    char *path = g_strconcat(dir, "/" FILE_NAME, NULL);
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        disk_error(error, "read", path);
    g_free(path);
    if (file < 0)
        return false;
    json_error_t syntax;
    json_t *json = json_loadfd(file, JSON_REJECT_DUPLICATES, &syntax);
    close(file);
    if (!json)
        return refuse(error, "line %d: %s", syntax.line, syntax.text);
    bool done = check_sum(json, error) && from_json(json, manifest, error);
    json_decref(json);
    return done;
}
