/* What virtual memory costs, in microseconds of the host and in instructions of the guest: a page
 * fault end to end (fault, IPC to core, map, reply, resume), with duplicates looked for and
 * without; a fault that core is told of again; a fork with 64 pages of which each is shared (with
 * the child's exit and the wait for it), an audit.
 *
 * Each is the difference of two kinds of run, one with more of it, best of some rounds.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include "plan.h"
#include "session.h"

enum {
    BATCH = 200,
    ROUNDS = 5,
    PATIENCE_MS = 60000,
    PAIRS = 15,
    LOOKS = 64,
    PAGES = 64,
    FORKS = 8
};
enum { PARAM_TOUCHED, PARAM_FORKS, PARAM_UNSEEN, PARAM_REPEATED, PARAMS };

static struct image *image;
static const struct fl_scenario *scenario;
static unsigned scenario_index;

static void give_up(const char *what, const GError *error)
{
    fprintf(stderr, "bench: %s: %s\n", what, error != NULL ? error->message : "no answer");
    exit(2);
}

struct cost {
    double us;
    double instructions;
};

static void take_run(struct session *session, struct cost *sum)
{
    struct run run;
    struct fl_decision ask;
    GError *error = NULL;
    if (session_wait(session, PATIENCE_MS, &run, &ask, &error) != SESSION_RUN)
        give_up("no run", error);
    if (run.result.outcome != FL_OUTCOME_EXITED || run.result.lost != 0)
        give_up("a run did not come to its end with all its events", NULL);
    sum->instructions += (double)run.result.instructions;
    session_release(session);
}

/* Of a run of this kind, on average over a batch. */
static struct cost run_batch(struct session *session, const struct fl_plan *plan)
{
    struct cost sum = {0};
    const gint64 from = g_get_monotonic_time();
    unsigned posted = 0;
    for (unsigned done = 0; done < BATCH; done++) {
        for (; posted < BATCH && session_room(session) > 0; posted++)
            session_post(session, plan);
        take_run(session, &sum);
    }
    sum.us = (double)(g_get_monotonic_time() - from);
    return (struct cost){.us = sum.us / BATCH, .instructions = sum.instructions / BATCH};
}

/* ---- The look for duplicates alone: too little to be seen beside what else the host has to do
 * ---- */

/* What QEMU, the only child, has used of a processor. */
static double guest_us(void)
{
    char path[64];
    g_autofree char *children = NULL;
    clockid_t clock;
    struct timespec used;

    snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
    if (!g_file_get_contents(path, &children, NULL, NULL) ||
        clock_getcpuclockid((pid_t)g_ascii_strtoll(children, NULL, 10), &clock) != 0 ||
        clock_gettime(clock, &used) != 0)
        give_up("what the guest uses of a processor is not known", NULL);
    return (double)used.tv_sec * 1e6 + (double)used.tv_nsec / 1e3;
}

/* Of a run of this kind. */
static double used_by(struct session *session, uint32_t touched, uint32_t unseen)
{
    struct fl_plan plan;
    plan_init(&plan, scenario, scenario_index, 0);
    plan.params[PARAM_TOUCHED] = touched;
    plan.params[PARAM_UNSEEN] = unseen;
    plan.params[PARAM_FORKS] = plan.params[PARAM_REPEATED] = 0;
    const double from = guest_us();
    run_batch(session, &plan);
    return (guest_us() - from) / BATCH;
}

