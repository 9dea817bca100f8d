/* babeltrace2 as the oracle: it must list every event that our reader finds, with the same values
 * and the same names. */
#include "unit.h"
#include <inttypes.h>

#define PACKETS 12u /* every event id 38 times or more */

static const struct fl_scenario *const scenario = &sample_scenario;

/* ---- A line as babeltrace2 prints it, made from what our reader says ---- */

static void put_named(GString *line, const char *name, uint64_t value, bool hex)
{
    if (name)
        g_string_append_printf(line, "( \"%s\"", name);
    else
        g_string_append(line, "( <unknown>");
    g_string_append_printf(
        line, hex ? " : container = 0x%" PRIX64 " )" : " : container = %" PRIu64 " )", value);
}

static void put_thread(GString *line, uint64_t path)
{
    char name[TRACE_NAME_MAX] = "?";
    if (path <= UINT32_MAX)
        trace_thread_name(scenario, (uint32_t)path, name);
    put_named(line, *name == '?' ? NULL : name, path, true);
}

static void put_value(GString *line, enum trace_field kind, uint64_t value)
{
    static const int kinds[] = {
        [TRACE_FIELD_OUTCOME] = TRACE_OUTCOME, [TRACE_FIELD_ACCESS] = TRACE_ACCESS,
        [TRACE_FIELD_RIGHTS] = TRACE_RIGHTS,   [TRACE_FIELD_HALT] = TRACE_HALT,
        [TRACE_FIELD_SWITCH] = TRACE_SWITCH,   [TRACE_FIELD_ERROR] = TRACE_ERRORS,
        [TRACE_FIELD_LABEL] = TRACE_LABEL,     [TRACE_FIELD_OBJECT] = TRACE_OBJECT,
        [TRACE_FIELD_AUDIT] = TRACE_AUDIT,     [TRACE_FIELD_DEED] = TRACE_DEED,
        [TRACE_FIELD_FAIL] = TRACE_FAIL,
    };
    if (kind == TRACE_FIELD_THREAD) {
        put_thread(line, value);
    } else if (kind == TRACE_FIELD_PC || kind == TRACE_FIELD_SET || kind == TRACE_FIELD_VA) {
        g_string_append_printf(line, "0x%" PRIX64, value);
    } else if (kind <= TRACE_FIELD_VALUE) {
        g_string_append_printf(line, "%" PRIu64, value);
    } else {
        bool user = kind == TRACE_FIELD_LABEL && value > FL_LABEL_USER && value <= 65535;
        put_named(line, trace_value_name((unsigned)kinds[kind], user ? FL_LABEL_USER : value),
                  value, false);
    }
}

static void put_field(GString *line, const char *name, enum trace_field kind, uint64_t value)
{
    g_string_append_printf(line, ", %s = ", name);
    put_value(line, kind, value);
}

static char *expected_line(const struct fl_event *event)
{
    const struct trace_event_info *info = trace_event_info(fl_event_id(event));
    uint64_t time = fl_event_time(event);
    char space[TRACE_NAME_MAX];
    GString *line = g_string_new(NULL);
    g_string_append_printf(line, "[%" PRIu64 ".%09" PRIu64 "] %s: { thread = ", time / 1000000000,
                           time % 1000000000, info->name);
    put_thread(line, event->thread);
    g_string_append(line, ", space = ");
    put_named(line,
              event->space < FL_SPACE_DOMAIN(FL_MAX_DOMAINS)
                  ? trace_space_name(scenario, event->space, space)
                  : NULL,
              event->space, false);
    g_string_append(line, ", point = ");
    put_named(line, trace_point_name(event->point), event->point, false);
    put_field(line, info->addr_name, info->addr_kind, event->addr);
    put_field(line, info->arg_name, info->arg_kind, event->arg);
    put_field(line, info->aux_name, info->aux_kind, event->aux);
    g_string_append(line, " }");
    return g_string_free(line, FALSE);
}

/* ---- A trace in which everything occurs ---- */

static uint32_t draw(uint64_t *state)
{
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (uint32_t)(*state >> 33);
}

