/* A session and its guest, well-behaved and not: every plan gets its one result, in order. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>
#include "capture.h"
#include "fake_guest.h"
#include "session.h"

#define WATCHDOG 0.2 /* seconds; the fake guest answers in microseconds */

static struct session *open_session_on(const struct backend_ops *backend)
{
    static const struct image image = {.path = "fake", .arch = "armv7"};
    struct session_options options = {.backend = backend, .image = &image, .watchdog = WATCHDOG};
    memset(&fake, 0, sizeof fake);
    struct session *session = session_open(&options, NULL);
    assert_non_null(session);
    return session;
}

static struct session *open_session(void)
{
    return open_session_on(&fake_backend);
}

static void close_session(struct session *session)
{
    session_close(session);
    assert_int_equal(fake.starts, fake.stops);
}

static void post(struct session *session, enum trick trick, uint32_t seed)
{
    struct fl_plan plan = {.scenario = (uint16_t)trick, .seed = seed, .max_packets = 8};
    session_post(session, &plan);
}

static struct run wait_run(struct session *session)
{
    struct run run;
    memset(&run, 0xaa, sizeof run);
    assert_int_equal(session_wait(session, -1, &run, NULL, NULL), SESSION_RUN);
    return run;
}

/* The events of the run that is held: as many as the guest put there, all with the plan's seed. */
static void assert_packets(struct session *session, const struct run *run)
{
    size_t events = 0, n;
    for (uint32_t i = 0; i < run->result.packets; i++) {
        const struct fl_packet *packet = session_packet(session, run, i, &n);
        assert_non_null(packet);
        for (size_t j = 0; j < n; j++)
            assert_int_equal(packet->events[j].thread, run->plan.seed);
        events += n;
    }
    assert_int_equal(events, run->result.events);
}

static void assert_good(struct session *session, const struct run *run, uint32_t seed)
{
    assert_int_equal(run->result.outcome, FL_OUTCOME_EXITED);
    assert_false(run->corrupt);
    assert_string_equal(run->death, "");
    assert_int_equal(run->plan.seed, seed);
    assert_int_equal(run->result.packets, 2);
    assert_int_equal(run->result.serial, run->plan.serial);
    assert_packets(session, run);
}

static void runs_come_back_in_order(void **state)
{
    (void)state;
    struct session *session = open_session();
    uint32_t posted = 0;
    for (uint32_t seed = 0; seed < 2000; seed++) { /* the ring goes round 7 times */
        for (; session_room(session) > 0 && posted < 2000; posted++)
            post(session, GOOD, posted);
        struct run run = wait_run(session);
        assert_good(session, &run, seed);
        session_release(session);
    }
    assert_int_equal(session_in_flight(session), 0);
    assert_int_equal(session_boots(session), 1);
    close_session(session);
}

static void keeps_a_run_in_place_until_released(void **state)
{
    (void)state;
    struct session *session = open_session();
    post(session, GOOD, 1);
    struct run run = wait_run(session);
    assert_int_equal(session_room(session), FL_PLAN_SLOTS - 1);
    for (uint32_t i = 0; session_room(session) > 0; i++)
        post(session, GOOD, 2 + i);
    assert_int_equal(session_in_flight(session), FL_PLAN_SLOTS - 1);
    assert_good(session, &run, 1);
    session_release(session);
    assert_int_equal(session_room(session), 1);
    session_drop(session);
    close_session(session);
}

static void times_out_when_there_is_nothing(void **state)
{
    (void)state;
    struct session *session = open_session();
    struct run run;
    assert_int_equal(session_wait(session, -1, &run, NULL, NULL), SESSION_TIMEOUT);
    post(session, SILENT, 1);
    gint64 before = g_get_monotonic_time();
    assert_int_equal(session_wait(session, 20, &run, NULL, NULL), SESSION_TIMEOUT);
    assert_true(g_get_monotonic_time() - before >= 20000);
    assert_int_equal(session_wait(session, 0, &run, NULL, NULL), SESSION_TIMEOUT);
    assert_int_equal(session_in_flight(session), 1);
    close_session(session);
}

