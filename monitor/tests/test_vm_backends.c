/* A plan with k = 0 means the same on every back end: equal event hashes.
 *
 *   test_vm_backends [BACKEND,BACKEND [PLANS [SCENARIO[/VARIANT] ...]]]
 *
 * PLANS random ones of each scenario, spread over its variants: drawn by the policies of the guest,
 * and listed ones that depart where such a run did. The first plan that differs is told with the
 * events around the first difference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "lane.h"
#include "plan.h"
#include "report_text.h"
#include "samples.h"
#include "trace.h"

enum { BATCH = 32, AROUND = 6, MOST_LISTED = 5, KINDS = 4, DEFAULT_PLANS = 200 };

/* One that is watched less long: some variants hold the guest up on purpose. */
#define WATCHDOG 4.0 /* seconds; a guest that is hung needs some 0.1, on a busy machine 1 */

struct side {
    struct session_options options;
    struct session *session;
};

/* What is kept of a run to be compared. */
struct kept {
    uint64_t hash;
    uint32_t outcome;
    bool corrupt;
    struct fl_event *events;
    size_t n_events;
};

static const char *ends = "qemu,qemu-x86_64";
static unsigned n_plans = DEFAULT_PLANS;
static char **wanted; /* patterns; NULL: all */
static struct side sides[2];
static struct engine *engine;
static struct kept kept[BATCH];
static unsigned compared;

/* ---- plans ---- */

/* Departs where that run did, as far as the first few. */
static bool list(void *context, size_t i, const struct sample *sample)
{
    struct fl_plan *plan = context;
    GArray *taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    (void)i;
    events_preemptions(sample->events, sample->n_events, 0, taken, NULL);
    plan->policy = FL_POLICY_FIXED;
    const guint most = 1 + plan->seed % MOST_LISTED;
    for (guint j = 0; j < MIN(taken->len, most); j++)
        plan_insert(plan, &sides[0].options.image->scenarios[plan->scenario],
                    &g_array_index(taken, struct fl_preemption, j), NULL);
    g_array_free(taken, TRUE);
    return true;
}

static struct samples samples_of(const struct side *side, unsigned scenario)
{
    return (struct samples){.session = side->session,
                            .engine = engine,
                            .scenario = &side->options.image->scenarios[scenario]};
}

static void make_plan(struct fl_plan *plan, unsigned scenario, unsigned variant, unsigned i)
{
    static const uint8_t policies[KINDS] = {FL_POLICY_RANDOM, FL_POLICY_WALK, FL_POLICY_PCT,
                                            FL_POLICY_RANDOM};
    plan_init(plan, &sides[0].options.image->scenarios[scenario], scenario, variant);
    if (i == 0)
        return;
    plan->policy = policies[i % KINDS];
    plan->depth = i / KINDS % 2 == 0 ? FL_DEPTH_SYNC : FL_DEPTH_IPC;
    plan->seed = i;
    plan->chance = plan->policy == FL_POLICY_PCT ? 30 : UINT32_MAX >> (1 + i % 5);
    plan->changes = plan->policy == FL_POLICY_PCT ? 3 : 0;
    if (i % KINDS != KINDS - 1)
        return;
    GError *error = NULL;
    const struct samples samples = samples_of(&sides[0], scenario);
    const struct fl_plan drawn = *plan;
    if (!samples_run(&samples, &drawn, 1, list, plan, &error))
        fail_msg("%s", error->message);
}

/* ---- comparing ---- */

static bool keep(void *context, size_t i, const struct sample *sample)
{
    (void)context;
    kept[i] = (struct kept){
        .hash = sample->verdict->event_hash,
        .outcome = sample->capture->result.outcome,
        .corrupt = sample->capture->corrupt,
        .events = g_memdup2(sample->events, sample->n_events * sizeof *sample->events),
        .n_events = sample->n_events,
    };
    return true;
}

static void print_events(const struct side *side, const struct fl_plan *plan,
                         const struct fl_event *events, size_t n, size_t at)
{
    printf("on %s, outcome and event %zu of %zu:\n", side->options.backend->id, at, n);
    for (size_t i = at < AROUND ? 0 : at - AROUND; i < MIN(n, at + AROUND); i++) {
        GString *text = g_string_new(NULL);
        report_event(text, &side->options.image->scenarios[plan->scenario], &events[i]);
        printf("  %c %5zu %s  (addr %" G_GINT64_MODIFIER "x arg %x aux %x)\n", i == at ? '>' : ' ',
               i, text->str, events[i].addr, events[i].arg, events[i].aux);
        g_string_free(text, TRUE);
    }
}

static void print_plan(const struct fl_plan *plan)
{
    const struct fl_scenario *scenario = &sides[0].options.image->scenarios[plan->scenario];
    char *schedule = plan_schedule(scenario, plan->preemptions, plan->n_preemptions);
    printf("%s/%s: policy %u depth %u seed %u chance %u changes %u, --schedule '%s'\n",
           scenario->id, scenario->variants[plan->variant].id, plan->policy, plan->depth,
           plan->seed, plan->chance, plan->changes, schedule);
    g_free(schedule);
}

/* When a run is cut short is a matter of host time, and when its budget is spent one of the
 * architecture: what happened until then is the same. */
