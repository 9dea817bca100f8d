#include "explore.h"

#include <string.h>
#include "check.h"
#include "drive.h"
#include "plan.h"

struct search {
    const struct explore_options *options;
    struct explore_result *result;
    struct strategy *strategy;
    const struct strategy_ops *ops;
    GArray *hashes; /* of uint64_t, one a run */
    gint64 began;
    bool minimising;
    struct finding *settling;
};

static double seconds_since(gint64 then)
{
    return (double)(g_get_monotonic_time() - then) / G_USEC_PER_SEC;
}

static bool interrupted(const struct explore_options *options)
{
    return options->interrupted != NULL && options->interrupted();
}

static void set_error(struct search *search, char *message)
{
    g_free(search->result->error);
    search->result->error = message;
    search->result->verdict = EXPLORE_ERROR;
}

/* ---- while it runs ---- */

static bool out_of_time(const struct search *search)
{
    const double limit = search->options->max_seconds;
    return limit > 0 && seconds_since(search->began) >= limit;
}

static bool on_wait(void *context)
{
    struct search *search = context;
    const struct explore_options *options = search->options;
    if (options->progress != NULL) {
        struct explore_state state = {
            .runs = search->result->runs,
            .seconds = seconds_since(search->began),
            .minimising = search->minimising,
        };
        state.seconds_left = options->max_seconds > 0 ? options->max_seconds - state.seconds : -1;
        search->ops->progress(search->strategy, &state.strategy);
        options->progress(options->context, &state);
    }
    return !interrupted(options) && (search->minimising || !out_of_time(search));
}

static size_t count_places(const struct run_report *report, unsigned depth)
{
    size_t count = 0;
    for (size_t i = 0; i < report->n_places; i++)
        count += strategy_place(&report->places[i], depth);
    return count;
}

/* A run that was cut short lost the events of its last packet. */
static bool whole(const struct run *run)
{
    return !outcome_is_cut_short(run->result.outcome) && run->result.lost == 0;
}

/* The same run with every preemption in its plan, whoever chose them. */
static void make_explicit(struct fl_plan *plan, const struct fl_scenario *scenario,
                          const struct run_report *report)
{
    if (plan->policy == FL_POLICY_FIXED)
        return;
    plan->policy = FL_POLICY_FIXED;
    plan->seed = 0;
    plan->chance = 0;
    for (size_t i = 0; i < report->n_taken; i++)
        plan_insert(plan, scenario, &report->taken[i], NULL);
}

static bool known(const struct explore_result *result, const char *check)
{
    for (guint i = 0; i < result->findings->len; i++) {
        const struct finding *finding = g_ptr_array_index(result->findings, i);
        if (strcmp(finding->check, check) == 0)
            return true;
    }
    return false;
}

static void keep_finding(struct search *search, const struct run_report *report,
                         const struct run *run)
{
    const char *check = report->verdict->violations[0].check->id;
    if (known(search->result, check))
        return;
    struct finding *finding = g_new0(struct finding, 1);
    g_strlcpy(finding->check, check, sizeof(finding->check));
    finding->runs_to_find = search->result->runs;
    finding->seconds_to_find = seconds_since(search->began);
    finding->capture = capture_take(search->options->session, run);
    make_explicit(&finding->capture->plan, search->options->scenario, report);
    g_ptr_array_add(search->result->findings, finding);
}

/* Every preemption of a listed plan was seen possible in the run of a shorter one. */
static bool reached(struct search *search, const struct run_report *report, const struct run *run)
{
    if (!whole(run) || report->plan->policy != FL_POLICY_FIXED ||
        report->n_taken == report->plan->n_preemptions)
        return true;
    g_autofree char *schedule = plan_schedule(search->options->scenario, report->plan->preemptions,
                                              report->plan->n_preemptions);
    set_error(search, g_strdup_printf("the guest is not deterministic: %zu of %u preemptions took "
                                      "place, though each was possible before: '%s'",
                                      report->n_taken, report->plan->n_preemptions, schedule));
    return false;
}

