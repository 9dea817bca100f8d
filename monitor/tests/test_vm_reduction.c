/* Strategy dpor on a real guest: what each thread of a litmus scenario ends with is what a search
 * of all plans says it may end with, in as many runs as there are orders that matter; and less as
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

static struct session_options lane;
static struct engine *engine;
static struct crew *crew;

static struct ends search_as(const char *variant, uint32_t rounds, const struct strategy_ops *ops,
                             const struct relation *relation, bool unqueued)
{
    GError *error = NULL;
    const int index = image_scenario(lane.image, "rig_orders");
    assert_true(index >= 0);
    const struct fl_scenario *scenario = &lane.image->scenarios[index];
    struct strategy_config config = {.scenario = scenario,
                                     .depth = FL_DEPTH_IPC,
                                     .bound = 200,
                                     .relation = relation,
                                     .unqueued = unqueued};
    plan_init(&config.base, scenario, (unsigned)index,
              (unsigned)scenario_variant(scenario, variant));
    config.base.params[0] = rounds;
    struct ends ends = ends_new();
    struct strategy *strategy = ops->open(&config, &error);
    struct depth *depths[FL_DEPTH_NEVER] = {NULL};
    struct standing *standing = ops->known != NULL ? standing_new(lane.image, false, &error) : NULL;
    struct drive drive = {.crew = crew,
                          .engine = engine,
                          .scenario = scenario,
                          .ops = ops,
                          .strategy = strategy,
                          .depths = depths,
                          .depth = FL_DEPTH_IPC,
                          .standing = standing,
                          .twice_every = 50,
                          .on_run = ends_note,
                          .context = &ends};
    if (drive_run(&drive, &error) != DRIVE_FINISHED)
        fail_msg("%s: %s", ops->id, error != NULL ? error->message : "not finished");
    struct strategy_progress progress;
    ops->progress(strategy, &progress);
    ends.redundant = progress.runs_redundant;
    ops->close(strategy);
    standing_free(standing);
    depth_free(depths[FL_DEPTH_IPC]);
    return ends;
}

static struct ends search(const char *variant, uint32_t rounds, const struct strategy_ops *ops,
                          const struct relation *relation)
{
    return search_as(variant, rounds, ops, relation, false);
}

/* scripts/tests/litmus.sh has the same numbers; rig_orders.c derives them. */
static void ends_are_those_of_all_plans(void **state)
{
    (void)state;
    static const struct {
        const char *variant;
        uint32_t rounds;
        uint64_t runs; /* 0: not counted by hand */
    } litmus[] = {{"stores", 1, 2 * (6 - 2)},
                  {"stores", 2, 2 * (20 - 6)},
                  {"apart", 2, 2},
                  {"counter", 1, 0},
                  {"counter", 2, 0}};
    for (size_t i = 0; i < G_N_ELEMENTS(litmus); i++) {
        struct ends all = search(litmus[i].variant, litmus[i].rounds, &strategy_dfs, NULL);
        struct ends reduced = search(litmus[i].variant, litmus[i].rounds, &strategy_dpor, NULL);
        struct ends stateful =
            search(litmus[i].variant, litmus[i].rounds, &strategy_stateful, NULL);
        print_message("%s, %u rounds: %u ends, in %" G_GUINT64_FORMAT " runs, stateful in "
                      "%" G_GUINT64_FORMAT ", of all plans in %" G_GUINT64_FORMAT "\n",
                      litmus[i].variant, litmus[i].rounds, g_hash_table_size(all.seen),
                      reduced.runs, stateful.runs, all.runs);
        ends_assert_same(all.seen, reduced.seen);
        ends_assert_same(all.seen, stateful.seen);
        assert_int_equal(reduced.redundant, 0);
        if (litmus[i].runs != 0)
            assert_int_equal(reduced.runs, litmus[i].runs);
        ends_free(&all);
        ends_free(&reduced);
        ends_free(&stateful);
    }
}

/* C(4, 2) orders in which messages come; the searched plans are too many to make them all. */
static void messages_come_in_every_order(void **state)
{
    (void)state;
    struct ends reduced = search("messages", 2, &strategy_dpor, NULL);
    assert_int_equal(g_hash_table_size(reduced.seen), 6);
    ends_free(&reduced);
}

/* A call that waits in core's queue is as good as one that comes when core is done. */
static void ends_need_no_queue(void **state)
{
    (void)state;
    static const char *const variants[] = {"stores", "counter", "messages"};
    for (size_t i = 0; i < G_N_ELEMENTS(variants); i++) {
        struct ends queued = search(variants[i], 2, &strategy_dpor, NULL);
        struct ends unqueued = search_as(variants[i], 2, &strategy_dpor, NULL, true);
        ends_assert_same(queued.seen, unqueued.seen);
        assert_true(unqueued.runs < queued.runs);
        ends_free(&queued);
        ends_free(&unqueued);
    }
}

static void a_wrong_relation_loses_ends(void **state)
{
    (void)state;
    static const struct {
        enum object_kind kind;
        const char *variant;
    } wrong[] = {{OBJECT_MEMORY, "stores"}, {OBJECT_RECEIVER, "messages"}};
    for (size_t i = 0; i < G_N_ELEMENTS(wrong); i++) {
        struct relation relation = relation_true;
        relation.depends[wrong[i].kind].write_write = false;
        struct ends right = search(wrong[i].variant, 1, &strategy_dpor, NULL);
        struct ends lost = search(wrong[i].variant, 1, &strategy_dpor, &relation);
        print_message("%s: %u ends, of which %u are left\n", wrong[i].variant,
                      g_hash_table_size(right.seen), g_hash_table_size(lost.seen));
        assert_true(g_hash_table_size(lost.seen) < g_hash_table_size(right.seen));
        ends_free(&right);
        ends_free(&lost);
    }
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
        cmocka_unit_test(ends_are_those_of_all_plans),
        cmocka_unit_test(messages_come_in_every_order),
        cmocka_unit_test(ends_need_no_queue),
        cmocka_unit_test(a_wrong_relation_loses_ends),
    };
    if (!can_tell_accesses())
        return 77;
    return cmocka_run_group_tests(tests, open_guests, close_guests);
}
