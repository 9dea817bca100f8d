/* The bounded search without choices that stand for others, on a real guest: the same orders of
 * dependent steps, the same ends of threads and the same violations, in fewer runs; and less as
 * soon as the relation says too much to be independent. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include "backend/backend.h"
#include "ends.h"
#include "lane.h"
#include "plan.h"
#include "ready_queue.h"

#define PATIENCE_MS 30000

static struct session_options lane;
static struct engine *engine;
static struct crew *crew;

struct subject {
    const char *scenario, *variant;
    unsigned bound;
};

static struct ends search(const struct subject *subject, const struct strategy_ops *ops, bool prune,
                          const struct relation *relation)
{
    GError *error = NULL;
    const int index = image_scenario(lane.image, subject->scenario);
    assert_true(index >= 0);
    const struct fl_scenario *scenario = &lane.image->scenarios[index];
    const int variant = scenario_variant(scenario, subject->variant);
    assert_true(variant >= 0);
    struct strategy_config config = {
        .scenario = scenario, .depth = FL_DEPTH_IPC, .bound = subject->bound, .prune = prune};
    plan_init(&config.base, scenario, (unsigned)index, (unsigned)variant);
    struct ends ends = ends_new();
    struct strategy *strategy = ops->open(&config, &error);
    struct depth *depths[FL_DEPTH_NEVER] = {NULL};
    struct drive drive = {.crew = crew,
                          .engine = engine,
                          .scenario = scenario,
                          .ops = ops,
                          .strategy = strategy,
                          .depths = depths,
                          .depth = FL_DEPTH_IPC,
                          .orders = true,
                          .prefixes = prune,
                          .relation = relation,
                          .twice_every = 50,
                          .on_run = ends_note,
                          .context = &ends};
    if (drive_run(&drive, &error) != DRIVE_FINISHED)
        fail_msg("%s: %s", subject->scenario, error != NULL ? error->message : "not finished");
    struct strategy_progress progress;
    ops->progress(strategy, &progress);
    ends.pruned = progress.pruned;
    ops->close(strategy);
    depth_free(depths[FL_DEPTH_IPC]);
    return ends;
}

/* scripts/tests/prune.sh goes further, where the sanitizers do not slow it down. */
static const struct subject subjects[] = {
    {"rig_litmus", "plain", 3},
    {"rig_orders", "stores", 3},
    {"rig_orders", "counter", 3},
    {"rig_orders", "messages", 3},
    {"genode_stack_slot", "racy", 2},
    {"genode_stack_slot", "quickfix", 2},
    {"codezero_lost_wakeup", "looked", 2},
    {"codezero_suspend", "not_before_sleep", 2},
};

static void nothing_is_lost(void **state)
{
    (void)state;
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        struct ends all = search(&subjects[i], &strategy_dfs, false, NULL);
        struct ends pruned = search(&subjects[i], &strategy_dfs, true, NULL);
        print_message("%s/%s, bound %u: %u orders, %u ends, in %" G_GUINT64_FORMAT
                      " runs; pruned in %" G_GUINT64_FORMAT "\n",
                      subjects[i].scenario, subjects[i].variant, subjects[i].bound,
                      g_hash_table_size(all.orders), g_hash_table_size(all.seen), all.runs,
                      pruned.runs);
        ends_assert_same(all.orders, pruned.orders);
        ends_assert_same(all.seen, pruned.seen);
        assert_true(pruned.runs < all.runs && pruned.pruned > 0);
        ends_free(&all);
        ends_free(&pruned);
    }
}

/* Accesses to one word are said to commute. */
static void a_wrong_relation_loses_ends(void **state)
{
    (void)state;
    const struct subject subject = {"rig_orders", "counter", 3};
    struct relation relation = relation_true;
    relation.depends[OBJECT_MEMORY].write_write = false;
    relation.depends[OBJECT_MEMORY].read_write = false;
    struct ends right = search(&subject, &strategy_dfs, true, NULL);
    struct ends lost = search(&subject, &strategy_dfs, true, &relation);
    print_message("%s: %u ends, of which %u are left\n", subject.variant,
                  g_hash_table_size(right.seen), g_hash_table_size(lost.seen));
    assert_true(g_hash_table_size(lost.seen) < g_hash_table_size(right.seen));
    ends_free(&right);
    ends_free(&lost);
}

