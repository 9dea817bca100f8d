/* What depth access costs: runs a second with and without the plugin, and the microseconds that it
 * takes to learn from a run and to list its places. Fails when the plugin costs more than half of
 * the rate, or learning more than 100 us a run.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include "access.h"
#include "engine.h"
#include "explore/depth.h"
#include "plan.h"
#include "session.h"

enum { BATCH = 3000, ROUNDS = 3, LEARNED = 2000, PATIENCE_MS = 60000 };

static struct image *image;
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

static struct session *open_session(bool accesses)
{
    GError *error = NULL;
    struct session_options options = {.image = image, .accesses = accesses};
    struct session *session = session_open(&options, &error);
    if (session == NULL)
        give_up("no session", error);
    return session;
}

static void make_plan(struct fl_plan *plan, unsigned seed)
{
    plan_init(plan, scenario, scenario_index, (unsigned)scenario_variant(scenario, "fixed"));
    plan->mode = FL_MODE_SPANS;
    plan->policy = FL_POLICY_RANDOM;
    plan->depth = FL_DEPTH_IPC;
    plan->seed = seed;
    plan->chance = UINT32_MAX / 40;
}

static struct run await(struct session *session)
{
    struct run run;
    GError *error = NULL;
    if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
        give_up("no run", error);
    return run;
}

/* Seconds that a batch takes; accesses: how many there were. */
static double run_batch(struct session *session, uint64_t *accesses)
{
    double from = now();
    unsigned posted = 0;
    for (unsigned done = 0; done < BATCH; done++) {
        for (; posted < BATCH && session_room(session) > 0; posted++) {
            struct fl_plan plan;
            make_plan(&plan, posted + 1);
            session_post(session, &plan);
        }
        size_t n;
        await(session);
        session_accesses(session, &n);
        *accesses += n;
        session_release(session);
    }
    return now() - from;
}

static double best(struct session *session, uint64_t *accesses)
{
    double seconds = 1e9;
    for (unsigned i = 0; i < ROUNDS; i++) {
        double took = run_batch(session, accesses);
        seconds = MIN(seconds, took);
    }
    return seconds / BATCH * 1e6;
}

/* The engine has read the run that the session holds. */
static void read_events(struct session *session, struct engine *engine, const struct run *run)
{
    engine_begin(engine, scenario, run->plan.variant);
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n;
        const struct fl_packet *packet = session_packet(session, run, i, &n);
        engine_events(engine, packet->events, n);
    }
    engine_end(engine, run->result.outcome);
}

/* Microseconds of CPU time that depth_fill takes on one run, over and over. */
static double fill(struct session *session, struct engine *engine, unsigned at)
{
    size_t n;
    const struct access *log = session_accesses(session, &n);
    struct depth *depth = depth_new(at);
    struct run_report report;
    depth_fill(depth, engine, log, n, &report);
    clock_t from = clock();
    for (unsigned i = 0; i < LEARNED; i++)
        depth_fill(depth, engine, log, n, &report);
    double took = (double)(clock() - from) / CLOCKS_PER_SEC / LEARNED * 1e6;
    printf("  %8.1f  us to list the places of a run at depth %s: %zu of them", took,
           at == FL_DEPTH_ACCESS ? "access" : "insn", report.n_places);
    if (at == FL_DEPTH_ACCESS)
        printf(", %zu accesses, %zu shared instructions (wanted: 100 us)", n,
               depth_instructions(depth));
    printf("\n");
    depth_free(depth);
    return took;
}

static int measure(struct session *with, struct session *without)
{
    uint64_t accesses = 0, none = 0;
    double without_us = best(without, &none);
    double with_us = best(with, &accesses);
    struct fl_plan plan;
    make_plan(&plan, 1);
    session_post(with, &plan);
    struct run run = await(with);
    struct engine *engine = engine_new();
    read_events(with, engine, &run);

    printf("%s/fixed, %d plans drawn at depth ipc, best of %d\n", scenario->id, BATCH, ROUNDS);
    printf("  %8.0f  runs/s with spans\n", 1e6 / without_us);
    printf("  %8.0f  runs/s with the plugin (ratio %.2f, wanted 0.50)\n", 1e6 / with_us,
           without_us / with_us);
    printf("  %8.0f  accesses a run\n", (double)accesses / ROUNDS / BATCH);
    double access_us = fill(with, engine, FL_DEPTH_ACCESS);
    fill(with, engine, FL_DEPTH_INSN);
    engine_free(engine);
    session_release(with);
    return without_us / with_us >= 0.5 && access_us <= 100 ? 0 : 1;
}

int main(void)
{
    GError *error = NULL;
    image = image_open("build/guest/armv7.elf", &error);
    if (image == NULL)
        give_up("no guest image", error);
    int index = image_scenario(image, "genode_stack_slot");
    if (index < 0)
        give_up("the image has no genode_stack_slot", NULL);
    scenario_index = (unsigned)index;
    scenario = &image->scenarios[index];
    struct session *with = open_session(true), *without = open_session(false);
    int status = measure(with, without);
    session_close(with);
    session_close(without);
    image_close(image);
    return status;
}
