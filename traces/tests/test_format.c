/* The tables of FORMAT.md say what the tables in guest/abi say.
 *
 * Run with an argument, the program prints the page with its tables renewed.
 */
#include "unit.h"
#include <stdio.h>

#define PAGE "traces/FORMAT.md"

/* ---- The tables as they must be ---- */

static const char *kind_name(enum trace_field kind)
{
    static const char *const names[] = {
        [TRACE_FIELD_NONE] = "none",     [TRACE_FIELD_RAW] = "raw",
        [TRACE_FIELD_PC] = "pc",         [TRACE_FIELD_SET] = "set",
        [TRACE_FIELD_VALUE] = "value",   [TRACE_FIELD_VA] = "va",
        [TRACE_FIELD_THREAD] = "thread", [TRACE_FIELD_OUTCOME] = "outcome",
        [TRACE_FIELD_ACCESS] = "access", [TRACE_FIELD_RIGHTS] = "rights",
        [TRACE_FIELD_HALT] = "halt",     [TRACE_FIELD_SWITCH] = "switch",
        [TRACE_FIELD_ERROR] = "error",   [TRACE_FIELD_LABEL] = "label",
        [TRACE_FIELD_OBJECT] = "object", [TRACE_FIELD_AUDIT] = "audit",
        [TRACE_FIELD_DEED] = "deed",     [TRACE_FIELD_FAIL] = "fail",
    };
    return names[kind];
}

static void put_field(GString *table, enum trace_field kind, const char *name)
{
    if (kind == TRACE_FIELD_NONE)
        g_string_append(table, " |");
    else
        g_string_append_printf(table, " *%s* %s |", name, kind_name(kind));
}

static void put_events(GString *table)
{
    g_string_append(table, "| id | event | first field | second field | third field | |\n"
                           "|---|---|---|---|---|---|\n");
    for (uint16_t id = 0; id < FL_EVENT_COUNT; id++) {
        const struct trace_event_info *info = trace_event_info(id);
        if (!info)
            continue;
        g_string_append_printf(table, "| %u | `%s` |", id, info->name);
        put_field(table, info->addr_kind, info->addr_name);
        put_field(table, info->arg_kind, info->arg_name);
        put_field(table, info->aux_kind, info->aux_name);
        g_string_append_printf(table, " %s |\n", info->doc);
    }
}

static void put_points(GString *table)
{
    g_string_append(table, "| point | name | depth |\n|---|---|---|\n");
    for (uint16_t point = 0; trace_point_name(point); point++)
        g_string_append_printf(table, "| %u | `%s` | %s |\n", point, trace_point_name(point),
                               trace_value_name(TRACE_DEPTH, trace_point_depth(point)));
}

static void put_names(GString *table)
{
    static const struct {
        const char *kind;
        unsigned value;
        const char *name;
    } rows[] = {
#define FL_VALUE(kind, value, ID, text) {#kind, value, text},
#include "names.def"
#undef FL_VALUE
    };
    g_string_append(table, "| kind | values |\n|---|---|\n");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        bool first = i == 0 || strcmp(rows[i].kind, rows[i - 1].kind) != 0;
        bool last = i + 1 == G_N_ELEMENTS(rows) || strcmp(rows[i].kind, rows[i + 1].kind) != 0;
        char *kind = g_ascii_strdown(rows[i].kind, -1);
        if (first)
            g_string_append_printf(table, "| %s | ", kind);
        g_string_append_printf(table, "%u `%s`%s", rows[i].value, rows[i].name,
                               last ? " |\n" : ", ");
        g_free(kind);
    }
}

static void put_regions(GString *table)
{
    g_string_append(table, "| region | name | begins at | size | pages |\n|---|---|---|---|---|\n");
    unsigned region = 0;
#define FL_REGION(ID, base, size, text, paged)                                                     \
    g_string_append_printf(table, "| %u | %s | 0x%08x | 0x%x | %s |\n", ++region, text, base,      \
                           size, (paged) ? "yes" : "no");
#include "regions.def"
#undef FL_REGION
}

static const struct {
    const char *mark;
    void (*put)(GString *table);
} tables[] = {
    {"<!-- table: events -->\n", put_events},
    {"<!-- table: points -->\n", put_points},
    {"<!-- table: names -->\n", put_names},
    {"<!-- table: regions -->\n", put_regions},
};

/* ---- The page ---- */

static char *read_page(void)
{
    char *page;
    if (!g_file_get_contents(PAGE, &page, NULL, NULL))
        fail_msg("cannot read %s: run this in the top directory of the source", PAGE);
    return page;
}

/* The table after a mark: all lines from there that begin with a bar. */
static char *table_after(const char *page, const char *mark)
{
    const char *begin = strstr(page, mark);
    assert_non_null(begin);
    begin += strlen(mark);
    const char *end = begin;
    while (*end == '|')
        end = strchr(end, '\n') + 1;
    return g_strndup(begin, (gsize)(end - begin));
}

static void the_page_says_what_the_tables_say(void **state)
{
    (void)state;
    char *page = read_page();
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        GString *expected = g_string_new(NULL);
        char *found = table_after(page, tables[i].mark);
        tables[i].put(expected);
        if (strcmp(found, expected->str))
            print_error("%s has an old table; renew it with\n"
                        "  build/tests/traces/tests/test_format renew > page && mv page %s\n",
                        PAGE, PAGE);
        assert_string_equal(found, expected->str);
        g_free(found);
        g_string_free(expected, TRUE);
    }
    g_free(page);
}

/* What the prose says in numbers. */
static void the_page_has_the_numbers_of_the_abi(void **state)
{
    (void)state;
    static const uint8_t uuid[] = FL_CTF_UUID;
    char *page = read_page(), text[64];
    g_snprintf(text, sizeof text, "| `magic` | 0x%08x |", FL_CTF_MAGIC);
    assert_non_null(strstr(page, text));
    g_snprintf(text, sizeof text, "%02x%02x%02x%02x-%02x%02x-", uuid[0], uuid[1], uuid[2], uuid[3],
               uuid[4], uuid[5]);
    assert_non_null(strstr(page, text));
    g_snprintf(text, sizeof text, "at most %u;", FL_PACKET_EVENTS);
    assert_non_null(strstr(page, text));
    g_snprintf(text, sizeof text, "| `packet_bits` | %u |", 8 * FL_PACKET_SIZE);
    assert_non_null(strstr(page, text));
    assert_int_equal(uuid[15], FL_ABI_VERSION);
    g_free(page);
}

static int renew(void)
{
    char *page = read_page();
    GString *out = g_string_new(page);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++) {
        GString *table = g_string_new(NULL);
        char *old = table_after(out->str, tables[i].mark);
        gssize at = strstr(out->str, tables[i].mark) - out->str + (gssize)strlen(tables[i].mark);
        tables[i].put(table);
        g_string_erase(out, at, (gssize)strlen(old));
        g_string_insert(out, at, table->str);
        g_string_free(table, TRUE);
        g_free(old);
    }
    fputs(out->str, stdout);
    g_string_free(out, TRUE);
    g_free(page);
    return 0;
}

int main(int argc, char **argv)
{
    (void)argv;
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_page_says_what_the_tables_say),
        cmocka_unit_test(the_page_has_the_numbers_of_the_abi),
    };
    return argc > 1 ? renew() : cmocka_run_group_tests(tests, NULL, NULL);
}