/* A place is named by who stands there alone, whatever came before. */
static bool forgetful_done(struct strategy *strategy, const struct run_report *report)
{
    g_autofree uint64_t *names = g_new(uint64_t, report->n_places + 1);
    struct run_report less = *report;
    for (size_t i = 0; i < report->n_places; i++)
        names[i] = (uint64_t)report->places[i].thread << 32 | report->places[i].n;
    if (report->prefixes != NULL)
        less.prefixes = names;
    return strategy_dfs.done(strategy, &less);
}

static void a_name_that_says_too_little_loses_orders(void **state)
{
    (void)state;
    struct strategy_ops forgetful = strategy_dfs;
    forgetful.done = forgetful_done;
    for (size_t i = 0; i < G_N_ELEMENTS(subjects); i++) {
        struct ends right = search(&subjects[i], &strategy_dfs, true, NULL);
        struct ends lost = search(&subjects[i], &forgetful, true, NULL);
        assert_true(g_hash_table_size(lost.orders) < g_hash_table_size(right.orders));
        ends_free(&right);
        ends_free(&lost);
    }
}

/* ---- the ready queue ---- */

static void run_drawn(struct session *session, unsigned scenario, unsigned variant, uint64_t seed,
                      struct ready_queue *queue)
{
    GError *error = NULL;
    const struct fl_scenario *about = &lane.image->scenarios[scenario];
    struct fl_plan plan;
    struct run run;
    plan_init(&plan, about, scenario, variant);
    plan.policy = FL_POLICY_WALK;
    plan.depth = FL_DEPTH_SYNC;
    plan.seed = strategy_seed(seed, 1);
    session_post(session, &plan);
    if (session_wait(session, PATIENCE_MS, &run, NULL, &error) != SESSION_RUN)
        fail_msg("%s/%s does not end", about->id, about->variants[variant].id);
    ready_queue_begin(queue);
    for (uint32_t i = 0; i < run.result.packets; i++) {
        size_t count;
        const struct fl_packet *packet = session_packet(session, &run, i, &count);
        for (size_t j = 0; packet != NULL && j < count; j++)
            ready_queue_event(queue, &packet->events[j]);
    }
    if (run.result.lost == 0 && !ready_queue_is_sure(queue))
        fail_msg("%s/%s, seed %" G_GUINT64_FORMAT ": the ready queue is another", about->id,
                 about->variants[variant].id, seed);
    session_release(session);
}

/* Who comes next is as the queue says, in runs of everything but what is no sane guest. */
static void the_queue_is_known(void **state)
{
    (void)state;
    GError *error = NULL;
    struct session *session = session_open(&lane, &error);
    if (session == NULL)
        fail_msg("%s", error->message);
    struct ready_queue *queue = ready_queue_new();
    for (unsigned i = 0; i < lane.image->header.n_scenarios; i++)
        for (unsigned j = 0; j < lane.image->scenarios[i].n_variants &&
                             strcmp(lane.image->scenarios[i].id, "rig_misbehave") != 0;
             j++)
            for (uint64_t seed = 1; seed <= 2; seed++)
                run_drawn(session, i, j, seed, queue);
    ready_queue_free(queue);
    session_close(session);
}

static int open_guests(void **state)
{
    (void)state;
    lane = lane_open(lane_name());
    engine = engine_new();
    crew = crew_new(&lane, 1);
    return 0;
}

static int close_guests(void **state)
{
    (void)state;
    crew_free(crew);
    engine_free(engine);
    image_close((struct image *)lane.image);
    return 0;
}

static bool can_tell_accesses(void)
{
    char reason[256];
    const struct backend_ops *backend = backend_find(lane_name());
    return backend != NULL && backend->probe_accesses != NULL &&
           backend->probe_accesses(reason, sizeof(reason));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_queue_is_known),
        cmocka_unit_test(nothing_is_lost),
        cmocka_unit_test(a_wrong_relation_loses_ends),
        cmocka_unit_test(a_name_that_says_too_little_loses_orders),
    };
    if (!can_tell_accesses())
        return 77;
    return cmocka_run_group_tests(tests, open_guests, close_guests);
}