static bool alike(const struct kept *first, const struct sample *sample, size_t *at)
{
    const uint32_t outcome = sample->capture->result.outcome;
    const bool cut = outcome_is_cut_short(outcome) || outcome == FL_OUTCOME_HUNG;
    const size_t common = MIN(first->n_events, sample->n_events);
    *at = events_differ(first->events, cut ? common : first->n_events, sample->events,
                        cut ? common : sample->n_events);
    return first->outcome == outcome && *at == SIZE_MAX &&
           first->corrupt == sample->capture->corrupt &&
           (cut || first->hash == sample->verdict->event_hash);
}

static bool compare(void *context, size_t i, const struct sample *sample)
{
    bool *same = context;
    size_t at;
    compared++;
    *same = alike(&kept[i], sample, &at);
    if (*same)
        return true;
    print_plan(sample->plan);
    printf("outcomes %s and %s\n", trace_value_name(TRACE_OUTCOME, kept[i].outcome),
           trace_value_name(TRACE_OUTCOME, sample->capture->result.outcome));
    at = MIN(at, MIN(kept[i].n_events, sample->n_events));
    print_events(&sides[0], sample->plan, kept[i].events, kept[i].n_events, at);
    print_events(&sides[1], sample->plan, sample->events, sample->n_events, at);
    return false;
}

/* The plans on one side, then on the other. Whether they are the same; runs that are cut short
 * take long, so that one of a kind is enough. */
static bool batch(const struct fl_plan *plans, unsigned n, bool *cut)
{
    GError *error = NULL;
    bool same = true;
    const struct samples samples[] = {samples_of(&sides[0], plans->scenario),
                                      samples_of(&sides[1], plans->scenario)};
    if (!samples_run(&samples[0], plans, n, keep, NULL, &error) ||
        !samples_run(&samples[1], plans, n, compare, &same, &error))
        fail_msg("%s", error->message);
    *cut = outcome_is_cut_short(kept[0].outcome);
    for (unsigned i = 0; i < n; i++)
        g_free(kept[i].events);
    return same;
}

static bool same_variant(unsigned scenario, unsigned variant, unsigned count)
{
    struct fl_plan *plans = g_new(struct fl_plan, BATCH);
    bool same = true, cut = false;
    for (unsigned i = 0; i < count && same && !cut;) {
        unsigned n = 0;
        for (; n < BATCH && i < count && (n == 0 || i > 1); n++, i++)
            make_plan(&plans[n], scenario, variant, i);
        same = batch(plans, n, &cut);
    }
    g_free(plans);
    return same;
}

static bool is_wanted(const struct fl_scenario *scenario, unsigned variant)
{
    bool found = wanted == NULL;
    char *name = g_strdup_printf("%s/%s", scenario->id, scenario->variants[variant].id);
    for (char **one = wanted; one != NULL && *one != NULL; one++)
        found = found || strcmp(*one, scenario->id) == 0 || strcmp(*one, name) == 0;
    g_free(name);
    return found;
}

static void images_hold_the_same_scenarios(void **state)
{
    (void)state;
    const struct image *a = sides[0].options.image, *b = sides[1].options.image;
    assert_int_equal(a->n_scenarios, b->n_scenarios);
    for (size_t i = 0; i < a->n_scenarios; i++)
        if (memcmp(&a->scenarios[i], &b->scenarios[i], sizeof a->scenarios[i]) != 0)
            fail_msg("%s is not the same in both images", a->scenarios[i].id);
}

static void plans_mean_the_same(void **state)
{
    (void)state;
    unsigned differing = 0;
    const struct image *image = sides[0].options.image;
    for (unsigned i = 0; i < image->n_scenarios; i++) {
        const unsigned n = image->scenarios[i].n_variants;
        for (unsigned j = 0; j < n; j++)
            if (is_wanted(&image->scenarios[i], j))
                differing += !same_variant(i, j, MAX((n_plans + n - 1) / n, 2));
    }
    printf("%s: %u plans, %u variants differ\n", ends, compared, differing);
    assert_true(compared > 0);
    assert_int_equal(differing, 0);
}

static int setup(void **state)
{
    (void)state;
    GError *error = NULL;
    char **names = g_strsplit(ends, ",", 2);
    engine = engine_new();
    for (unsigned i = 0; i < 2; i++) {
        sides[i].options = lane_open(names[i]);
        sides[i].options.watchdog = WATCHDOG;
        sides[i].session = session_open(&sides[i].options, &error);
        if (sides[i].session == NULL)
            fail_msg("%s", error->message);
    }
    g_strfreev(names);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (unsigned i = 0; i < 2; i++) {
        session_close(sides[i].session);
        image_close((struct image *)sides[i].options.image);
    }
    engine_free(engine);
    return 0;
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(images_hold_the_same_scenarios),
        cmocka_unit_test(plans_mean_the_same),
    };
    if (argc > 1)
        ends = argv[1];
    if (argc > 2)
        n_plans = (unsigned)strtoul(argv[2], NULL, 10);
    if (argc > 3)
        wanted = argv + 3;
    return cmocka_run_group_tests(tests, setup, teardown);
}
