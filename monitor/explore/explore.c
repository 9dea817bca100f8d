#include "explore.h"

#include <string.h>
#include "check.h"
#include "plan.h"
#include "search.h"

static double seconds_since(gint64 then)
{
    return (double)(g_get_monotonic_time() - then) / G_USEC_PER_SEC;
}

double search_seconds(const struct search *search)
{
    return search->result->seconds_resumed + seconds_since(search->began);
}

bool search_interrupted(const struct search *search)
{
    return search->options->interrupted != NULL && search->options->interrupted();
}

void search_error(struct search *search, char *message)
{
    g_free(search->result->error);
    search->result->error = message;
    search->result->verdict = EXPLORE_ERROR;
}

/* ---- while it runs ---- */

static void tell_progress(struct search *search)
{
    const struct explore_options *options = search->options;
    if (options->progress == NULL)
        return;
    struct explore_state state = {
        .runs = search->result->runs,
        .resumed = search->result->resumed,
        .seconds = seconds_since(search->began),
        .minimising = search->minimising,
    };
    state.seconds_left = options->max_seconds > 0 ? options->max_seconds - state.seconds : -1;
    search->ops->progress(search->strategy, &state.strategy);
    options->progress(options->context, &state);
}

/* What a killed monitor would lose: a second of runs. */
static void save_now_and_then(struct search *search)
{
    if (search->options->journal == NULL || search->minimising ||
        seconds_since(search->flushed) < 1)
        return;
    search->flushed = g_get_monotonic_time();
    journal_flush(search->options->journal, search_seconds(search), NULL);
}

static bool on_wait(void *context)
{
    struct search *search = context;
    const double limit = search->options->max_seconds;
    tell_progress(search);
    save_now_and_then(search);
    return !search_interrupted(search) &&
           (search->minimising || limit <= 0 || seconds_since(search->began) < limit);
}

/* Every preemption of a listed plan was seen possible in the run of a shorter one. A run that was
 * cut short lost the events of its last packet. */
static bool reached(struct search *search, const struct driven *driven)
{
    const struct run_report *report = driven->report;
    if (outcome_is_cut_short(driven->run->result.outcome) || driven->run->result.lost > 0 ||
        report->plan->policy != FL_POLICY_FIXED || report->n_taken == report->plan->n_preemptions)
        return true;
    g_autofree char *schedule = plan_whole_schedule(search->options->scenario, report->plan);
    search_error(search,
                 g_strdup_printf("the guest is not deterministic: %zu of %u preemptions took "
                                 "place, though each was possible before: '%s'",
                                 report->n_taken, report->plan->n_preemptions, schedule));
    return false;
}

/* ---- remembering and recalling ---- */

static uint64_t remembered(const struct search *search)
{
    const struct journal *journal = search->options->journal;
    return journal != NULL ? journal_remembered(journal) : 0;
}

static bool recall(void *context, uint64_t number, struct verdict *verdict)
{
    const struct search *search = context;
    if (number >= remembered(search))
        return false;
    const struct journal_run *run = journal_run(search->options->journal, number);
    *verdict = (struct verdict){
        .kind = run->verdict,
        .outcome = run->outcome,
        .event_hash = run->event_hash,
        .seen = run->seen,
        .refused = run->refused,
    };
    return !run->used;
}

/* A run that is made again for a search that is resumed must be what it was. */
static bool as_remembered(struct search *search, const struct driven *driven)
{
    const struct journal_run *run = journal_run(search->options->journal, driven->number);
    if (run->event_hash == driven->report->verdict->event_hash ||
        outcome_is_cut_short(run->outcome))
        return true;
    search_error(search, g_strdup_printf("run %" G_GUINT64_FORMAT " of the search that was to be "
                                         "resumed went otherwise now; begin anew, without --resume",
                                         driven->number + 1));
    return false;
}