/* In a batch with a good run on either side, each trick costs its own run and no other. */
static void a_bad_run_costs_itself_alone(void **state)
{
    (void)state;
    static const struct {
        enum trick trick;
        uint32_t outcome;
        const char *death;
        uint32_t packets; /* sound ones that are left to read */
    } rows[] = {
        {DIES, FL_OUTCOME_DEAD, "the fake guest ended", 1},
        {SILENT, FL_OUTCOME_SILENT, "no progress for 0.2 s", 1},
        {WRONG_SERIAL, FL_OUTCOME_ABI_VIOLATION, "where that of plan", 2},
        {WRONG_OUTCOME, FL_OUTCOME_ABI_VIOLATION, "has outcome 16", 2},
        {WRONG_COUNT, FL_OUTCOME_ABI_VIOLATION, "counts 134 events, its packets hold 133", 2},
        {RESULTS_AHEAD, FL_OUTCOME_ABI_VIOLATION, "65 results", 1},
        {RESULTS_BACK, FL_OUTCOME_ABI_VIOLATION, "4294967295 results", 1},
        {PLANS_AHEAD, FL_OUTCOME_ABI_VIOLATION, "65 plans begun", 1},
        {ASKS_AHEAD, FL_OUTCOME_ABI_VIOLATION, "2 decisions not answered", 1},
        {PACKETS_OUTSIDE, FL_OUTCOME_ABI_VIOLATION, "the ring holds", 2},
        {PACKETS_BEFORE, FL_OUTCOME_ABI_VIOLATION, "the ring holds", 2},
        {PACKETS_MANY, FL_OUTCOME_ABI_VIOLATION, "the ring holds", 2},
        {PACKETS_FEWER, FL_OUTCOME_ABI_VIOLATION, "the ring holds", 2},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct session *session = open_session();
        post(session, GOOD, 5);
        struct run run = wait_run(session);
        session_release(session);
        post(session, rows[i].trick, 6);
        run = wait_run(session);
        assert_int_equal(run.result.outcome, rows[i].outcome);
        assert_int_equal(run.corrupt, rows[i].outcome == FL_OUTCOME_ABI_VIOLATION);
        if (strstr(run.death, rows[i].death) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", run.death, rows[i].death);
        assert_int_equal(run.plan.seed, 6);
        assert_int_equal(run.result.packets, rows[i].packets);
        assert_packets(session, &run);
        session_release(session);
        post(session, GOOD, 7);
        run = wait_run(session);
        assert_good(session, &run, 7);
        session_release(session);
        assert_int_equal(session_boots(session), 2);
        close_session(session);
    }
}

/* What was seen of a run stays its own, whatever the guest says afterwards. */
static void packets_are_seen_while_a_run_goes_on(void **state)
{
    (void)state;
    static const enum trick tricks[] = {ASKS, RING_AHEAD, RING_BACK};
    for (size_t i = 0; i < G_N_ELEMENTS(tricks); i++) {
        struct session *session = open_session();
        const struct fl_plan plan = {.scenario = (uint16_t)tricks[i],
                                     .variant = 1,
                                     .mode = FL_MODE_ONLINE,
                                     .seed = 7,
                                     .max_packets = 8};
        struct run run;
        struct fl_decision ask;
        session_post(session, &plan);
        assert_int_equal(session_wait(session, -1, &run, &ask, NULL), SESSION_ASK);
        assert_int_equal(session_closed(session), 1);
        assert_int_equal(session_closed_packet(session, 0)->events[0].thread, 7);
        session_answer(session, 0);
        run = wait_run(session);
        assert_int_equal(session_closed(session), 0);
        assert_int_equal(run.result.packets, tricks[i] == ASKS ? 2 : 1);
        assert_int_equal(run.corrupt, tricks[i] != ASKS);
        assert_packets(session, &run);
        session_release(session);
        close_session(session);
    }
}

static void an_unsound_packet_is_not_handed_out(void **state)
{
    (void)state;
    struct session *session = open_session();
    size_t n;
    post(session, BAD_PACKET, 1);
    struct run run = wait_run(session);
    assert_true(run.corrupt);
    assert_int_equal(run.result.outcome, FL_OUTCOME_ABI_VIOLATION);
    assert_non_null(strstr(run.death, "packet 1 of 2 is unsound"));
    assert_null(session_packet(session, &run, 0, &n));
    assert_non_null(session_packet(session, &run, 1, &n));
    assert_int_equal(n, 2);
    session_release(session);
    close_session(session);
}

/* The guest goes on while its run is looked at, and nothing keeps it from writing there. */
static void a_packet_that_changes_under_the_reader_is_left_out(void **state)
{
    (void)state;
    struct session *session = open_session();
    post(session, GOOD, 4);
    struct run run = wait_run(session);
    fake.last->shared->ring[1].content_bits = UINT64_MAX;
    struct capture *capture = capture_take(session, &run);
    size_t count;
    struct fl_event *events = capture_events(capture, &count);
    assert_int_equal(count, FL_PACKET_EVENTS);
    assert_true(capture->corrupt);
    g_free(events);
    capture_free(capture);
    session_release(session);
    close_session(session);
}

static void the_rest_of_a_batch_goes_on(void **state)
{
    (void)state;
    static const enum trick batch[] = {GOOD, DIES, GOOD, GOOD, WRONG_SERIAL,  DIES,          SILENT,
                                       DIES, DIES, DIES, GOOD, RESULTS_AHEAD, HOST_COUNTERS, GOOD};
    struct session *session = open_session();
    for (uint32_t i = 0; i < G_N_ELEMENTS(batch); i++)
        post(session, batch[i], i);
    for (uint32_t i = 0; i < G_N_ELEMENTS(batch); i++) {
        struct run run = wait_run(session);
        assert_int_equal(run.plan.seed, i);
        bool good = batch[i] == GOOD || batch[i] == HOST_COUNTERS;
        assert_int_equal(run.result.outcome == FL_OUTCOME_EXITED, good);
        if (good)
            assert_good(session, &run, i);
        session_release(session);
    }
    assert_in_range(session_boots(session), 10, 12); /* 8 bad runs; 2 needed a second look */
    close_session(session);
}

static void a_refused_plan_has_no_packets(void **state)
{
    (void)state;
    struct session *session = open_session();
    static const enum trick batch[] = {GOOD, REFUSES, GOOD};
    for (uint32_t i = 0; i < G_N_ELEMENTS(batch); i++)
        post(session, batch[i], i);
    for (uint32_t i = 0; i < G_N_ELEMENTS(batch); i++) {
        struct run run = wait_run(session);
        if (batch[i] == GOOD)
            assert_good(session, &run, i);
        assert_int_equal(run.result.outcome == FL_OUTCOME_ABI_VIOLATION, batch[i] == REFUSES);
        assert_false(run.corrupt);
        session_release(session);
    }
    assert_int_equal(session_boots(session), 1);
    close_session(session);
}

static void online_decisions_are_asked_and_answered(void **state)
{
    (void)state;
    struct session *session = open_session();
    struct fl_plan plan = {
        .scenario = ASKS, .variant = 300, .mode = FL_MODE_ONLINE, .max_packets = 8, .seed = 3};
    session_post(session, &plan);
    struct run run;
    struct fl_decision ask;
    for (uint32_t i = 1; i <= 300; i++) {
        assert_int_equal(session_wait(session, -1, &run, &ask, NULL), SESSION_ASK);
        assert_int_equal(ask.n, i);
        session_answer(session, i);
    }
    run = wait_run(session);
    assert_good(session, &run, 3);
    assert_int_equal(run.result.fault_addr, 300 * 301 / 2);
    session_release(session);
    close_session(session);
}

/* Two guests, the first of which dies. */
static void lose_a_guest(struct session *session)
{
    post(session, DIES, 1);
    post(session, GOOD, 2);
    assert_int_equal(wait_run(session).result.outcome, FL_OUTCOME_DEAD);
    session_release(session);
    struct run run = wait_run(session);
    assert_good(session, &run, 2);
    session_release(session);
}

/* Until it does not end a guest, or does not start one: then there is another carrier. */
static void a_carrier_outlives_its_guests(void **state)
{
    (void)state;
    struct session *session = open_session_on(&fake_carried);
    lose_a_guest(session);
    lose_a_guest(session);
    assert_int_equal(session_boots(session), 3);
    assert_int_equal(fake.starts, 1);
    assert_int_equal(fake.nexts, 2);
    fake.ends_badly = true;
    lose_a_guest(session);
    assert_int_equal(fake.starts, 2);
    assert_int_equal(fake.stops, 1);
    fake.ends_badly = false;
    fake.starts_badly = true;
    lose_a_guest(session);
    assert_int_equal(fake.starts, 3);
    assert_int_equal(fake.stops, 2);
    assert_int_equal(fake.ends, 4);
    close_session(session);
}

static void a_carrier_without_a_guest_is_stopped_too(void **state)
{
    (void)state;
    struct session *session = open_session_on(&fake_carried);
    post(session, GOOD, 1);
    session_drop(session);
    assert_int_equal(fake.ends, 1);
    assert_int_equal(fake.stops, 0);
    close_session(session);
}

/* Nobody would answer: who posts a plan waits for its run. Nor in mode step, where it stands still
 * and does not ask; and it stands still in no other. */
static void a_posted_plan_asks_nothing(void **state)
{
    (void)state;
    static const struct fl_plan plans[] = {
        {.scenario = ASKS, .variant = 1, .max_packets = 8},
        {.scenario = ASKS, .variant = 1, .max_packets = 8, .mode = FL_MODE_STEP},
        {.scenario = STANDS, .variant = 1, .max_packets = 8},
    };
    for (size_t i = 0; i < G_N_ELEMENTS(plans); i++) {
        struct session *session = open_session();
        session_post(session, &plans[i]);
        struct run run = wait_run(session);
        assert_int_equal(run.result.outcome, FL_OUTCOME_ABI_VIOLATION);
        assert_non_null(strstr(run.death, "asks for a decision"));
        session_release(session);
        close_session(session);
    }
}

static void a_stepped_guest_stands_where_it_is_told(void **state)
{
    (void)state;
    struct session *session = open_session();
    const struct fl_plan plan = {
        .scenario = STANDS, .variant = 3, .mode = FL_MODE_STEP, .max_packets = 8, .seed = 5};
    struct run run;
    struct fl_decision here;
    const unsigned parked = fake.parks;
    session_stop_at(session, 10, 0);
    session_post(session, &plan);
    for (uint32_t i = 0; i < 3; i++) {
        assert_int_equal(session_wait(session, -1, &run, &here, NULL), SESSION_STOP);
        assert_int_equal(fake.parks, parked + i + 1); /* a guest that stands burns no CPU */
        assert_int_equal(here.n, 10 + i);
        assert_int_equal(here.k, 2 * i);
        assert_int_equal(session_stop_pc(session), 0x1000 + 2 * i);
        assert_int_equal(session_event(session, 125)->thread, 5);
        assert_int_equal(fl_event_time(session_event(session, 11)), 11);
        session_stop_at(session, 11 + i, 2 * (i + 1));
        session_go_on(session);
    }
    run = wait_run(session);
    assert_good(session, &run, 5);
    session_release(session);
    close_session(session);
}

/* A user may think as long as he likes: it is not the guest that is silent then. */
static void the_watchdog_sleeps_while_the_host_is_asked(void **state)
{
    (void)state;
    struct session *session = open_session();
    struct fl_plan plan = {
        .scenario = ASKS, .variant = 1, .mode = FL_MODE_ONLINE, .max_packets = 8};
    struct run run;
    struct fl_decision ask;
    session_post(session, &plan);
    gint64 end = g_get_monotonic_time() + (gint64)(3 * WATCHDOG * G_USEC_PER_SEC);
    while (g_get_monotonic_time() < end)
        assert_int_equal(session_wait(session, -1, &run, &ask, NULL), SESSION_ASK);
    session_answer(session, 0);
    run = wait_run(session);
    assert_good(session, &run, 0);
    session_release(session);
    close_session(session);
}

/* When others have the processor, it is not the guest that is silent; and yet there is an end. */
static void the_watchdog_counts_the_guests_own_time(void **state)
{
    (void)state;
    static const struct {
        double waits; /* of its time */
        double least; /* the watchdog's limit, so often */
    } rows[] = {{0, 1}, {0.75, 3}, {2, 8}};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct session *session = open_session();
        fake.waits = rows[i].waits;
        const gint64 before = g_get_monotonic_time();
        post(session, SILENT, 1);
        struct run run = wait_run(session);
        assert_int_equal(run.result.outcome, FL_OUTCOME_SILENT);
        const double passed = (double)(g_get_monotonic_time() - before) / G_USEC_PER_SEC;
        assert_true(passed >= rows[i].least * WATCHDOG);
        session_release(session);
        close_session(session);
    }
}

