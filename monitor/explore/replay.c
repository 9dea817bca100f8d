/* One given plan, a number of times. Whether the runs are equal is for the caller to say. */
#include "strategy.h"

#include "plan.h"

struct strategy {
    struct fl_plan plan;
    uint64_t times;
    uint64_t issued;
    uint64_t returned;
};

static struct strategy *replay_open(const struct strategy_config *config, GError **error)
{
    if (config->given == NULL) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_SYNTAX,
                    "strategy replay needs the plan of a trace: `faultline replay TRACE`");
        return NULL;
    }
    struct strategy *replay = g_new0(struct strategy, 1);
    replay->plan = *config->given;
    replay->times = config->times;
    return replay;
}

static bool replay_next(struct strategy *replay, struct fl_plan *plan)
{
    if (replay->issued == replay->times)
        return false;
    *plan = replay->plan;
    replay->issued++;
    return true;
}

static bool replay_done(struct strategy *replay, const struct run_report *report)
{
    (void)report;
    replay->returned++;
    return false;
}

static bool replay_finished(const struct strategy *replay)
{
    return replay->returned == replay->times;
}

static void replay_progress(const struct strategy *replay, struct strategy_progress *progress)
{
    *progress = (struct strategy_progress){
        .bound = replay->plan.n_preemptions,
        .runs_known = replay->times,
        .runs_estimated = (double)replay->times,
    };
}

static void replay_close(struct strategy *replay)
{
    g_free(replay);
}

const struct strategy_ops strategy_replay = {
    .id = "replay",
    .summary = "one given plan, a number of times",
    .open = replay_open,
    .next = replay_next,
    .done = replay_done,
    .finished = replay_finished,
    .progress = replay_progress,
    .close = replay_close,
};
