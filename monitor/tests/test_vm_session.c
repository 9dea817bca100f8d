/* Sessions on real guests: those that misbehave, that are killed, and whose monitor is killed. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <poll.h>
#include <sys/wait.h>
#include <cmocka.h>
#include "lane.h"
#include "plan.h"
#include "scratch.h"

#define PATIENCE_MS 30000

static struct session_options lane;
static const struct image *image;

static int open_image(void **state)
{
    (void)state;
    lane = lane_open(lane_name());
    image = lane.image;
    return 0;
}

static int close_image(void **state)
{
    (void)state;
    image_close((struct image *)image);
    return 0;
}

static struct session *open_session(double watchdog)
{
    GError *error = NULL;
    struct session_options options = lane;
    options.watchdog = watchdog;
    struct session *session = session_open(&options, &error);
    if (session == NULL)
        fail_msg("no session: %s", error->message);
    return session;
}

static void post(struct session *session, const char *scenario, const char *variant)
{
    int index = image_scenario(image, scenario);
    assert_true(index >= 0);
    int which = scenario_variant(&image->scenarios[index], variant);
    assert_true(which >= 0);
    struct fl_plan plan;
    plan_init(&plan, &image->scenarios[index], (unsigned)index, (unsigned)which);
    session_post(session, &plan);
}

static struct run wait_run(struct session *session)
{
    struct run run;
    GError *error = NULL;
    enum session_event event = session_wait(session, PATIENCE_MS, &run, NULL, &error);
    if (event != SESSION_RUN)
        fail_msg("no run: %s", error != NULL ? error->message : "the guest does not answer");
    return run;
}

static uint32_t next_outcome(struct session *session)
{
    struct run run = wait_run(session);
    session_release(session);
    return run.result.outcome;
}

/* The process id of the guest of the one session there is; 0: none noted. */
static pid_t guest_pid(const char *scratch)
{
    char *command = g_strdup_printf("cat %s/faultline-*/*/vm.pid 2>/dev/null", scratch);
    FILE *pipe = popen(command, "re");
    long pid = 0;
    if (fscanf(pipe, "%ld", &pid) != 1)
        pid = 0;
    pclose(pipe);
    g_free(command);
    return (pid_t)pid;
}

static void entries_have_places_in_the_source(void **state)
{
    (void)state;
    struct session *session = open_session(0);
    unsigned known = 0, entries = 0;
    size_t n;
    post(session, "smoke", "plain");
    struct run run = wait_run(session);
    assert_int_equal(run.result.outcome, FL_OUTCOME_EXITED);
    for (uint32_t i = 0; i < run.result.packets; i++) {
        const struct fl_packet *packet = session_packet(session, &run, i, &n);
        for (size_t j = 0; j < n; j++) {
            struct source_place place;
            if (fl_event_id(&packet->events[j]) != FL_EVENT_ENTRY)
                continue;
            entries++;
            if (!image_source(image, packet->events[j].arg, &place))
                continue;
            known++;
            assert_true(g_str_has_suffix(place.file, ".c"));
            assert_true(g_str_has_prefix(place.file, "guest/"));
            assert_true(place.line > 0);
        }
    }
    session_release(session);
    session_close(session);
    assert_true(entries > 10 && known * 10 >= entries * 9);
}

/* Each in the middle of a batch, which goes on. */
static void misbehaviour_is_a_result(void **state)
{
    (void)state;
    static const struct {
        const char *variant;
        uint32_t outcome;
        const char *death;
    } rows[] = {
        {"kernel_fault", FL_OUTCOME_GUEST_FAULT, ""},
        {"kernel_loop", FL_OUTCOME_SILENT, "the guest made no progress for 0.5 s"},
        {"power_off", FL_OUTCOME_DEAD, "the guest powered off"},
        {"write_shared", FL_OUTCOME_ABI_VIOLATION, "results"},
        {"spin", FL_OUTCOME_HUNG, ""},
        {"deadlock", FL_OUTCOME_DEADLOCK, ""},
        {"own_table", FL_OUTCOME_NONE, ""}, /* what comes of it is the architecture's */
        {"flood", FL_OUTCOME_ABI_VIOLATION, ""},
        {"power_off", FL_OUTCOME_DEAD, "the guest powered off"},
    };
    struct session *session = open_session(0.5);
    post(session, "smoke", "plain");
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        post(session, "rig_misbehave", rows[i].variant);
        post(session, "smoke", "plain");
    }
    assert_int_equal(next_outcome(session), FL_OUTCOME_EXITED);
    for (size_t i = 0; i < G_N_ELEMENTS(rows); i++) {
        struct run run = wait_run(session);
        if (rows[i].outcome != FL_OUTCOME_NONE)
            assert_int_equal(run.result.outcome, rows[i].outcome);
        if (strstr(run.death, rows[i].death) == NULL)
            fail_msg("\"%s\" does not say \"%s\"", run.death, rows[i].death);
        session_release(session);
        assert_int_equal(next_outcome(session), FL_OUTCOME_EXITED);
    }
    session_close(session);
}

