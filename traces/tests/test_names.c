/* Names of threads, spaces, values and regions. */
#include "unit.h"

static const struct {
    uint32_t path;
    const char *with, *without; /* a scenario */
} threads[] = {
    {FL_PATH_KERNEL, "kernel", "kernel"},
    {FL_PATH_CORE, "core", "core"},
    {FL_PATH_CORE | 0x00010000, "core.1", "core.1"},
    {FL_PATH_DOMAIN(0), "main", "d1"},
    {FL_PATH_CHILD2(0, 1), "t1", "d1.1"},
    {FL_PATH_CHILD2(0, 1) | 0x0200, "t1.2", "d1.1.2"},
    {FL_PATH_CHILD2(0, 1) | 0x02ff, "t1.2.255", "d1.1.2.255"},
    {FL_PATH_CHILD2(0, 2), "main.2", "d1.2"},
    {FL_PATH_CHILD2(0, 16), "main.16", "d1.16"},
    {FL_PATH_DOMAIN(1), "server", "d2"},
    {FL_PATH_CHILD2(1, 1), "server.1", "d2.1"},
    {FL_PATH_DOMAIN(2), "d3", "d3"},
    {FL_PATH_DOMAIN(253), "d254", "d254"},
    {0x02000100, "?0x02000100", "?0x02000100"},
    {0x00000001, "?0x00000001", "?0x00000001"},
};

static void thread_names_go_both_ways(void **state)
{
    (void)state;
    char name[TRACE_NAME_MAX];
    for (size_t i = 0; i < G_N_ELEMENTS(threads); i++) {
        uint32_t path = *threads[i].with == '?' ? 0 : threads[i].path;
        assert_string_equal(trace_thread_name(&sample_scenario, threads[i].path, name),
                            threads[i].with);
        assert_int_equal(trace_thread_path(&sample_scenario, threads[i].with), path);
        assert_string_equal(trace_thread_name(NULL, threads[i].path, name), threads[i].without);
        assert_int_equal(trace_thread_path(NULL, threads[i].without), path);
    }
}

static void every_path_of_two_levels_comes_back(void **state)
{
    (void)state;
    char name[TRACE_NAME_MAX];
    for (uint32_t path = 1 << 16; path >> 16 <= 0x0fff; path += 1 << 16)
        if (path >> 24)
            assert_int_equal(trace_thread_path(&sample_scenario,
                                               trace_thread_name(&sample_scenario, path, name)),
                             path);
}

static void names_of_no_thread_are_refused(void **state)
{
    (void)state;
    static const char *const names[] = {
        "",         "kernel",      "kernel.1",
        "mai",      "main.",       "main.0",
        "main.256", "main.01",     "main.+1",
        "main.1",   "main 1",      "main.1.x",
        "t1.1.1.1", "d1",          ".1",
        "main..1",  "d0",          "d255",
        "t1t1",     "?0x02000100", "main.99999999999999999999",
    };
    for (size_t i = 0; i < G_N_ELEMENTS(names); i++)
        assert_int_equal(trace_thread_path(&sample_scenario, names[i]), 0);
}

/* What an image or a file says of itself may be anything. */
static void wild_scenarios_are_survived(void **state)
{
    (void)state;
    struct fl_scenario wild;
    char name[TRACE_NAME_MAX];
    memset(&wild, 'x', sizeof wild);
    assert_string_equal(trace_thread_name(&wild, FL_PATH_DOMAIN(3), name), "xxxxxxxxxxxx");
    assert_string_equal(trace_thread_name(&wild, 0x78787878, name), "xxxxxxxxxxxx");
    assert_string_equal(trace_space_name(&wild, 5, name), "xxxxxxxxxxxx");
    memset(&wild, 0, sizeof wild);
    wild.n_domains = wild.n_named = UINT32_MAX;
    assert_string_equal(trace_thread_name(&wild, FL_PATH_DOMAIN(7), name), "d8");
    assert_int_equal(trace_thread_path(&wild, "d8.3"), FL_PATH_CHILD2(7, 3));
}

static void spaces_have_names(void **state)
{
    (void)state;
    char name[TRACE_NAME_MAX];
    assert_string_equal(trace_space_name(&sample_scenario, FL_SPACE_KERNEL, name), "kernel");
    assert_string_equal(trace_space_name(&sample_scenario, FL_SPACE_CORE, name), "core");
    assert_string_equal(trace_space_name(&sample_scenario, FL_SPACE_DOMAIN(1), name), "server");
    assert_string_equal(trace_space_name(&sample_scenario, FL_SPACE_DOMAIN(2), name), "d3");
    assert_string_equal(trace_space_name(NULL, 65535, name), "d65534");
}

static void values_have_names(void **state)
{
    (void)state;
    assert_string_equal(trace_value_name(TRACE_RIGHTS, FL_RIGHTS_RW), "rw-");
    assert_string_equal(trace_value_name(TRACE_ERRORS, FL_ERROR_REGION_CONFLICT),
                        "region-conflict");
    assert_string_equal(trace_value_name(TRACE_LABEL, FL_LABEL_USER), "USER");
    assert_null(trace_value_name(TRACE_RIGHTS, 2));
    assert_null(trace_value_name(TRACE_ACCESS, UINT64_C(1) << 32));
    assert_string_equal(trace_point_name(FL_POINT_IPC_SEND), "ipc-send");
    assert_null(trace_point_name(999));
    assert_int_equal(trace_point_depth(FL_POINT_LOCK), FL_DEPTH_SYNC);
    assert_int_equal(trace_point_depth(999), FL_DEPTH_NEVER);
    assert_int_equal(trace_depth_of("access"), FL_DEPTH_ACCESS);
    assert_int_equal(trace_depth_of("never"), -1);
    assert_int_equal(trace_depth_of("deep"), -1);
    assert_string_equal(trace_event_info(FL_EVENT_RUN_BEGIN)->aux_name, "variant");
    assert_null(trace_event_info(FL_EVENT_COUNT));
}

static void addresses_become_pages_of_regions(void **state)
{
    (void)state;
    static const struct {
        uint64_t address;
        const char *region;
        uint32_t page;
    } rows[] = {
        {0, "elsewhere", 0},
        {FL_PROGRAM_BASE + 0x5000, "program", 0},
        {FL_ATTACH_BASE + 0x5fff, "attach", 5},
        {FL_CONTEXT_BASE, "context", 0},
        {FL_CONTEXT_BASE + FL_CONTEXT_SIZE - 1, "context", 0xffff},
        {FL_VM_BASE, "vm", 0},
        {FL_UTCB_BASE + 0x3000, "utcb", 0},
        {FL_INFO_BASE + 0x1000, "elsewhere", 0},
        {UINT64_MAX, "elsewhere", 0},
        {FL_CONTEXT_BASE | UINT64_C(1) << 32, "elsewhere", 0},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        uint32_t page = 1234;
        assert_string_equal(trace_region_name(trace_region(rows[i].address, &page)),
                            rows[i].region);
        assert_int_equal(page, rows[i].page);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(thread_names_go_both_ways),
        cmocka_unit_test(every_path_of_two_levels_comes_back),
        cmocka_unit_test(names_of_no_thread_are_refused),
        cmocka_unit_test(wild_scenarios_are_survived),
        cmocka_unit_test(spaces_have_names),
        cmocka_unit_test(values_have_names),
        cmocka_unit_test(addresses_become_pages_of_regions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