static void an_idle_guest_is_parked(void **state)
{
    (void)state;
    struct session *session = open_session();
    assert_int_equal(fake.parks, 1);
    post(session, GOOD, 1);
    post(session, GOOD, 2);
    assert_in_range(fake.unparks, 1, 2);
    for (unsigned i = 0; i < 2; i++) {
        assert_int_equal(fake.parks, 1);
        wait_run(session);
        session_release(session);
    }
    assert_int_equal(fake.parks, 2);
    close_session(session);
}

static void a_guest_that_dies_idle_is_nobodys_fault(void **state)
{
    (void)state;
    struct session *session = open_session();
    g_atomic_int_set(&fake.last->ended, 1);
    post(session, GOOD, 9);
    struct run run = wait_run(session);
    assert_good(session, &run, 9);
    assert_int_equal(session_boots(session), 2);
    session_release(session);
    close_session(session);
}

static void dropped_plans_are_forgotten(void **state)
{
    (void)state;
    struct session *session = open_session();
    post(session, GOOD, 1);
    for (uint32_t i = 0; i < 20; i++)
        post(session, i == 3 ? SILENT : GOOD, 100);
    struct run run = wait_run(session);
    session_drop(session);
    assert_int_equal(session_in_flight(session), 0);
    assert_good(session, &run, 1); /* its packets are still there */
    session_release(session);
    post(session, GOOD, 2);
    run = wait_run(session);
    assert_good(session, &run, 2);
    session_release(session);
    close_session(session);
}