static int by_size(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Many looks a fault and none, in turn. Both runs ask core for that, and have the same faults. */
static void measure_look(struct session *session)
{
    double look[PAIRS];

    for (unsigned i = 0; i < PAIRS; i++)
        look[i] = (used_by(session, PAGES, 2) - used_by(session, PAGES, 1)) / (PAGES * LOOKS);
    qsort(look, PAIRS, sizeof(look[0]), by_size);
    printf("microseconds of a processor, median of %d pairs of %d runs:\n", PAIRS, BATCH);
    printf("  %8.3f  to look whether a fault is a duplicate (half of the pairs: %.3f to %.3f)\n",
           look[PAIRS / 2], look[PAIRS / 4], look[PAIRS - 1 - PAIRS / 4]);
}

static struct cost best(struct session *session, const uint32_t params[PARAMS], uint8_t mode)
{
    struct cost least = {.us = 1e12};
    struct fl_plan plan;
    plan_init(&plan, scenario, scenario_index, 0);
    memcpy(plan.params, params, PARAMS * sizeof(params[0]));
    plan.mode = mode;
    for (unsigned i = 0; i < ROUNDS; i++) {
        struct cost cost = run_batch(session, &plan);
        if (cost.us < least.us)
            least = cost;
    }
    return least;
}

static void print_difference(const char *what, struct cost more, struct cost less, double of)
{
    printf("  %8.2f  %-40s %8.0f instructions\n", (more.us - less.us) / of, what,
           (more.instructions - less.instructions) / of);
}

static void measure(struct session *session)
{
    static const uint32_t none[PARAMS], touching[PARAMS] = {[PARAM_TOUCHED] = PAGES};
    static const uint32_t unseen[PARAMS] = {[PARAM_UNSEEN] = 1};
    static const uint32_t touching_unseen[PARAMS] = {[PARAM_TOUCHED] = PAGES, [PARAM_UNSEEN] = 1};
    static const uint32_t again[PARAMS] = {[PARAM_TOUCHED] = PAGES, [PARAM_REPEATED] = PAGES};
    static const uint32_t again_unseen[PARAMS] = {
        [PARAM_TOUCHED] = PAGES, [PARAM_UNSEEN] = 1, [PARAM_REPEATED] = PAGES};
    static const uint32_t forking[PARAMS] = {[PARAM_TOUCHED] = PAGES, [PARAM_FORKS] = FORKS};
    const struct cost empty = best(session, none, FL_MODE_POSTED);
    const struct cost faults = best(session, touching, FL_MODE_POSTED);
    const struct cost empty_unseen = best(session, unseen, FL_MODE_POSTED);
    const struct cost faults_unseen = best(session, touching_unseen, FL_MODE_POSTED);
    const struct cost repeated = best(session, again, FL_MODE_POSTED);
    const struct cost repeated_unseen = best(session, again_unseen, FL_MODE_POSTED);
    const struct cost forks = best(session, forking, FL_MODE_POSTED);
    const struct cost audited = best(session, forking, FL_MODE_AUDIT);
    const struct audit_totals audits = session_audits(session);
    const double in_a_run = (double)audits.audits / (BATCH * ROUNDS);

    if (audits.differ > 0)
        give_up("an audit is off", NULL);
    printf("microseconds, %d runs each, best of %d:\n", BATCH, ROUNDS);
    print_difference("a page fault, from touch to resume", faults, empty, PAGES);
    print_difference("the same, duplicates not looked for", faults_unseen, empty_unseen, PAGES);
    print_difference("a duplicate, told to core by a message", repeated, faults, PAGES);
    print_difference("the same, not looked for: mapped again", repeated_unseen, faults_unseen,
                     PAGES);
    print_difference("a fork of 64 pages, its exit, the wait", forks, faults, FORKS);
    printf("  %8.2f  an audit, with the guest's wait for it\n", (audited.us - forks.us) / in_a_run);
    printf("  %8.2f  of that the walk, of %.0f objects\n",
           audits.seconds * 1e6 / (double)audits.audits,
           (double)audits.walked / (double)audits.audits);
}

int main(void)
{
    GError *error = NULL;
    image = image_open("build/guest/armv7.elf", &error);
    if (image == NULL)
        give_up("no guest image", error);
    int index = image_scenario(image, "core_costs");
    if (index < 0)
        give_up("the image has no core_costs", NULL);
    scenario_index = (unsigned)index;
    scenario = &image->scenarios[index];
    struct session *session = session_open(&(struct session_options){.image = image}, &error);
    if (session == NULL)
        give_up("no session", error);
    measure(session);
    measure_look(session);
    session_close(session);
    image_close(image);
    return 0;
}
