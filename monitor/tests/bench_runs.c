/* How many checked runs a second one QEMU gives, and where the microseconds of a run go; on each of
 * the lanes named, by default those under TCG (KVM's has a bench of its own).
 *
 * The same batch of plans is timed with the engine reading every event and with nobody reading;
 * plans that the guest refuses time the hand-over alone, plans that are over before the first user
 * instruction time the reset. Fails when checking costs more than a quarter of the rate, or when a
 * run is not 100 times cheaper than a cold boot.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include "engine.h"
#include "lane.h"
#include "plan.h"

enum { BATCH = 5000, COLD_BOOTS = 10, ROUNDS = 3, PATIENCE_MS = 60000 };

static struct session_options lane;
static const struct image *image;
static const struct fl_scenario *scenario;
static unsigned scenario_index;

static void give_up(const char *what, const GError *error)
{
    fprintf(stderr, "bench: %s: %s\n", what, error != NULL ? error->message : "no answer");
    exit(2);
}

static struct session *open_session(void)
{
    GError *error = NULL;
    struct session *session = session_open(&lane, &error);
    if (session == NULL)
        give_up("no session", error);
    return session;
}

static double now(void)
{
    return (double)g_get_monotonic_time() / 1e6;
}

/* ---- What is posted ---- */

typedef void (*make_plan)(struct fl_plan *plan, unsigned i);

static void drawn_plan(struct fl_plan *plan, unsigned i)
{
    int variant = scenario_variant(scenario, "fixed");
    plan_init(plan, scenario, scenario_index, (unsigned)variant);
    plan->policy = FL_POLICY_RANDOM;
    plan->depth = FL_DEPTH_IPC;
    plan->seed = i + 1;
    plan->chance = UINT32_MAX / 40; /* one or two preemptions a run, as in a bounded search */
}

static void refused_plan(struct fl_plan *plan, unsigned i)
{
    drawn_plan(plan, i);
    plan->scenario = UINT16_MAX;
}

static void spent_plan(struct fl_plan *plan, unsigned i)
{
    drawn_plan(plan, i);
    plan->budget = 1;
}

/* Elsewhere time is logical, and spans are counted by steps. */
static bool counts_instructions(void)
{
    return image->header.arch == FL_ARCH_ARMV7;
}

static void measured_plan(struct fl_plan *plan, unsigned i)
{
    drawn_plan(plan, i);
    plan->mode = counts_instructions() ? FL_MODE_SPANS : FL_MODE_POSTED;
}

/* ---- What is done with a run ---- */

struct tally {
    struct engine *engine;
    uint64_t runs, events, entries, instructions;
    uint64_t by_event[FL_EVENT_COUNT];
    uint64_t flushes;
    uint64_t in_core, in_programs; /* instructions in user mode */
};

typedef void (*take_run)(struct session *session, const struct run *run, struct tally *tally);

static void leave_unread(struct session *session, const struct run *run, struct tally *tally)
{
    (void)session;
    tally->runs++;
    tally->events += run->result.events;
}

static void check(struct session *session, const struct run *run, struct tally *tally)
{
    engine_begin(tally->engine, scenario, run->plan.variant);
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n_events;
        const struct fl_packet *packet = session_packet(session, run, i, &n_events);
        engine_events(tally->engine, packet->events, n_events);
    }
    const struct verdict *verdict = engine_end(tally->engine, run->result.outcome);
    if (verdict->kind != VERDICT_CLEAN)
        give_up("a run of the fixed variant is not clean", NULL);
    tally->runs++;
}

static void count_event(const struct fl_event *event, struct tally *tally)
{
    uint16_t id = fl_event_id(event);
    tally->by_event[id]++;
    if (id == FL_EVENT_SWITCH && event->aux != 0)
        tally->flushes++;
    if (id == FL_EVENT_SPAN)
        *(event->thread == FL_PATH_CORE ? &tally->in_core : &tally->in_programs) += event->arg;
}

static void count(struct session *session, const struct run *run, struct tally *tally)
{
    tally->runs++;
    tally->entries += run->result.entries;
    tally->instructions += run->result.instructions;
    for (uint32_t i = 0; i < run->result.packets; i++) {
        size_t n_events;
        const struct fl_packet *packet = session_packet(session, run, i, &n_events);
        tally->events += n_events;
        for (size_t j = 0; j < n_events; j++)
            count_event(&packet->events[j], tally);
    }
}

/* Seconds that a batch takes. */
static double run_batch(struct session *session, make_plan make, take_run take, struct tally *tally)
{
    double from = now();
    unsigned posted = 0;
    for (unsigned done = 0; done < BATCH; done++) {
        for (; posted < BATCH && session_room(session) > 0; posted++) {
            struct fl_plan plan;
            make(&plan, posted);
            session_post(session, &plan);
        }
        struct run run;
        GError *error = NULL;
        if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
            give_up("no run", error);
        take(session, &run, tally);
        session_release(session);
    }
    return now() - from;
}

