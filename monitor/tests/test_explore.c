/* The search as a whole, with a guest that is a thread of this program: how searches end, and that
 * a guest that is not a function of its plan is found out. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "explore/explore.h"
#include "fake_guest.h"
#include "plan.h"
#include "toy.h"

/* ---- a guest whose every run is: core starts, enters the kernel once, and ends ---- */

static struct {
    bool moody;    /* the time of an event differs from run to run */
    bool lossy;    /* an event is lost */
    bool stubborn; /* another thread is said to be ready, and is never let in */
} mood;

static size_t write_events(struct fl_event *events, uint32_t run)
{
    const uint32_t main_thread = FL_PATH_DOMAIN(0);
    size_t n = 0;
    events[n++] = (struct fl_event){.id_time = FL_EVENT_RUN_BEGIN};
    events[n++] = (struct fl_event){
        .id_time = FL_EVENT_THREAD_CREATE, .addr = FL_PATH_CORE, .aux = FL_SPACE_CORE};
    events[n++] = (struct fl_event){.id_time = FL_EVENT_SWITCH, .thread = FL_PATH_CORE, .space = 1};
    if (mood.stubborn)
        events[n++] = (struct fl_event){.id_time = FL_EVENT_THREAD_CREATE,
                                        .thread = FL_PATH_CORE,
                                        .space = 1,
                                        .addr = main_thread,
                                        .arg = 1,
                                        .aux = 2};
    events[n++] =
        (struct fl_event){.id_time = FL_EVENT_ENTRY | (mood.moody ? (uint64_t)run << 16 : 0),
                          .thread = FL_PATH_CORE,
                          .space = 1,
                          .point = FL_POINT_THREAD_EXIT,
                          .addr = mood.stubborn ? 2 : 0,
                          .aux = 1};
    events[n++] =
        (struct fl_event){.id_time = FL_EVENT_THREAD_EXIT, .thread = FL_PATH_CORE, .space = 1};
    events[n++] = (struct fl_event){.id_time = FL_EVENT_RUN_END, .arg = FL_OUTCOME_EXITED};
    const uint64_t end = fl_event_time(&events[n - 3]);
    for (size_t i = n - 2; i < n; i++)
        events[i].id_time |= end << 16;
    return n;
}

static void play(struct fake_guest *guest, const struct fl_plan *plan)
{
    fake_packet(guest, 0, 0);
    struct fl_packet *packet = &guest->shared->ring[(guest->ring_head - 1) % FL_RING_PACKETS];
    const size_t n = write_events(packet->events, guest->taken);
    packet->content_bits = 8 * (FL_PACKET_HEADER + n * sizeof(struct fl_event));
    packet->time_end = fl_event_time(&packet->events[n - 1]);
    guest->shared->results[guest->taken % FL_RESULT_SLOTS] = (struct fl_result){
        .serial = plan->serial,
        .outcome = FL_OUTCOME_EXITED,
        .first_packet = guest->ring_head - 1,
        .packets = 1,
        .events = (uint32_t)n,
        .lost = mood.lossy,
    };
    fake_store(&guest->control->plan_tail, ++guest->taken);
    fake_store(&guest->control->result_head, guest->taken);
}

static gpointer guest_main(gpointer data)
{
    struct fake_guest *guest = data;
    guest->control->abi_version = FL_ABI_VERSION;
    guest->control->state = FL_STATE_READY;
    __atomic_store_n(&guest->control->magic, FL_ABI_MAGIC, __ATOMIC_RELEASE);
    while (fake_goes_on(guest))
        if (fake_load(&guest->control->plan_head) != guest->taken &&
            fake_has_room(guest, PLAN_DEFAULT_PACKETS))
            play(guest, &guest->shared->plans[guest->taken % FL_PLAN_SLOTS]);
    return NULL;
}

static struct backend *guest_start(const struct backend_config *config, GError **error)
{
    (void)error;
    struct fake_guest *guest = g_new0(struct fake_guest, 1);
    guest->shared = guestmem_at(config->memory, FL_SHARED_OFFSET, sizeof *guest->shared, 4096);
    guest->control = &guest->shared->control;
    guest->thread = g_thread_new("guest", guest_main, guest);
    return &guest->base;
}

/* ---- searches ---- */

struct world {
    struct explore_options options;
    struct fl_plan base;
};

static void set_up(struct world *world)
{
    static const struct image image = {.path = "fake", .arch = "armv7"};
    static struct backend_ops backend;
    memset(&mood, 0, sizeof(mood));
    backend = fake_backend;
    backend.start = guest_start;
    const struct session_options session_options = {.backend = &backend, .image = &image};
    plan_init(&world->base, &toy_scenario, 0, 1);
    world->options = (struct explore_options){
        .crew = crew_new(&session_options, 1),
        .engine = engine_new(),
        .scenario = &toy_scenario,
        .base = &world->base,
        .strategy = &strategy_sparse,
        .minimise = true,
    };
}

