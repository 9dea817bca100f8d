/* Whether a run is a function of its plan alone. 500 random plans are run, each on a guest that has
 * just booted; then shuffled among 10,000 runs of one warm guest, in a process of its own; then the
 * same in another order, in yet another process. Equal means: the same bytes in the ring.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>
#include "capture.h"
#include "lane.h"
#include "plan.h"

enum { PLANS = 500, WARM_RUNS = 10000, PATIENCE_MS = 60000 };
enum { PERIOD = 48 }; /* after which plans differ by their seeds alone */

static const char *const scenarios[] = {"genode_stack_slot", "smoke", "stack_overflow",
                                        "region_maps"};

static struct session_options lane;
static const struct image *image;
static struct capture *cold[PLANS];

/* A preemption between two instructions: some k after some entry of the main thread. */
static void preempt_anywhere(struct fl_plan *plan, unsigned i)
{
    plan->policy = FL_POLICY_FIXED;
    plan->n_preemptions = 1;
    plan->preemptions[0] = (struct fl_preemption){
        .thread = FL_PATH_DOMAIN(0),
        .n = i % 31,
        .k = 1 + i % 67,
        .target = i % 2 == 0 ? FL_PATH_CHILD2(0, 1) : FL_PATH_CORE,
    };
}

/* The i-th random plan: a variant in turn, drawn preemptions from rare to frequent, or one between
 * two instructions. */
static void make_plan(struct fl_plan *plan, unsigned i)
{
    int index = image_scenario(image, scenarios[i % G_N_ELEMENTS(scenarios)]);
    assert_true(index >= 0);
    const struct fl_scenario *scenario = &image->scenarios[index];
    plan_init(plan, scenario, (unsigned)index, i / 4 % scenario->n_variants);
    plan->policy = FL_POLICY_RANDOM;
    plan->depth = i % 2 == 0 ? FL_DEPTH_IPC : FL_DEPTH_SYNC;
    plan->seed = i + 1;
    plan->chance = UINT32_MAX >> (1 + i % 6);
    if (i % 5 == 0)
        preempt_anywhere(plan, i);
}

static struct session *open_session(void)
{
    GError *error = NULL;
    struct session *session = session_open(&lane, &error);
    if (session == NULL)
        fail_msg("no session: %s", error->message);
    return session;
}

/* The next run to end; its packets are released. */
static struct capture *await(struct session *session)
{
    GError *error = NULL;
    struct run run;
    enum session_event event = session_wait(session, PATIENCE_MS, &run, NULL, &error);
    if (event != SESSION_RUN)
        fail_msg("no run: %s", error != NULL ? error->message : "the guest does not answer");
    struct capture *capture = capture_take(session, &run);
    session_release(session);
    return capture;
}

static void run_cold(unsigned i)
{
    struct fl_plan plan;
    make_plan(&plan, i);
    struct session *session = open_session();
    session_post(session, &plan);
    cold[i] = await(session);
    session_close(session);
    assert_false(cold[i]->corrupt);
    assert_int_equal(cold[i]->result.lost, 0);
    assert_true(cold[i]->result.events > 0);
}

/* Numbers below PLANS are the plans that were run cold, the others are there to wear the guest in.
 */
static void shuffle(unsigned numbers[WARM_RUNS], uint32_t seed)
{
    GRand *random = g_rand_new_with_seed(seed);
    for (unsigned i = 0; i < WARM_RUNS; i++)
        numbers[i] = i;
    for (unsigned i = WARM_RUNS - 1; i > 0; i--) {
        unsigned j = (unsigned)g_rand_int_range(random, 0, (gint32)i + 1);
        unsigned number = numbers[i];
        numbers[i] = numbers[j];
        numbers[j] = number;
    }
    g_rand_free(random);
}

static bool same_as_cold(unsigned number, const struct capture *capture, unsigned position)
{
    if (capture_same(cold[number], capture))
        return true;
    size_t n_cold, n_warm;
    struct fl_event *cold_events = capture_events(cold[number], &n_cold);
    struct fl_event *warm_events = capture_events(capture, &n_warm);
    printf("plan %u differs as run %u: first in event %zd; %zu and %zu events\n", number, position,
           (ssize_t)events_differ(cold_events, n_cold, warm_events, n_warm), n_cold, n_warm);
    g_free(cold_events);
    g_free(warm_events);
    return false;
}

/* Returns how many of the plans came out differently. */
static unsigned run_warm(uint32_t seed)
{
    static unsigned numbers[WARM_RUNS];
    unsigned posted = 0, differing = 0;
    shuffle(numbers, seed);
    struct session *session = open_session();
    for (unsigned done = 0; done < WARM_RUNS; done++) {
        for (; posted < WARM_RUNS && session_room(session) > 0; posted++) {
            struct fl_plan plan;
            make_plan(&plan, numbers[posted]);
            session_post(session, &plan);
        }
        struct capture *capture = await(session);
        if (numbers[done] < PLANS && !same_as_cold(numbers[done], capture, done))
            differing++;
        capture_free(capture);
    }
    if (session_boots(session) != 1)
        printf("the guest was booted %u times\n", session_boots(session));
    unsigned bad = differing + session_boots(session) - 1;
    session_close(session);
    return bad;
}

static void warm_in_another_process(uint32_t seed)
{
    fflush(stdout);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        unsigned bad = run_warm(seed);
        fflush(stdout);
        _exit(bad == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

static void test_plans_differ(void **state)
{
    (void)state;
    unsigned same = 0, between_instructions = 0;
    for (unsigned i = 0; i < PLANS; i++) {
        run_cold(i);
        if (i % 5 == 0)
            between_instructions += cold[i]->result.reached;
    }
    for (unsigned i = PERIOD; i < PLANS; i++)
        same += capture_same(cold[i], cold[i - PERIOD]);
    /* else equal streams would prove little */
    assert_true(same < PLANS / 2);
    assert_true(between_instructions > 0);
    printf("%u plans like the one before, %u preempted between instructions\n", same,
           between_instructions);
}

static void test_warm(void **state)
{
    (void)state;
    warm_in_another_process(1);
}

static void test_warm_again(void **state)
{
    (void)state;
    warm_in_another_process(2);
}

static int setup(void **state)
{
    (void)state;
    lane = lane_open(lane_name());
    image = lane.image;
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < PLANS; i++)
        capture_free(cold[i]);
    image_close((struct image *)image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plans_differ),
        cmocka_unit_test(test_warm),
        cmocka_unit_test(test_warm_again),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
