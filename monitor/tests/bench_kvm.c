/* What KVM gives: runs a second and what a decision costs, on this host's KVM where that can carry
 * the rig, else on the nested one; and what that KVM takes for an exit, an injection, a step, a
 * reset. Beside it the same on QEMU, which runs the same image. */
#include <stdio.h>
#include <stdlib.h>
#include "backend/kvm.h"
#include "backend/kvm_nested.h"
#include "backend/qemu.h"
#include "nested_vmm.h"
#include "plan.h"
#include "scratch.h"
#include "session.h"

enum { BATCH = 400, ROUNDS = 3, ASKED_RUNS = 10, PATIENCE_MS = 120000 };

static struct image *image;
static int scenario;

static void give_up(const char *what, const GError *error)
{
    fprintf(stderr, "bench: %s: %s\n", what, error != NULL ? error->message : "no answer");
    exit(2);
}

static double now_us(void)
{
    return (double)g_get_monotonic_time();
}

/* ---- what is posted ---- */

typedef void (*make_plan)(struct fl_plan *plan, unsigned i);

static void drawn_plan(struct fl_plan *plan, unsigned i)
{
    const struct fl_scenario *of = &image->scenarios[scenario];
    plan_init(plan, of, (unsigned)scenario, (unsigned)scenario_variant(of, "fixed"));
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

static void online_plan(struct fl_plan *plan, unsigned i)
{
    drawn_plan(plan, i);
    plan->policy = FL_POLICY_FIXED;
    plan->mode = FL_MODE_ONLINE;
}

/* ---- how long it takes ---- */

/* Waits for one run, and answers what it asks. Returns how often it did. */
static unsigned take(struct session *session)
{
    struct run run;
    struct fl_decision ask;
    GError *error = NULL;
    for (unsigned asked = 0;; asked++) {
        switch (session_wait(session, PATIENCE_MS, &run, &ask, &error)) {
        case SESSION_RUN:
            session_release(session);
            return asked;
        case SESSION_ASK:
            session_answer(session, 0);
            break;
        default:
            give_up("no run", error);
        }
    }
}

/* Microseconds a run, the best of some rounds. */
static double posted(struct session *session, make_plan make)
{
    double best = 1e12;
    for (unsigned round = 0; round < ROUNDS; round++) {
        double from = now_us();
        unsigned given = 0;
        for (unsigned done = 0; done < BATCH; done++) {
            for (; given < BATCH && session_room(session) > 0; given++) {
                struct fl_plan plan;
                make(&plan, given);
                session_post(session, &plan);
            }
            take(session);
        }
        best = MIN(best, (now_us() - from) / BATCH);
    }
    return best;
}

/* Microseconds a decision costs beside the run itself. */
static double asked(struct session *session, double run_us)
{
    unsigned decisions = 0;
    double from = now_us();
    for (unsigned i = 0; i < ASKED_RUNS; i++) {
        struct fl_plan plan;
        online_plan(&plan, i);
        session_post(session, &plan);
        decisions += take(session);
    }
    return (now_us() - from - run_us * ASKED_RUNS) / decisions;
}

static void measure(const struct backend_ops *lane)
{
    GError *error = NULL;
    struct session *session =
        session_open(&(struct session_options){.backend = lane, .image = image}, &error);
    if (session == NULL)
        give_up(lane->id, error);
    double handover = posted(session, refused_plan);
    double reset = posted(session, spent_plan) - handover;
    double run = posted(session, drawn_plan);
    printf("lane %s:\n", lane->id);
    printf("  %8.0f     runs/s of genode_stack_slot/fixed\n", 1e6 / run);
    printf("  %10.1f us  the hand-over of a plan\n", handover);
    printf("  %10.1f us  a reset, by the guest\n", reset);
    printf("  %10.1f us  a decision that is asked for\n", asked(session, run));
    session_close(session);
}

static void measure_kvm(const struct backend_ops *lane)
{
    void *dir;
    char *text = NULL;
    int status = 0;
    char *argv[] = {(char *)"build/" KVM_VMM, (char *)"--measure", NULL};
    if (lane == &backend_kvm) {
        g_spawn_sync(NULL, argv, NULL, 0, NULL, NULL, &text, NULL, &status, NULL);
    } else if (make_scratch(&dir) == 0) {
        text = nested_vmm(dir, argv[1], &status);
        nested_vmm_clean(dir);
        remove_scratch(&dir);
    }
    if (text == NULL)
        give_up(KVM_VMM " --measure", NULL);
    printf("KVM of that lane:\n%s", text);
    g_free(text);
}

int main(void)
{
    char reason[600];
    GError *error = NULL;
    image = image_open("build/guest/x86_64.elf", &error);
    scenario = image != NULL ? image_scenario(image, "genode_stack_slot") : -1;
    if (scenario < 0)
        give_up("no guest image with genode_stack_slot", error);
    const struct backend_ops *lane = &backend_kvm;
    if (!lane->probe(reason, sizeof reason)) {
        printf("not on this host's KVM: %s\n", reason);
        lane = &backend_kvm_nested;
    }
    if (!lane->probe(reason, sizeof reason)) {
        printf("nor nested: %s\n", reason);
        return 0;
    }
    measure(&backend_qemu_x86_64);
    measure(lane);
    measure_kvm(lane);
    image_close(image);
    return 0;
}
