#include "record.h"
#include <string.h>

/* Fields are read and written bytewise: their alignment is the structure's business. */
static uint32_t load(const struct record_field *field, const void *record)
{
    const char *at = (const char *)record + field->offset;
    uint16_t half;
    uint32_t whole;
    if (field->size == sizeof half) {
        memcpy(&half, at, sizeof half);
        return half;
    }
    memcpy(&whole, at, sizeof whole);
    return whole;
}

static void store(const struct record_field *field, void *record, uint32_t value)
{
    char *at = (char *)record + field->offset;
    uint16_t half = (uint16_t)value;
    if (field->size == sizeof half)
        memcpy(at, &half, sizeof half);
    else
        memcpy(at, &value, sizeof value);
}

/* ---- To JSON ---- */

static json_t *list_to_json(const struct record_field *field, const void *record)
{
    const char *base = record;
    uint32_t count;
    memcpy(&count, base + field->count_offset, sizeof count);
    if (count > field->max)
        return NULL;
    json_t *list = json_array();
    for (uint32_t i = 0; i < count; i++) {
        json_t *item =
            record_to_json(field->fields, base + field->offset + i * (field->size / field->max));
        if (!item) {
            json_decref(list);
            return NULL;
        }
        json_array_append_new(list, item);
    }
    return list;
}

static json_t *path_to_json(uint32_t path)
{
    char text[16];
    g_snprintf(text, sizeof text, "0x%08x", path);
    return json_string(text);
}

static json_t *field_to_json(const struct record_field *field, const void *record)
{
    const char *text = (const char *)record + field->offset;
    switch (field->type) {
    case RECORD_TEXT:
        return json_stringn(text, strnlen(text, field->size));
    case RECORD_NUMBER:
        return json_integer(load(field, record));
    case RECORD_NAME:
        return json_string(trace_value_name(field->kind, load(field, record)));
    case RECORD_PATH:
        return path_to_json(load(field, record));
    case RECORD_LIST:
        return list_to_json(field, record);
    }
    g_assert_not_reached();
}

json_t *record_to_json(const struct record_field *fields, const void *record)
{
    json_t *object = json_object();
    for (; fields->key; fields++) {
        json_t *value = field_to_json(fields, record);
        if (!value || json_object_set_new(object, fields->key, value) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

/* ---- From JSON ---- */

static bool refuse(GError **error, const char *where, const char *key, const char *format, ...)
    G_GNUC_PRINTF(4, 5);

static bool refuse(GError **error, const char *where, const char *key, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "%s.%s: %s", where, key, message);
    g_free(message);
    return false;
}

static bool text_from_json(const struct record_field *field, const json_t *json, const char *where,
                           void *record, GError **error)
{
    size_t length = json_string_length(json);
    if (!json_is_string(json))
        return refuse(error, where, field->key, "must be a text");
    if (length >= field->size || strlen(json_string_value(json)) != length)
        return refuse(error, where, field->key, "must have less than %zu bytes", field->size);
    memset((char *)record + field->offset, 0, field->size);
    memcpy((char *)record + field->offset, json_string_value(json), length);
    return true;
}

static bool number_from_json(const struct record_field *field, const json_t *json,
                             const char *where, void *record, GError **error)
{
    json_int_t value = json_integer_value(json);
    if (!json_is_integer(json) || value < field->min || value > field->max)
        return refuse(error, where, field->key, "must be a whole number from %u to %u", field->min,
                      field->max);
    store(field, record, (uint32_t)value);
    return true;
}

static bool name_from_json(const struct record_field *field, const json_t *json, const char *where,
                           void *record, GError **error)
{
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    for (uint32_t value = 0; value <= FL_LABEL_USER; value++) {
        const char *name = trace_value_name(field->kind, value);
        if (name && strcmp(name, text) == 0) {
            store(field, record, value);
            return true;
        }
    }
    return refuse(error, where, field->key, "must be a name that this program knows");
}

static bool path_from_json(const struct record_field *field, const json_t *json, const char *where,
                           void *record, GError **error)
{
    const char *text = json_is_string(json) ? json_string_value(json) : "";
    guint64 path;
    if (!g_str_has_prefix(text, "0x") ||
        !g_ascii_string_to_unsigned(text + 2, 16, 0, UINT32_MAX, &path, NULL))
        return refuse(error, where, field->key, "must be a thread's path, like \"0x02010000\"");
    store(field, record, (uint32_t)path);
    return true;
}

static bool list_from_json(const struct record_field *field, const json_t *json, const char *where,
                           void *record, GError **error)
{
    char *base = record;
    size_t count = json_array_size(json);
    if (!json_is_array(json) || count < field->min || count > field->max)
        return refuse(error, where, field->key, "must be a list of %u to %u", field->min,
                      field->max);
    bool done = true;
    for (size_t i = 0; done && i < count; i++) {
        char *item = g_strdup_printf("%s.%s[%zu]", where, field->key, i);
        done = record_from_json(field->fields, json_array_get(json, i), item,
                                base + field->offset + i * (field->size / field->max), error);
        g_free(item);
    }
    uint32_t length = (uint32_t)count;
    memcpy(base + field->count_offset, &length, sizeof length);
    return done;
}

static bool (*const readers[])(const struct record_field *field, const json_t *json,
                               const char *where, void *record, GError **error) = {
    [RECORD_TEXT] = text_from_json, [RECORD_NUMBER] = number_from_json,
    [RECORD_NAME] = name_from_json, [RECORD_PATH] = path_from_json,
    [RECORD_LIST] = list_from_json,
};

bool record_from_json(const struct record_field *fields, const json_t *json, const char *where,
                      void *record, GError **error)
{
    if (!json_is_object(json)) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "%s: must be an object", where);
        return false;
    }
    for (; fields->key; fields++) {
        const json_t *value = json_object_get(json, fields->key);
        if (!value)
            return refuse(error, where, fields->key, "is missing");
        if (!readers[fields->type](fields, value, where, record, error))
            return false;
    }
    return true;
}