static bool on_run(void *context, const struct run_report *report, const struct run *run)
{
    struct search *search = context;
    struct explore_result *result = search->result;
    if (++result->runs == 1)
        result->places = count_places(report, search->options->depth);
    g_array_append_val(search->hashes, report->verdict->event_hash);
    if (!reached(search, report, run))
        return false;
    if (report->verdict->kind == VERDICT_INCONCLUSIVE)
        result->inconclusive++;
    if (report->verdict->kind != VERDICT_VIOLATION)
        return true;
    keep_finding(search, report, run);
    return search->options->all;
}

/* ---- one strategy, driven to its end ---- */

static enum drive_end drive_strategy(struct search *search, const struct strategy_ops *ops,
                                     struct strategy *strategy, struct drive *drive, GError **error)
{
    search->ops = ops;
    search->strategy = strategy;
    drive->session = search->options->session;
    drive->engine = search->options->engine;
    drive->scenario = search->options->scenario;
    drive->ops = ops;
    drive->strategy = strategy;
    drive->on_wait = on_wait;
    drive->context = search;
    return drive_run(drive, error);
}

static struct strategy_config config_for(const struct explore_options *options)
{
    return (struct strategy_config){
        .scenario = options->scenario,
        .base = *options->base,
        .depth = options->depth,
        .bound = options->bound,
        .seed = options->seed,
    };
}

/* ---- one run ---- */

struct once {
    struct search search; /* first: on_wait takes it for the search that it is */
    struct capture *capture;
};

static bool on_once(void *context, const struct run_report *report, const struct run *run)
{
    struct once *once = context;
    once->capture = capture_take(once->search.options->session, run);
    once->capture->plan = *report->plan;
    return true;
}

struct capture *explore_once(const struct explore_options *options, const struct fl_plan *plan,
                             GError **error)
{
    struct explore_result result = {.runs = 0};
    struct once once = {.search = {.options = options, .result = &result, .minimising = true}};
    once.search.began = g_get_monotonic_time();
    struct strategy_config config = config_for(options);
    config.given = plan;
    config.times = 1;
    struct strategy *strategy = strategy_replay.open(&config, error);
    if (strategy == NULL)
        return NULL;
    struct drive drive = {.on_run = on_once};
    drive_strategy(&once.search, &strategy_replay, strategy, &drive, error);
    strategy_replay.close(strategy);
    return once.capture;
}

/* ---- minimising ---- */

static bool on_minimise_run(void *context, const struct run_report *report, const struct run *run)
{
    (void)report;
    (void)run;
    struct search *search = context;
    search->settling->runs_minimising++;
    return true;
}

/* The smallest plan; the finding's own when it was interrupted before it could be confirmed. */
static bool minimised_plan(struct search *search, struct finding *finding, struct fl_plan *plan,
                           GError **error)
{
    search->settling = finding;
    struct strategy_config config = config_for(search->options);
    config.given = &finding->capture->plan;
    config.check = finding->check;
    struct strategy *strategy = strategy_minimise.open(&config, error);
    struct drive drive = {.on_run = on_minimise_run};
    const enum drive_end end = drive_strategy(search, &strategy_minimise, strategy, &drive, error);
    const struct fl_plan *smallest = minimise_result(strategy);
    *plan = smallest != NULL ? *smallest : finding->capture->plan;
    strategy_minimise.close(strategy);
    return end != DRIVE_FAILED && (smallest != NULL || end == DRIVE_STOPPED);
}

/* Puts the run of the explicit and smallest plan in place of the one that was met. */
static void settle(struct search *search, struct finding *finding)
{
    const struct explore_options *options = search->options;
    const struct fl_plan *met = &finding->capture->plan;
    if (outcome_is_cut_short(finding->capture->result.outcome) ||
        (met->n_preemptions <= 1 && options->strategy != &strategy_random))
        return;
    g_autoptr(GError) error = NULL;
    struct fl_plan plan = *met;
    bool good = !options->minimise || minimised_plan(search, finding, &plan, &error);
    struct capture *again = good ? explore_once(options, &plan, &error) : NULL;
    if (again != NULL) {
        const struct verdict *verdict = capture_judge(again, options->engine, options->scenario);
        good = verdict->kind == VERDICT_VIOLATION &&
               strcmp(verdict->violations[0].check->id, finding->check) == 0;
    }
    if (again != NULL && good) {
        capture_free(finding->capture);
        finding->capture = again;
        return;
    }
    capture_free(again);
    if (error != NULL || !interrupted(options))
        set_error(search, g_strdup_printf("the finding does not come again: %s",
                                          error != NULL ? error->message
                                                        : "the guest is not deterministic"));
}

