/* The metadata of a trace: TSDL (CTF 1.8, section 7), made from the tables in guest/abi.
 *
 * Every field name begins with an underscore, which readers take off again: `variant` and its like
 * are words of TSDL. The last line holds the SHA-256 of all lines before it.
 */
#include <string.h>
#include "ctf_metadata.h"
#include "ctf_packet.h"

static const char integers[] =
    "typealias integer { size = 8; align = 8; signed = false; } := u8;\n"
    "typealias integer { size = 16; align = 8; signed = false; } := dec16;\n"
    "typealias integer { size = 32; align = 8; signed = false; } := dec32;\n"
    "typealias integer { size = 64; align = 8; signed = false; } := dec64;\n"
    "typealias integer { size = 32; align = 8; signed = false; base = hex; } := hex32;\n"
    "typealias integer { size = 64; align = 8; signed = false; base = hex; } := hex64;\n\n";

/* Without a clock that is shared, time counts nanoseconds from the run's start. */
static void put_clock(GString *out, const struct ctf_clock *clock)
{
    g_string_append(out, "clock {\n    name = \"run\";\n");
    if (clock)
        g_string_append_printf(out, "    uuid = \"%s\";\n    absolute = TRUE;\n", clock->uuid);
    g_string_append_printf(
        out,
        "    description = \"%s\";\n    freq = 1000000000;\n    offset = %" G_GINT64_FORMAT
        ";\n};\n\n",
        clock ? "when the host can have seen it" : "nanoseconds since the start of the run",
        clock ? clock->offset : 0);
}

static const char stream[] = "typealias integer {\n"
                             "    size = 48; align = 8; signed = false; map = clock.run.value;\n"
                             "} := time48;\n"
                             "typealias integer {\n"
                             "    size = 64; align = 8; signed = false; map = clock.run.value;\n"
                             "} := time64;\n\n"
                             "stream {\n"
                             "    id = 0;\n"
                             "    packet.context := struct {\n"
                             "        time64 timestamp_begin;\n"
                             "        time64 timestamp_end;\n"
                             "        dec64 content_size;\n"
                             "        dec64 packet_size;\n"
                             "        dec64 events_discarded;\n"
                             "    };\n"
                             "    event.header := struct { dec16 id; time48 timestamp; };\n"
                             "};\n\n";

static const struct {
    const char *type; /* "16", "32" or "64" is appended */
    int kind;         /* enum trace_kind of an enumeration's values, or -1 */
} types[] = {
    [TRACE_FIELD_NONE] = {"dec", -1},
    [TRACE_FIELD_RAW] = {"dec", -1},
    [TRACE_FIELD_PC] = {"hex", -1},
    [TRACE_FIELD_SET] = {"hex", -1},
    [TRACE_FIELD_VALUE] = {"dec", -1},
    [TRACE_FIELD_VA] = {"hex", -1},
    [TRACE_FIELD_THREAD] = {"thread", -1},
    [TRACE_FIELD_OUTCOME] = {"outcome", TRACE_OUTCOME},
    [TRACE_FIELD_ACCESS] = {"access", TRACE_ACCESS},
    [TRACE_FIELD_RIGHTS] = {"rights", TRACE_RIGHTS},
    [TRACE_FIELD_HALT] = {"halt", TRACE_HALT},
    [TRACE_FIELD_SWITCH] = {"switch", TRACE_SWITCH},
    [TRACE_FIELD_ERROR] = {"error", TRACE_ERRORS},
    [TRACE_FIELD_LABEL] = {"label", TRACE_LABEL},
    [TRACE_FIELD_OBJECT] = {"object", TRACE_OBJECT},
    [TRACE_FIELD_AUDIT] = {"audit", TRACE_AUDIT},
    [TRACE_FIELD_DEED] = {"deed", TRACE_DEED},
    [TRACE_FIELD_FAIL] = {"fail", TRACE_FAIL},
};

/* A string literal of TSDL; names come from a guest image and may hold anything. */
static void put_string(GString *out, const char *text)
{
    g_string_append_c(out, '"');
    for (; *text; text++)
        g_string_append_c(out, g_ascii_isprint(*text) && !strchr("\"\\", *text) ? *text : '?');
    g_string_append_c(out, '"');
}

static void put_label(GString *labels, const char *name, uint64_t value)
{
    put_string(labels, name);
    g_string_append_printf(labels, " = %" G_GUINT64_FORMAT ", ", value);
}

/* One enumeration for each width in which it occurs. */
static void put_enum(GString *out, const char *type, const char *base, const GString *labels,
                     const unsigned *widths)
{
    for (; *widths; widths++)
        g_string_append_printf(out, "typealias enum : %s%u { %.*s } := %s%u;\n", base, *widths,
                               (int)labels->len - 2, labels->str, type, *widths);
}

static const unsigned width_16[] = {16, 0}, widths_32_64[] = {32, 64, 0};

static void put_value_enum(GString *out, const char *type, unsigned kind)
{
    GString *labels = g_string_new(NULL);
    for (uint32_t value = 0; value <= FL_LABEL_USER; value++) {
        const char *name = trace_value_name(kind, value);
        if (name)
            put_label(labels, name, value);
    }
    if (kind == TRACE_LABEL) { /* the scenario's own go on from there */
        g_string_truncate(labels, labels->len - 2);
        g_string_append(labels, " ... 65535, ");
    }
    put_enum(out, type, "dec", labels, widths_32_64);
    g_string_free(labels, TRUE);
}

