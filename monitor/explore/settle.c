/* One violating run becomes a finding: an explicit plan, the smallest, run once more. */
#include <string.h>
#include "check.h"
#include "plan.h"
#include "search.h"

/* ---- one run ---- */

struct once {
    struct search search; /* first: what is called while waiting takes it for the search */
    struct capture *capture;
};

static bool on_once(void *context, const struct driven *driven)
{
    struct once *once = context;
    once->capture = capture_take(driven->session, driven->run);
    once->capture->plan = *driven->report->plan;
    return true;
}

struct capture *explore_once(const struct explore_options *options, const struct fl_plan *plan,
                             GError **error)
{
    struct explore_result result = {.runs = 0};
    struct once once = {.search = {.options = options, .result = &result, .minimising = true}};
    once.search.began = g_get_monotonic_time();
    struct strategy_config config = search_config(options);
    config.given = plan;
    config.times = 1;
    struct strategy *strategy = strategy_replay.open(&config, error);
    if (strategy == NULL)
        return NULL;
    struct drive drive = {.on_run = on_once};
    search_drive(&once.search, &strategy_replay, strategy, &drive, error);
    strategy_replay.close(strategy);
    return once.capture;
}

/* ---- what is kept of a violating run ---- */

static bool check_is_known(const struct search *search, const char *check)
{
    for (guint i = 0; i < search->met->len; i++) {
        const struct met *met = g_ptr_array_index(search->met, i);
        if (strcmp(met->check, check) == 0)
            return true;
    }
    return false;
}

/* The same run with every preemption in its plan, whoever chose them. */
static struct fl_plan explicit_plan(const struct search *search, const struct run_report *report)
{
    struct fl_plan plan = *report->plan;
    plan.mode &= (uint8_t) ~(FL_MODE_SPANS | FL_MODE_ONLINE | FL_MODE_AFTER);
    if (plan.policy == FL_POLICY_FIXED)
        return plan;
    plan.policy = FL_POLICY_FIXED;
    plan.changes = 0;
    plan.seed = plan.chance = 0;
    for (size_t i = 0; i < report->n_taken; i++)
        plan_insert(&plan, search->options->scenario, &report->taken[i], NULL);
    return plan;
}

void search_meet(struct search *search, const struct driven *driven)
{
    const struct run_report *report = driven->report;
    const char *check = report->verdict->violations[0].check->id;
    const struct fl_plan plan = explicit_plan(search, report);
    struct met *met = g_new0(struct met, 1);
    g_strlcpy(met->check, check, sizeof(met->check));
    met->runs_to_find = search->result->runs;
    met->seconds_to_find = search_seconds(search);
    met->depth = plan.depth;
    met->cut_short = outcome_is_cut_short(report->result->outcome);
    met->n = plan.n_preemptions;
    met->preemptions =
        g_memdup2(plan.preemptions, plan.n_preemptions * sizeof(plan.preemptions[0]));
    met->n_failures = plan.n_failures;
    memcpy(met->failures, plan.failures, sizeof(met->failures));
    if (!check_is_known(search, check)) {
        met->capture = capture_take(driven->session, driven->run);
        met->capture->plan = plan;
    }
    g_ptr_array_add(search->met, met);
}

void met_free(struct met *met)
{
    g_free(met->preemptions);
    capture_free(met->capture);
    g_free(met);
}

static struct fl_plan met_plan(const struct search *search, const struct met *met)
{
    struct fl_plan plan = *search->options->base;
    plan.depth = (uint8_t)met->depth;
    plan.n_preemptions = met->n;
    memcpy(plan.preemptions, met->preemptions, met->n * sizeof(plan.preemptions[0]));
    if (search->options->fails != 0)
        plan.mode |= FL_MODE_FAIL;
    for (uint32_t i = 0; i < met->n_failures; i++)
        plan_fail(&plan, &met->failures[i], NULL);
    return plan;
}