/* A violation is to be met again: its trace is not kept. */
static bool remember(struct search *search, const struct driven *driven)
{
    struct journal *journal = search->options->journal;
    const struct verdict *verdict = driven->report->verdict;
    if (journal == NULL)
        return true;
    if (driven->number < remembered(search)) {
        search->result->resumed++;
        return driven->run == NULL || as_remembered(search, driven);
    }
    const struct journal_run run = {
        .event_hash = verdict->event_hash,
        .outcome = (uint8_t)verdict->outcome,
        .verdict = (uint8_t)verdict->kind,
        .used = driven->used || verdict->kind == VERDICT_VIOLATION,
        .refused = (uint8_t)MIN(verdict->refused, UINT8_MAX),
        .seen = verdict->seen,
    };
    journal_add(journal, &run);
    return true;
}

static bool on_run(void *context, const struct driven *driven)
{
    struct search *search = context;
    struct explore_result *result = search->result;
    const struct run_report *report = driven->report;
    result->runs++;
    result->seen += report->verdict->seen;
    const uint64_t told = search->options->orders ? report->order : report->verdict->event_hash;
    g_array_append_val(search->hashes, told);
    if (search->options->certificate != NULL)
        certificate_run(search->options->certificate, report);
    if (report->verdict->kind == VERDICT_INCONCLUSIVE)
        result->inconclusive++;
    if (driven->run != NULL && report->plan->policy == FL_POLICY_FIXED &&
        report->plan->n_preemptions == 0 && report->plan->n_failures == 0)
        result->places[report->plan->depth] = report->n_places;
    if (!remember(search, driven) || (driven->run != NULL && !reached(search, driven)))
        return false;
    if (driven->run == NULL || report->verdict->kind != VERDICT_VIOLATION)
        return true;
    search_meet(search, driven);
    return search->options->all;
}

/* ---- one strategy, driven to its end ---- */

enum drive_end search_drive(struct search *search, const struct strategy_ops *ops,
                            struct strategy *strategy, struct drive *drive, GError **error)
{
    search->ops = ops;
    search->strategy = strategy;
    drive->crew = search->options->crew;
    drive->engine = search->options->engine;
    drive->scenario = search->options->scenario;
    drive->ops = ops;
    drive->strategy = strategy;
    drive->on_wait = on_wait;
    drive->context = search;
    return drive_run(drive, error);
}

struct strategy_config search_config(const struct explore_options *options)
{
    return (struct strategy_config){
        .scenario = options->scenario,
        .base = *options->base,
        .depth = options->depth,
        .bound = options->bound,
        .without = options->without,
        .prune = options->prune,
        .unqueued = options->unqueued,
        .seed = options->seed,
        .fails = options->fails,
        .inner = options->strategy,
    };
}

/* What is driven: the strategy asked for, or failures with its plans. */
static const struct strategy_ops *driven_strategy(const struct explore_options *options)
{
    return options->fails != 0 ? &strategy_fail : options->strategy;
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
    g_autofree char *schedule = plan_whole_schedule(search->options->scenario, &drive->first->plan);
    search_error(search, g_strdup_printf("the guest is not deterministic: two runs of the plan "
                                         "'%s' left different traces",
                                         schedule));
}

/* A search of nothing would be a clean one. */
static bool nothing_in_focus(const struct search *search)
{
    for (unsigned depth = 0; depth < FL_DEPTH_NEVER; depth++)
        if (search->result->places[depth] > 0)
            return false;
    return search->options->focus != NULL;
}

bool explore_saw_nothing(const struct explore_options *options, const struct explore_result *result)
{
    if (options->fails != 0)
        return result->reached.runs_hit == 0;
    return options->scenario->variants[options->base->variant].sees != 0 && result->seen == 0;
}