/* What takes long to start is not started for every guest. */
static void a_carrier_outlives_its_guests(void **state)
{
    struct session *session = open_session(0);
    const bool carried = lane.backend->end_guest != NULL;
    const pid_t first = guest_pid(*state);
    post(session, "rig_misbehave", "power_off");
    post(session, "smoke", "plain");
    assert_int_equal(next_outcome(session), FL_OUTCOME_DEAD);
    assert_int_equal(next_outcome(session), FL_OUTCOME_EXITED);
    assert_int_equal(session_boots(session), 2);
    assert_int_equal(guest_pid(*state) == first, carried);
    session_close(session);
}

static void a_killed_guest_is_replaced(void **state)
{
    struct session *session = open_session(0);
    post(session, "rig_misbehave", "kernel_loop");
    const pid_t guest = guest_pid(*state);
    assert_true(guest > 0); /* 0 would be all of this test's own group */
    kill(guest, SIGKILL);
    post(session, "smoke", "plain");
    struct run run = wait_run(session);
    assert_int_equal(run.result.outcome, FL_OUTCOME_DEAD);
    assert_non_null(strstr(run.death, "was ended by signal 9 (Killed)"));
    session_release(session);
    assert_int_equal(next_outcome(session), FL_OUTCOME_EXITED);
    session_close(session);
}

/* State of a process as in /proc/pid/stat. */
static char process_state(pid_t pid)
{
    char *path = g_strdup_printf("/proc/%ld/stat", (long)pid);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    char *end = text != NULL ? strrchr(text, ')') : NULL;
    char state = end != NULL ? end[2] : '?';
    g_free(text);
    g_free(path);
    return state;
}

static void an_idle_guest_burns_nothing(void **state)
{
    struct session *session = open_session(0);
    pid_t pid = guest_pid(*state);
    for (unsigned i = 0; i < 50; i++) {
        siginfo_t info;
        assert_int_equal(waitid(P_PID, (id_t)pid, &info, WSTOPPED | WNOWAIT), 0);
        assert_int_equal(process_state(pid), 'T');
        post(session, "smoke", "plain");
        assert_int_equal(next_outcome(session), FL_OUTCOME_EXITED);
    }
    session_close(session);
}

/* A monitor that searches until it is killed. Its own process. */
static void be_a_monitor(void)
{
    struct session *session = session_open(&lane, NULL);
    while (session != NULL) {
        while (session_room(session) > 0)
            post(session, "smoke", "plain");
        next_outcome(session);
    }
    _exit(1);
}

static void wait_for_end_of(pid_t pid)
{
    int fd = pid > 0 ? pidfd_open(pid, 0) : -1;
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    if (fd < 0)
        return;
    assert_int_equal(poll(&ended, 1, 5000), 1);
    close(fd);
}

static void a_killed_monitor_leaves_nothing(void **state)
{
    GRand *dice = g_rand_new_with_seed(11);
    unsigned caught = 0;
    for (unsigned i = 0; i < 20; i++) {
        pid_t monitor = fork();
        if (monitor == 0)
            be_a_monitor();
        g_usleep((gulong)g_rand_int_range(dice, 1000, 150000)); /* the random moment */
        pid_t qemu = guest_pid(*state);
        kill(monitor, SIGKILL);
        assert_int_equal(waitpid(monitor, NULL, 0), monitor);
        wait_for_end_of(qemu);
        caught += qemu != 0;
    }
    g_rand_free(dice);
    assert_true(caught >= 5);
    session_close(open_session(0)); /* sweeps; remove_scratch fails when anything is left */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_have_places_in_the_source), TEST(misbehaviour_is_a_result),
        TEST(a_carrier_outlives_its_guests),     TEST(a_killed_guest_is_replaced),
        TEST(an_idle_guest_burns_nothing),       TEST(a_killed_monitor_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, open_image, close_image);
}