static void says_why_no_guest_boots(void **state)
{
    (void)state;
    static const struct {
        enum boot_trick boot;
        const char *words;
    } rows[] = {
        {BOOTS_DYING, "did not boot, 3 times in a row: the fake guest ended"},
        {BOOTS_FOREIGN, "another ABI version"},
    };
    static const struct image image = {.path = "fake", .arch = "armv7"};
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        memset(&fake, 0, sizeof fake);
        fake.boot = rows[i].boot;
        GError *error = NULL;
        struct session_options options = {.backend = &fake_backend, .image = &image};
        assert_null(session_open(&options, &error));
        assert_non_null(strstr(error->message, rows[i].words));
        assert_int_equal(fake.starts, 3);
        assert_int_equal(fake.stops, 3);
        g_error_free(error);
    }
}

static void fails_when_no_guest_can_be_had_any_more(void **state)
{
    (void)state;
    struct session *session = open_session();
    GError *error = NULL;
    post(session, DIES, 1);
    post(session, GOOD, 2);
    wait_run(session);
    session_release(session);
    fake.boot = BOOTS_DYING;
    struct run run;
    assert_int_equal(session_wait(session, -1, &run, NULL, &error), SESSION_FAILED);
    assert_non_null(strstr(error->message, "did not boot"));
    assert_int_equal(fake.starts, 4);
    g_error_free(error);
    close_session(session);
}