static void conclude(struct search *search, enum drive_end end, const struct drive *drive,
                     const GError *error)
{
    struct explore_result *result = search->result;
    if (result->error != NULL)
        return;
    result->complete = end == DRIVE_FINISHED;
    if (end == DRIVE_DIVERGED)
        diverged(search, drive);
    else if (end == DRIVE_FAILED)
        search_error(search, g_strdup(error->message));
    else if (result->reached.broken != NULL)
        search_error(search, g_strdup(g_steal_pointer(&result->reached.broken)));
    else if (search->met->len > 0)
        result->verdict = EXPLORE_FOUND;
    else if (result->complete && nothing_in_focus(search))
        search_error(search,
                     g_strdup("nothing is in focus: no --focus names a place of the default "
                              "schedule at this depth"));
    else if (result->complete)
        result->verdict = result->inconclusive > 0 || explore_saw_nothing(search->options, result)
                              ? EXPLORE_INCONCLUSIVE
                              : EXPLORE_NOTHING_LEFT;
    else
        result->verdict = search_interrupted(search) ? EXPLORE_INTERRUPTED : EXPLORE_BUDGET_SPENT;
}

static void run_search(struct search *search)
{
    const struct explore_options *options = search->options;
    struct explore_result *result = search->result;
    struct drive drive = {
        .depths = search->depths,
        .accesses = !(options->without & 1u << FL_DEPTH_ACCESS),
        .standing = search->standing,
        .focus = options->focus,
        .orders = options->orders,
        .prefixes = options->prune,
        .gives_up = options->gives_up,
        .depth = options->depth,
        .max_runs = options->max_runs > 0 ? remembered(search) + options->max_runs : 0,
        .twice_every = options->twice_every,
        .recall = recall,
        .on_run = on_run,
    };
    g_autoptr(GError) error = NULL;
    if (options->journal != NULL)
        result->seconds_resumed = journal_seconds(options->journal);
    search->began = search->flushed = g_get_monotonic_time();
    const enum drive_end end =
        search_drive(search, driven_strategy(options), search->strategy, &drive, &error);
    result->seconds = seconds_since(search->began);
    result->distinct = count_distinct(search->hashes);
    search->ops->progress(search->strategy, &result->reached);
    if (options->strategy->steps && !options->orders)
        result->distinct = result->runs - result->reached.runs_redundant;
    if (search->depths[FL_DEPTH_INSN] != NULL)
        result->left_out = depth_left_out(search->depths[FL_DEPTH_INSN]);
    conclude(search, end, &drive, error);
}

static void clear(struct search *search)
{
    for (unsigned depth = 0; depth < FL_DEPTH_NEVER; depth++)
        if (search->depths[depth] != NULL)
            depth_free(search->depths[depth]);
    standing_free(search->standing);
    g_array_free(search->hashes, TRUE);
    for (guint i = 0; i < search->met->len; i++)
        met_free(g_ptr_array_index(search->met, i));
    g_ptr_array_free(search->met, TRUE);
}

struct explore_result *explore(const struct explore_options *options, GError **error)
{
    const struct strategy_config config = search_config(options);
    struct search search = {.options = options};
    if (options->strategy->known != NULL) {
        search.standing = standing_new(options->image, options->bound < FL_MAX_PREEMPTIONS, error);
        if (search.standing == NULL)
            return NULL;
    }
    const struct strategy_ops *ops = driven_strategy(options);
    struct strategy *strategy = search.strategy = ops->open(&config, error);
    if (strategy == NULL) {
        standing_free(search.standing);
        return NULL;
    }
    search.result = g_new0(struct explore_result, 1);
    search.result->findings = g_ptr_array_new();
    search.hashes = g_array_new(FALSE, FALSE, sizeof(uint64_t));
    search.met = g_ptr_array_new();
    run_search(&search);
    ops->close(strategy);
    search.minimising = true;
    causes_find(&search);
    clear(&search);
    return search.result;
}

void finding_free(struct finding *finding)
{
    capture_free(finding->capture);
    g_free(finding->cause);
    g_free(finding);
}

void explore_free(struct explore_result *result)
{
    for (guint i = 0; i < result->findings->len; i++)
        finding_free(g_ptr_array_index(result->findings, i));
    g_ptr_array_free(result->findings, TRUE);
    capture_free(result->first);
    capture_free(result->second);
    g_free(result->error);
    g_free(result);
}