/* ---- the end ---- */

static int compare_hashes(const void *a, const void *b)
{
    const uint64_t x = *(const uint64_t *)a;
    const uint64_t y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static uint64_t count_distinct(GArray *hashes)
{
    g_array_sort(hashes, compare_hashes);
    const uint64_t *sorted = (const uint64_t *)(void *)hashes->data;
    uint64_t distinct = hashes->len > 0;
    for (guint i = 1; i < hashes->len; i++)
        distinct += sorted[i] != sorted[i - 1];
    return distinct;
}

static void diverged(struct search *search, const struct drive *drive)
{
    search->result->first = drive->first;
    search->result->second = drive->second;
    g_autofree char *schedule =
        plan_schedule(search->options->scenario, drive->first->plan.preemptions,
                      drive->first->plan.n_preemptions);
    set_error(search, g_strdup_printf("the guest is not deterministic: two runs of the plan '%s' "
                                      "left different traces",
                                      schedule));
}

static void conclude(struct search *search, enum drive_end end, const struct drive *drive,
                     const GError *error)
{
    struct explore_result *result = search->result;
    if (result->error != NULL)
        return;
    if (end == DRIVE_DIVERGED)
        diverged(search, drive);
    else if (end == DRIVE_FAILED)
        set_error(search, g_strdup(error->message));
    else if (result->findings->len > 0)
        result->verdict = EXPLORE_FOUND;
    else if (end == DRIVE_FINISHED)
        result->verdict = result->inconclusive > 0 ? EXPLORE_INCONCLUSIVE : EXPLORE_NOTHING_LEFT;
    else
        result->verdict = interrupted(search->options) ? EXPLORE_INTERRUPTED : EXPLORE_BUDGET_SPENT;
}

static void run_search(struct search *search)
{
    const struct explore_options *options = search->options;
    struct drive drive = {
        .max_runs = options->max_runs,
        .twice_every = options->twice_every,
        .on_run = on_run,
    };
    g_autoptr(GError) error = NULL;
    search->began = g_get_monotonic_time();
    const enum drive_end end =
        drive_strategy(search, options->strategy, search->strategy, &drive, &error);
    search->result->seconds = seconds_since(search->began);
    search->result->distinct = count_distinct(search->hashes);
    struct strategy_progress progress;
    options->strategy->progress(search->strategy, &progress);
    search->result->bound = progress.bound;
    conclude(search, end, &drive, error);
}

struct explore_result *explore(const struct explore_options *options, GError **error)
{
    const struct strategy_config config = config_for(options);
    struct strategy *strategy = options->strategy->open(&config, error);
    if (strategy == NULL)
        return NULL;
    struct search search = {.options = options, .strategy = strategy};
    search.result = g_new0(struct explore_result, 1);
    search.result->findings = g_ptr_array_new();
    search.hashes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    run_search(&search);
    options->strategy->close(strategy);
    g_array_free(search.hashes, TRUE);

    search.minimising = true;
    for (guint i = 0; search.result->error == NULL && i < search.result->findings->len; i++)
        settle(&search, g_ptr_array_index(search.result->findings, i));
    return search.result;
}

void explore_free(struct explore_result *result)
{
    for (guint i = 0; i < result->findings->len; i++) {
        struct finding *finding = g_ptr_array_index(result->findings, i);
        capture_free(finding->capture);
        g_free(finding);
    }
    g_ptr_array_free(result->findings, TRUE);
    capture_free(result->first);
    capture_free(result->second);
    g_free(result->error);
    g_free(result);
}