static uint64_t draw_field(uint64_t *state, enum trace_field kind)
{
    static const uint32_t paths[] = {FL_PATH_KERNEL,       FL_PATH_CORE,
                                     FL_PATH_DOMAIN(0),    FL_PATH_DOMAIN(1),
                                     FL_PATH_CHILD2(0, 1), FL_PATH_CHILD2(0, 1) | 0x0c00,
                                     FL_PATH_CHILD2(1, 3), 0x00000042};
    if (kind == TRACE_FIELD_THREAD)
        return paths[draw(state) % G_N_ELEMENTS(paths)];
    if (kind == TRACE_FIELD_LABEL)
        return draw(state) % 2 ? draw(state) % 14 : FL_LABEL_USER + draw(state) % 3;
    return kind >= TRACE_FIELD_OUTCOME ? draw(state) % 19 : draw(state);
}

static void write_packets(const char *dir)
{
    char *path = g_build_filename(dir, "ctf", NULL);
    struct ctf_writer *writer = ctf_writer_open(path, scenario, NULL);
    uint64_t seed = 1;
    for (size_t i = 0; i < PACKETS; i++) {
        struct fl_packet packet = sample_packet(i * FL_PACKET_EVENTS, FL_PACKET_EVENTS - i);
        for (size_t j = 0; j < FL_PACKET_EVENTS; j++) {
            struct fl_event *event = &packet.events[j];
            const struct trace_event_info *info = trace_event_info(fl_event_id(event));
            event->thread = (uint32_t)draw_field(&seed, TRACE_FIELD_THREAD);
            event->space = (uint16_t)(draw(&seed) % 7);
            event->addr = draw_field(&seed, info->addr_kind);
            event->arg = (uint32_t)draw_field(&seed, info->arg_kind);
            event->aux = (uint32_t)draw_field(&seed, info->aux_kind);
        }
        assert_true(ctf_writer_packet(writer, &packet, NULL));
    }
    assert_true(ctf_writer_close(writer, NULL));
    g_free(path);
}

/* ---- The comparison ---- */

static char *babeltrace(const char *dir)
{
    const char *argv[] = {"babeltrace2", "--clock-seconds", "--no-delta", dir, NULL};
    char *program = g_find_program_in_path(argv[0]), *out = NULL, *err = NULL;
    int status;
    if (!program) {
        print_message("babeltrace2 is not installed: nothing to compare with\n");
        skip();
    }
    g_free(program);
    assert_true(g_spawn_sync(NULL, (char **)argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &out, &err,
                             &status, NULL));
    if (status != 0 || *err)
        fail_msg("babeltrace2 complains: %s", err);
    g_free(err);
    return out;
}

static size_t compare(const char *dir, char **lines)
{
    struct ctf_reader *reader = ctf_reader_open(dir, NULL);
    const struct fl_packet *packet;
    size_t count, n = 0;
    while (ctf_reader_packet(reader, &packet, &count))
        for (size_t i = 0; i < count; i++, n++) {
            assert_non_null(lines[n]);
            char *line = expected_line(&packet->events[i]);
            assert_string_equal(lines[n], line);
            g_free(line);
        }
    assert_string_equal(ctf_reader_damage(reader)->reason, "");
    ctf_reader_close(reader);
    return n;
}

/* In a directory as a run leaves it, with the JSON files beside ctf/. */
static void babeltrace_lists_what_our_reader_reads(void **state)
{
    (void)state;
    char *dir = sample_directory();
    write_packets(dir);
    assert_true(rundir_write(dir, "manifest.json", "{}\n", NULL));
    assert_true(rundir_write(dir, "plan.json", "{}\n", NULL));
    assert_true(rundir_write(dir, "verdict.json", "{}\n", NULL));
    char *text = babeltrace(dir);
    char **lines = g_strsplit(text, "\n", -1);
    size_t events = compare(dir, lines);
    assert_int_equal(events, PACKETS * FL_PACKET_EVENTS - PACKETS * (PACKETS - 1) / 2);
    assert_string_equal(lines[events], "");
    assert_null(lines[events + 1]);
    g_strfreev(lines);
    g_free(text);
    sample_remove(dir);
}

/* A run that is being recorded, or was killed at its start. */
static void babeltrace_reads_a_trace_without_events(void **state)
{
    (void)state;
    char *dir = sample_directory();
    char *path = g_build_filename(dir, "ctf", NULL);
    struct ctf_writer *writer = ctf_writer_open(path, NULL, NULL);
    char *text = babeltrace(dir);
    assert_string_equal(text, "");
    assert_true(ctf_writer_close(writer, NULL));
    g_free(text);
    g_free(path);
    sample_remove(dir);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(babeltrace_lists_what_our_reader_reads),
        cmocka_unit_test(babeltrace_reads_a_trace_without_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