static void put_thread_enum(GString *out, const struct fl_scenario *scenario, const uint32_t *paths,
                            size_t n_paths)
{
    GString *labels = g_string_new(NULL);
    char name[TRACE_NAME_MAX];
    put_label(labels, "kernel", FL_PATH_KERNEL);
    for (size_t i = 0; i < n_paths; i++)
        if (paths[i] != FL_PATH_KERNEL)
            put_label(labels, trace_thread_name(scenario, paths[i], name), paths[i]);
    put_enum(out, "thread", "hex", labels, widths_32_64);
    g_string_free(labels, TRUE);
}

static void put_space_and_point_enums(GString *out, const struct fl_scenario *scenario)
{
    GString *labels = g_string_new(NULL);
    char name[TRACE_NAME_MAX];
    for (uint16_t space = 0; space < FL_SPACE_DOMAIN(FL_MAX_DOMAINS); space++)
        put_label(labels, trace_space_name(scenario, space, name), space);
    put_enum(out, "space", "dec", labels, width_16);
    g_string_truncate(labels, 0);
    for (uint16_t point = 0; trace_point_name(point); point++)
        put_label(labels, trace_point_name(point), point);
    put_enum(out, "point", "dec", labels, width_16);
    g_string_free(labels, TRUE);
}

static void put_event(GString *out, uint16_t id)
{
    const struct trace_event_info *info = trace_event_info(id);
    g_string_append_printf(out,
                           "event {\n"
                           "    stream_id = 0; id = %u; name = \"%s\";\n"
                           "    fields := struct {\n"
                           "        thread32 _thread; space16 _space; point16 _point;\n"
                           "        %s64 _%s; %s32 _%s; %s32 _%s;\n"
                           "    };\n"
                           "};\n",
                           id, info->name, types[info->addr_kind].type, info->addr_name,
                           types[info->arg_kind].type, info->arg_name, types[info->aux_kind].type,
                           info->aux_name);
}

static void put_head(GString *out, const struct fl_scenario *scenario,
                     const struct ctf_clock *clock)
{
    uint8_t uuid[16];
    ctf_trace_uuid(clock, uuid);
    g_string_append(out, "/* CTF 1.8 */\n\n");
    g_string_append(out, integers);
    g_string_append(out, "trace {\n    major = 1; minor = 8;\n    uuid = \"");
    for (size_t i = 0; i < sizeof uuid; i++)
        g_string_append_printf(out, i == 4 || i == 6 || i == 8 || i == 10 ? "-%02x" : "%02x",
                               uuid[i]);
    g_string_append(out, "\";\n    byte_order = le;\n"
                         "    packet.header := struct { hex32 magic; u8 uuid[16]; dec32 stream_id; "
                         "};\n};\n\n");
    g_string_append_printf(out, "env {\n    tracer_name = \"faultline\";\n    abi_version = %u;\n",
                           FL_ABI_VERSION);
    if (clock)
        g_string_append_printf(out, "    hostname = \"guest-%u\";\n", clock->number);
    if (scenario) {
        char *id = g_strndup(scenario->id, sizeof scenario->id);
        g_string_append(out, "    scenario = ");
        put_string(out, id);
        g_string_append(out, ";\n");
        g_free(id);
    }
    g_string_append(out, "};\n\n");
    put_clock(out, clock);
    g_string_append(out, stream);
}

/* ---- The checksum line ---- */

#define SUM_BEGIN  "/* sha256 "
#define SUM_END    " */\n"
#define SUM_HEX    64u
#define SUM_LENGTH (strlen(SUM_BEGIN) + SUM_HEX + strlen(SUM_END))

static char *sum_line(const char *text, size_t length)
{
    char *sum = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *)text, length);
    char *line = g_strconcat(SUM_BEGIN, sum, SUM_END, NULL);
    g_free(sum);
    return line;
}

char *ctf_metadata(const struct fl_scenario *scenario, const struct ctf_clock *clock,
                   const uint32_t *paths, size_t n_paths)
{
    GString *out = g_string_new(NULL);
    put_head(out, scenario, clock);
    put_thread_enum(out, scenario, paths, n_paths);
    put_space_and_point_enums(out, scenario);
    for (size_t field = 0; field < G_N_ELEMENTS(types); field++)
        if (types[field].kind >= 0)
            put_value_enum(out, types[field].type, (unsigned)types[field].kind);
    g_string_append_c(out, '\n');
    for (uint16_t id = 0; id < FL_EVENT_COUNT; id++)
        if (trace_event_info(id))
            put_event(out, id);
    char *sum = sum_line(out->str, out->len);
    g_string_append(out, sum);
    g_free(sum);
    return g_string_free(out, FALSE);
}

const char *ctf_metadata_fault(const char *text, size_t length)
{
    if (length == 0)
        return "metadata is empty";
    if (length < SUM_LENGTH)
        return "metadata is cut short";
    char *sum = sum_line(text, length - SUM_LENGTH);
    bool sound = memcmp(sum, text + length - SUM_LENGTH, SUM_LENGTH) == 0;
    g_free(sum);
    return sound ? NULL : "metadata is damaged: its checksum differs";
}