static void tear_down(struct world *world)
{
    engine_free(world->options.engine);
    crew_free(world->options.crew);
}

static struct explore_result *search(struct world *world)
{
    GError *error = NULL;
    struct explore_result *result = explore(&world->options, &error);
    if (result == NULL)
        fail_msg("%s", error->message);
    return result;
}

static void nothing_is_left(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    world.options.strategy = &strategy_dfs;
    world.options.bound = 3;
    struct explore_result *result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_NOTHING_LEFT);
    assert_int_equal(result->runs, 1);
    assert_int_equal(result->places[FL_DEPTH_IPC], 0);
    assert_true(result->complete);
    assert_int_equal(result->reached.searched[FL_DEPTH_IPC], 4);
    assert_int_equal(result->distinct, 1);
    explore_free(result);
    tear_down(&world);
}

static void the_budget_is_spent(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    world.options.max_runs = 300;
    struct explore_result *result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_BUDGET_SPENT);
    assert_int_equal(result->runs, 300);
    assert_int_equal(result->distinct, 1);
    explore_free(result);

    world.options.max_runs = 0;
    world.options.max_seconds = 0.05;
    result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_BUDGET_SPENT);
    assert_true(result->seconds >= 0.05);
    explore_free(result);
    tear_down(&world);
}

static unsigned asked;

static bool on_the_fiftieth(void)
{
    return ++asked >= 50;
}

static void an_interrupt_ends_it(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    world.options.interrupted = on_the_fiftieth;
    struct explore_result *result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_INTERRUPTED);
    assert_true(result->runs > 0 && result->runs <= 50);
    explore_free(result);
    tear_down(&world);
}

static void lost_events_are_never_clean(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    world.options.strategy = &strategy_dfs;
    mood.lossy = true;
    struct explore_result *result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_INCONCLUSIVE);
    assert_int_equal(result->inconclusive, 1);
    explore_free(result);
    tear_down(&world);
}

static void equal_runs_are_not_suspected(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    world.options.max_runs = 100;
    world.options.twice_every = 1;
    struct explore_result *result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_BUDGET_SPENT);
    assert_int_equal(result->runs, 100);
    assert_null(result->first);
    explore_free(result);
    tear_down(&world);
}

static void a_moody_guest_is_found_out(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    world.options.twice_every = 7;
    world.options.max_runs = 100;
    mood.moody = true;
    struct explore_result *result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_ERROR);
    assert_non_null(strstr(result->error, "not deterministic"));
    assert_non_null(result->first);
    assert_non_null(result->second);
    assert_false(capture_same(result->first, result->second));
    explore_free(result);

    world.options.twice_every = 0;
    result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_BUDGET_SPENT);
    explore_free(result);
    tear_down(&world);
}

/* The default schedule shows a place with a ready thread; departing there must work. */
static void a_preemption_that_fails_is_an_error(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    world.options.strategy = &strategy_dfs;
    world.options.bound = 1;
    world.options.all = true;
    mood.stubborn = true;
    struct explore_result *result = search(&world);
    assert_int_equal(result->verdict, EXPLORE_ERROR);
    assert_non_null(strstr(result->error, "0 of 1 preemptions took place"));
    assert_non_null(strstr(result->error, "core@1->main"));
    explore_free(result);
    tear_down(&world);
}

static void one_run_is_captured(void **state)
{
    (void)state;
    struct world world;
    set_up(&world);
    struct capture *capture = explore_once(&world.options, &world.base, NULL);
    assert_non_null(capture);
    size_t count;
    g_autofree struct fl_event *events = capture_events(capture, &count);
    assert_int_equal(count, 6);
    assert_int_equal(fl_event_id(&events[5]), FL_EVENT_RUN_END);
    const struct verdict *verdict = capture_judge(capture, world.options.engine, &toy_scenario);
    if (verdict->kind != VERDICT_CLEAN)
        fail_msg("%s",
                 verdict->n_violations > 0 ? verdict->violations[0].message : verdict->reason);
    capture_free(capture);
    tear_down(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_is_left),
        cmocka_unit_test(the_budget_is_spent),
        cmocka_unit_test(an_interrupt_ends_it),
        cmocka_unit_test(lost_events_are_never_clean),
        cmocka_unit_test(equal_runs_are_not_suspected),
        cmocka_unit_test(a_moody_guest_is_found_out),
        cmocka_unit_test(a_preemption_that_fails_is_an_error),
        cmocka_unit_test(one_run_is_captured),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