static void refuses_an_image_of_another_architecture(void **state)
{
    (void)state;
    static const struct image image = {.path = "fake.elf", .arch = "x86_64"};
    struct session_options options = {.backend = &fake_backend, .image = &image};
    GError *error = NULL;
    assert_null(session_open(&options, &error));
    assert_string_equal(error->message,
                        "back end fake runs armv7 guests, fake.elf is one for x86_64");
    g_error_free(error);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(runs_come_back_in_order),
        cmocka_unit_test(keeps_a_run_in_place_until_released),
        cmocka_unit_test(times_out_when_there_is_nothing),
        cmocka_unit_test(a_bad_run_costs_itself_alone),
        cmocka_unit_test(packets_are_seen_while_a_run_goes_on),
        cmocka_unit_test(an_unsound_packet_is_not_handed_out),
        cmocka_unit_test(a_packet_that_changes_under_the_reader_is_left_out),
        cmocka_unit_test(the_rest_of_a_batch_goes_on),
        cmocka_unit_test(a_refused_plan_has_no_packets),
        cmocka_unit_test(online_decisions_are_asked_and_answered),
        cmocka_unit_test(a_carrier_outlives_its_guests),
        cmocka_unit_test(a_carrier_without_a_guest_is_stopped_too),
        cmocka_unit_test(a_posted_plan_asks_nothing),
        cmocka_unit_test(a_stepped_guest_stands_where_it_is_told),
        cmocka_unit_test(the_watchdog_sleeps_while_the_host_is_asked),
        cmocka_unit_test(the_watchdog_counts_the_guests_own_time),
        cmocka_unit_test(an_idle_guest_is_parked),
        cmocka_unit_test(a_guest_that_dies_idle_is_nobodys_fault),
        cmocka_unit_test(dropped_plans_are_forgotten),
        cmocka_unit_test(says_why_no_guest_boots),
        cmocka_unit_test(fails_when_no_guest_can_be_had_any_more),
        cmocka_unit_test(refuses_an_image_of_another_architecture),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
