/* What --lttng costs: checked runs a second with host and guest recorded in a timeline, with the
 * provider loaded and nobody listening, and without; and what one event of the host costs.
 */
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "engine.h"
#include "host_trace.h"
#include "lane.h"
#include "plan.h"

enum { BATCH = 1000, ROUNDS = 8, BURST = 50, BURSTS = 30, PATIENCE_MS = 60000 };

static struct session_options lane;
static const struct fl_scenario *scenario;
static unsigned scenario_index;

static void give_up(const char *what, const GError *error)
{
    fprintf(stderr, "bench: %s: %s\n", what, error != NULL ? error->message : "no answer");
    exit(2);
}

static double now(void)
{
    return (double)g_get_monotonic_time() / 1e6;
}

static void post_drawn(struct session *session, unsigned i)
{
    struct fl_plan plan;
    plan_init(&plan, scenario, scenario_index, (unsigned)scenario_variant(scenario, "fixed"));
    plan.policy = FL_POLICY_RANDOM;
    plan.depth = FL_DEPTH_IPC;
    plan.seed = i + 1;
    plan.chance = UINT32_MAX / 40;
    session_post(session, &plan);
}

static void check(struct session *session, struct engine *engine)
{
    struct run run;
    GError *error = NULL;
    if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
        give_up("no run", error);
    engine_begin(engine, scenario, run.plan.variant);
    for (uint32_t i = 0; i < run.result.packets; i++) {
        size_t count;
        const struct fl_packet *packet = session_packet(session, &run, i, &count);
        engine_events(engine, packet->events, count);
    }
    session_judged(session, engine_end(engine, run.result.outcome));
    session_release(session);
}

static struct session *open_session(void)
{
    GError *error = NULL;
    struct session *session = session_open(&lane, &error);
    if (session == NULL)
        give_up("no session", error);
    return session;
}

struct cost {
    double seconds;
    double cpu; /* seconds of the monitor's own, which a busy machine leaves as they are */
};

static double cpu_now(void)
{
    struct timespec used;
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used);
    return (double)used.tv_sec + (double)used.tv_nsec / 1e9;
}

static void run_batch(struct session *session, struct engine *engine, struct cost *least)
{
    const double from = now(), cpu_from = cpu_now();
    unsigned posted = 0;
    for (unsigned done = 0; done < BATCH; done++) {
        for (; posted < BATCH && session_room(session) > 0; posted++)
            post_drawn(session, posted);
        check(session, engine);
    }
    least->seconds = MIN(least->seconds, now() - from);
    least->cpu = MIN(least->cpu, cpu_now() - cpu_from);
}

/* A few at a time, for which there is room: the best of many times. */
static double event_ns(void)
{
    uint64_t best = UINT64_MAX;
    for (unsigned i = 0; i < BURSTS; i++) {
        const uint64_t from = host_trace_now();
        for (uint32_t j = 0; j < BURST; j++)
            host_events->reset(0, j);
        best = MIN(best, host_trace_now() - from);
    }
    return (double)best / BURST;
}

struct figures {
    struct cost without, with; /* of a batch, at best */
    double event_ns;
};

/* By turns, so that a busy machine is busy for both. Who is opened without a table of events tells
 * nothing as long as it lives. */
static struct figures measure(void)
{
    const struct host_events *events = host_events;
    struct figures figures = {.without = {1e9, 1e9}, .with = {1e9, 1e9}, .event_ns = event_ns()};
    struct engine *engine = engine_new();
    host_events = NULL;
    struct session *without = open_session();
    host_events = events;
    struct session *with = open_session();
    for (unsigned round = 0; round < ROUNDS; round++) {
        run_batch(without, engine, &figures.without);
        run_batch(with, engine, &figures.with);
    }
    session_close(without);
    session_close(with);
    engine_free(engine);
    return figures;
}

static void print_figures(const char *what, const struct figures *figures)
{
    const struct cost *without = &figures->without, *with = &figures->with;
    printf("%s:\n", what);
    printf("  %8.0f  checked runs/s, %.0f without (%.1f %%)\n", BATCH / with->seconds,
           BATCH / without->seconds, 100 * without->seconds / with->seconds);
    printf("  %8.1f  us of the monitor's CPU a run, %.1f without\n", with->cpu / BATCH * 1e6,
           without->cpu / BATCH * 1e6);
    printf("  %8.1f  ns an event of the host\n", figures->event_ns);
}

/* With a daemon that is there when the provider is loaded, hence first. */
static struct figures measure_recorded(void)
{
    GError *error = NULL;
    g_autofree char *root = g_dir_make_tmp("faultline-bench-XXXXXX", NULL);
    g_autofree char *remove = g_strdup_printf("rm -rf '%s'", root);
    struct host_trace_options options = {.directory = g_build_filename(root, "t", NULL)};
    if (!host_trace_begin(&options, "bench", "bench_lttng", &error))
        give_up("no timeline", error);
    const struct figures figures = measure();
    host_trace_end(&options, "bench", 0);
    if (system(remove) != 0)
        give_up("cannot remove the timeline", NULL);
    return figures;
}

int main(void)
{
    GError *error = NULL;
    lane = lane_open(lane_name());
    scenario_index = (unsigned)image_scenario(lane.image, "genode_stack_slot");
    scenario = &lane.image->scenarios[scenario_index];
    if (!host_trace_available()) {
        puts("built without LTTng: nothing to measure");
        return 0;
    }
    const struct figures recorded = measure_recorded();
    if (!host_trace_load(&error))
        give_up("no provider", error);
    const struct figures loaded = measure();
    printf("lane %s: %s/fixed, %d plans, best of %d\n", lane.backend->id, scenario->id, BATCH,
           ROUNDS);
    print_figures("the provider is loaded, nobody listens", &loaded);
    print_figures("host and guest are recorded", &recorded);
    image_close((struct image *)lane.image);
    return 0;
}