static void does_not_come_again(struct search *search, const struct met *met, const GError *error)
{
    const struct fl_plan plan = met_plan(search, met);
    g_autofree char *schedule = plan_whole_schedule(search->options->scenario, &plan);
    search_error(
        search, g_strdup_printf("run %" G_GUINT64_FORMAT " violated %s and the same plan ('%s') "
                                "does not: %s",
                                met->runs_to_find, met->check, schedule,
                                error != NULL ? error->message : "the guest is not deterministic"));
}

/* ---- minimising ---- */

/* The smallest plan, in place of the one given. false: not even that one violates, or there is no
 * guest. When it is interrupted before that is known the given one has to do. */
static bool minimise(struct search *search, const struct met *met, struct finding *finding,
                     struct fl_plan *plan, GError **error)
{
    const struct fl_plan given = *plan;
    struct strategy_config config = search_config(search->options);
    config.depth = met->depth;
    config.given = &given;
    config.check = met->check;
    struct strategy *strategy = strategy_minimise.open(&config, error);
    struct drive drive = {.depths = search->depths,
                          .accesses = !(search->options->without & 1u << FL_DEPTH_ACCESS),
                          .focus = search->options->focus};
    const enum drive_end end = search_drive(search, &strategy_minimise, strategy, &drive, error);
    const struct fl_plan *smallest = minimise_result(strategy);
    if (smallest != NULL)
        *plan = *smallest;
    struct strategy_progress progress;
    strategy_minimise.progress(strategy, &progress);
    finding->runs_minimising = progress.runs;
    strategy_minimise.close(strategy);
    return end != DRIVE_FAILED && (smallest != NULL || end == DRIVE_STOPPED);
}

/* A search that goes through plans by their size, in the order of the run, has met the smallest
 * first; and what is cut short cannot be compared with anything smaller. */
static bool is_small(const struct search *search, const struct met *met)
{
    const struct strategy_ops *ops = search->options->strategy;
    const bool by_size = ops == &strategy_dfs || ops == &strategy_auto;
    return met->cut_short || (by_size && !search->options->all && met->n + met->n_failures <= 1);
}

static struct capture *run_again(struct search *search, const struct met *met,
                                 const struct fl_plan *plan, GError **error)
{
    const struct explore_options *options = search->options;
    struct capture *again = explore_once(options, plan, error);
    if (again == NULL)
        return NULL;
    const struct verdict *verdict = capture_judge(again, options->engine, options->scenario);
    if (verdict->kind == VERDICT_VIOLATION &&
        strcmp(verdict->violations[0].check->id, met->check) == 0)
        return again;
    capture_free(again);
    return NULL;
}

static struct capture *smallest_run(struct search *search, struct met *met, struct finding *finding,
                                    GError **error)
{
    struct fl_plan plan = met_plan(search, met);
    if (met->cut_short && met->capture != NULL)
        return g_steal_pointer(&met->capture);
    if (!is_small(search, met) && search->options->minimise &&
        !minimise(search, met, finding, &plan, error))
        return NULL;
    return run_again(search, met, &plan, error);
}

struct finding *settle(struct search *search, struct met *met)
{
    g_autoptr(GError) error = NULL;
    struct finding *finding = g_new0(struct finding, 1);
    g_strlcpy(finding->check, met->check, sizeof(finding->check));
    finding->runs_to_find = met->runs_to_find;
    finding->seconds_to_find = met->seconds_to_find;
    finding->count = 1;
    finding->capture = smallest_run(search, met, finding, &error);
    const bool interrupted = error == NULL && search_interrupted(search);
    if (finding->capture == NULL && interrupted) /* what was met is told as it was met */
        finding->capture = g_steal_pointer(&met->capture);
    if (finding->capture != NULL)
        return finding;
    g_free(finding);
    if (!interrupted)
        does_not_come_again(search, met, error);
    return NULL;
}
