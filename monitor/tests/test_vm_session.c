/* Sessions on real guests: those that misbehave, that are killed, and whose monitor is killed. */
#include <errno.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>
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

/* The address of a register in a guest's last words. */
static uint64_t register_in(const char *death, const char *name)
{
    const char *at = strstr(death, name);
    if (at == NULL)
        fail_msg("no \"%s\" in \"%s\"", name, death);
    return strtoull(at + strlen(name), NULL, 16);
}

/* Where the back end can be asked: the loop is in the function that says so in the source. */
static void a_silent_guest_tells_where_it_stands(void **state)
{
    (void)state;
    if (lane.backend->end_telling == NULL)
        return;
    struct session *session = open_session(0.5);
    for (unsigned i = 0; i < 2; i++) {
        struct source_place place;
        post(session, "rig_misbehave", "kernel_loop");
        struct run run = wait_run(session);
        assert_int_equal(run.result.outcome, FL_OUTCOME_SILENT);
        print_message("%s\n", run.death);
        assert_true(image_source(image, register_in(run.death, "; rip "), &place));
        assert_string_equal(place.function, "do_debug");
        assert_int_not_equal(register_in(run.death, " cr3 "), 0);
        session_release(session);
    }
    post(session, "smoke", "plain");
    assert_int_equal(next_outcome(session), FL_OUTCOME_EXITED);
    session_close(session);
}

/* ---- a guest whose processor is wanted by others ---- */

#define RIVALS 16

static void bind_guest(pid_t pid, const cpu_set_t *set)
{
    g_autofree char *tasks = g_strdup_printf("/proc/%ld/task", (long)pid);
    GDir *threads = g_dir_open(tasks, 0, NULL);
    const char *id;
    assert_non_null(threads);
    while ((id = g_dir_read_name(threads)) != NULL)
        sched_setaffinity((pid_t)atoi(id), sizeof *set, set);
    g_dir_close(threads);
}

static pid_t start_rival(const cpu_set_t *set)
{
    const pid_t pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    sched_setaffinity(0, sizeof *set, set);
    for (;;)
        continue;
}

/* Runs `spin` until its budget is spent, all the while without a packet. Returns seconds. */
static double spin_once(struct session *session)
{
    const gint64 before = g_get_monotonic_time();
    post(session, "rig_misbehave", "spin");
    assert_int_equal(next_outcome(session), FL_OUTCOME_HUNG);
    return (double)(g_get_monotonic_time() - before) / G_USEC_PER_SEC;
}

static void a_busy_machine_makes_no_guest_silent(void **state)
{
    cpu_set_t all, one;
    pid_t rivals[RIVALS];
    struct session *session = open_session(0);
    const double alone = spin_once(session);
    session_close(session);
    session = open_session(0.2 + 3 * alone); /* the rivals make it ten times as long, and more */
    sched_getaffinity(0, sizeof all, &all);
    CPU_ZERO(&one);
    for (int cpu = 0; CPU_COUNT(&one) == 0; cpu++)
        if (CPU_ISSET(cpu, &all))
            CPU_SET(cpu, &one);
    bind_guest(guest_pid(*state), &one);
    for (unsigned i = 0; i < RIVALS; i++)
        rivals[i] = start_rival(&one);
    const double among_rivals = spin_once(session);
    for (unsigned i = 0; i < RIVALS; i++) {
        kill(rivals[i], SIGKILL);
        waitpid(rivals[i], NULL, 0);
    }
    print_message("%.3f s alone, %.3f s among rivals\n", alone, among_rivals);
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

/* All that a killed monitor started becomes a child of this process. */
static void wait_for_orphans(void)
{
    alarm(PATIENCE_MS / 1000); /* a guest that does not end is the end of this test */
    while (wait(NULL) > 0)
        continue;
    assert_int_equal(errno, ECHILD);
    alarm(0);
}

/* At any moment: half of them while the guest boots or before there is one, half while it runs. */
static void a_killed_monitor_leaves_nothing(void **state)
{
    GRand *dice = g_rand_new_with_seed(11);
    assert_int_equal(prctl(PR_SET_CHILD_SUBREAPER, 1), 0);
    for (unsigned i = 0; i < 20; i++) {
        const gint64 end = g_get_monotonic_time() + PATIENCE_MS * 1000;
        const pid_t monitor = fork();
        if (monitor == 0)
            be_a_monitor();
        while (i % 2 == 0 && guest_pid(*state) == 0)
            assert_true(g_get_monotonic_time() < end);
        g_usleep((gulong)g_rand_int_range(dice, 1000, 150000)); /* the random moment */
        kill(monitor, SIGKILL);
        wait_for_orphans();
    }
    g_rand_free(dice);
    session_close(open_session(0)); /* sweeps; remove_scratch fails when anything is left */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, make_scratch, remove_scratch)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_have_places_in_the_source),    TEST(misbehaviour_is_a_result),
        TEST(a_silent_guest_tells_where_it_stands), TEST(a_busy_machine_makes_no_guest_silent),
        TEST(a_carrier_outlives_its_guests),        TEST(a_killed_guest_is_replaced),
        TEST(an_idle_guest_burns_nothing),          TEST(a_killed_monitor_leaves_nothing),
    };
    return cmocka_run_group_tests(tests, open_image, close_image);
}