/* The best of some rounds, in microseconds a run: what is measured is the rig, not its neighbours.
 */
static double best(struct session *session, make_plan make, take_run take, struct tally *tally)
{
    double seconds = 1e9;
    for (unsigned i = 0; i < ROUNDS; i++)
        seconds = MIN(seconds, run_batch(session, make, take, tally));
    return seconds / BATCH * 1e6;
}

static double cold_boot(void)
{
    double from = now();
    for (unsigned i = 0; i < COLD_BOOTS; i++) {
        struct session *session = open_session();
        struct fl_plan plan;
        struct run run;
        GError *error = NULL;
        drawn_plan(&plan, i);
        session_post(session, &plan);
        if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
            give_up("no run", error);
        session_release(session);
        session_close(session);
    }
    return (now() - from) / COLD_BOOTS * 1e6;
}

static void print_counts(const struct tally *tally)
{
    double runs = (double)tally->runs;
    const uint64_t *by = tally->by_event;
    printf("in a run, on average:\n");
    if (counts_instructions()) {
        const uint64_t in_kernel = tally->instructions - tally->in_core - tally->in_programs;
        printf("  %8.0f  instructions in core\n", (double)tally->in_core / runs);
        printf("  %8.0f  instructions in the scenario's programs\n",
               (double)tally->in_programs / runs);
        printf("  %8.0f  instructions in the kernel\n", (double)in_kernel / runs);
    }
    printf("  %8.1f  kernel entries\n", (double)tally->entries / runs);
    printf("  %8.1f  faults\n", (double)by[FL_EVENT_FAULT_RAISE] / runs);
    printf("  %8.1f  pages mapped\n", (double)by[FL_EVENT_MAP] / runs);
    printf("  %8.1f  switches\n", (double)by[FL_EVENT_SWITCH] / runs);
    printf("  %8.1f  TLB flushes at a switch of spaces\n", (double)tally->flushes / runs);
    printf("  %8.1f  events of %zu bytes\n", (double)(tally->events - by[FL_EVENT_SPAN]) / runs,
           sizeof(struct fl_event));
}

static int measure(struct session *session)
{
    struct tally unread = {0}, checked = {.engine = engine_new()}, counted = {0}, nothing = {0};
    double handover = best(session, refused_plan, leave_unread, &nothing);
    double reset = best(session, spent_plan, leave_unread, &nothing) - handover;
    double run_us = best(session, drawn_plan, leave_unread, &unread);
    double checked_us = best(session, drawn_plan, check, &checked);
    run_batch(session, measured_plan, count, &counted);
    engine_free(checked.engine);
    double cold_us = cold_boot();

    printf("lane %s: %s/fixed, %d plans drawn at depth ipc, best of %d\n", lane.backend->id,
           scenario->id, BATCH, ROUNDS);
    printf("  %8.0f  checked runs/s\n", 1e6 / checked_us);
    printf("  %8.0f  runs/s with nobody reading the ring (ratio %.2f, wanted 0.75)\n", 1e6 / run_us,
           run_us / checked_us);
    printf("  %8.1f  cold boots/s with a run each (a warm run is %.0f times cheaper, wanted 100)\n",
           1e6 / cold_us, cold_us / checked_us);
    printf("microseconds of a run:\n");
    printf("  %8.1f  hand-over\n", handover);
    printf("  %8.1f  reset\n", reset);
    printf("  %8.1f  the guest's work\n", run_us - reset - handover);
    printf("  %8.1f  reading and checking, as far as it does not overlap\n", checked_us - run_us);
    print_counts(&counted);
    return run_us / checked_us >= 0.75 && cold_us / checked_us >= 100 ? 0 : 1;
}

static int measure_lane(const char *id)
{
    lane = lane_open(id);
    image = lane.image;
    const int index = image_scenario(image, "genode_stack_slot");
    if (index < 0)
        give_up("the image has no genode_stack_slot", NULL);
    scenario_index = (unsigned)index;
    scenario = &image->scenarios[index];
    struct session *session = open_session();
    const int status = measure(session);
    session_close(session);
    image_close((struct image *)image);
    return status;
}

int main(int argc, char **argv)
{
    static const char *const under_tcg[] = {"qemu", "qemu-x86_64"};
    int status = 0;
    for (size_t i = 0; argc < 2 && i < G_N_ELEMENTS(under_tcg); i++)
        status |= measure_lane(under_tcg[i]);
    for (int i = 1; i < argc; i++)
        status |= measure_lane(argv[i]);
    return status;
}
