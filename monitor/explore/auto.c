/* Iterative deepening over depth and bound, cheap and likely first, as Quicksand does (Blum and
 * Gibson, OOPSLA 2016): few preemptions at few places find most bugs, and what is left over when
 * the budget is spent can be said in one line.
 *
 * First the default schedule at every depth, which shows how much there is to do. Then, for b = 1,
 * 2, ... up to the bound: all plans of b preemptions at depths ipc and sync; b - 1 at insn, which
 * is mostly less work than b at access; b at access. Each is a bounded search (dfs.c) that leaves
 * out what the ones before have run.
 */
#include "strategy.h"

#include <math.h>

struct row {
    unsigned depth;
    unsigned bound;
    double runs; /* made, or estimated */
};

struct strategy {
    struct strategy_config config;
    GArray *rows; /* of struct row */
    guint at;     /* the row being searched; rows->len: none is left */
    struct strategy *dfs;
    uint64_t runs;                     /* of the rows before */
    double children[FL_DEPTH_NEVER];   /* of the default schedule */
    unsigned searched[FL_DEPTH_NEVER]; /* as in strategy_progress */
};

static struct row *row_at(const struct strategy *deepening, guint i)
{
    return &g_array_index(deepening->rows, struct row, i);
}

static void add_row(struct strategy *deepening, unsigned depth, unsigned bound)
{
    const struct row row = {.depth = depth, .bound = bound};
    if (depth <= deepening->config.depth && !(deepening->config.without & 1u << depth))
        g_array_append_val(deepening->rows, row);
}

static void add_rows(struct strategy *deepening)
{
    for (unsigned depth = FL_DEPTH_IPC; depth < FL_DEPTH_NEVER; depth++)
        add_row(deepening, depth, 0);
    for (unsigned bound = 1; bound <= deepening->config.bound; bound++) {
        add_row(deepening, FL_DEPTH_IPC, bound);
        add_row(deepening, FL_DEPTH_SYNC, bound);
        if (bound > 1)
            add_row(deepening, FL_DEPTH_INSN, bound - 1);
        add_row(deepening, FL_DEPTH_ACCESS, bound);
    }
}

static bool begin_row(struct strategy *deepening, GError **error)
{
    struct strategy_config config = deepening->config;
    config.depth = row_at(deepening, deepening->at)->depth;
    config.bound = row_at(deepening, deepening->at)->bound;
    for (unsigned i = 0; i < FL_DEPTH_NEVER; i++)
        config.searched[i] = config.bound > 0 ? deepening->searched[i] : 0;
    deepening->dfs = strategy_dfs.open(&config, error);
    return deepening->dfs != NULL;
}

static void auto_close(struct strategy *deepening)
{
    g_clear_pointer(&deepening->dfs, strategy_dfs.close);
    g_array_free(deepening->rows, TRUE);
    g_free(deepening);
}

static struct strategy *auto_open(const struct strategy_config *config, GError **error)
{
    struct strategy *deepening = g_new0(struct strategy, 1);
    deepening->config = *config;
    deepening->rows = g_array_new(FALSE, FALSE, sizeof(struct row));
    add_rows(deepening);
    if (begin_row(deepening, error))
        return deepening;
    auto_close(deepening);
    return NULL;
}

/* A place of a depth is one of every greater depth. */
static void mark_searched(struct strategy *deepening, const struct row *row)
{
    for (unsigned depth = FL_DEPTH_IPC; depth <= row->depth; depth++)
        deepening->searched[depth] = MAX(deepening->searched[depth], row->bound + 1);
}

static void end_row(struct strategy *deepening)
{
    struct strategy_progress progress;
    struct row *row = row_at(deepening, deepening->at);
    strategy_dfs.progress(deepening->dfs, &progress);
    deepening->runs += progress.runs;
    row->runs = (double)progress.runs;
    mark_searched(deepening, row);
    g_clear_pointer(&deepening->dfs, strategy_dfs.close);
    deepening->at++;
}

static bool auto_next(struct strategy *deepening, struct fl_plan *plan)
{
    return deepening->dfs != NULL && strategy_dfs.next(deepening->dfs, plan);
}

static bool auto_done(struct strategy *deepening, const struct run_report *report)
{
    const struct row *row = row_at(deepening, deepening->at);
    if (row->bound == 0)
        for (size_t i = 0; i < report->n_places; i++)
            deepening->children[row->depth] += report->places[i].n_ready;
    const bool used = strategy_dfs.done(deepening->dfs, report) || row->bound == 0;
    while (deepening->dfs != NULL && strategy_dfs.finished(deepening->dfs)) {
        end_row(deepening);
        if (deepening->at < deepening->rows->len && !begin_row(deepening, NULL))
            g_assert_not_reached(); /* the first row was opened with the same options */
    }
    return used;
}

static bool auto_finished(const struct strategy *deepening)
{
    return deepening->dfs == NULL;
}

/* With c children of the default schedule: 1 + c + c^2/2! + ..., preemptions being chosen in
 * ascending order. Deeper plans have fewer places left, but more threads in their way. */
static double estimate_row(const struct strategy *deepening, const struct row *row)
{
    double level = 1, total = 1;
    for (unsigned i = 1; i <= row->bound; i++)
        total += level *= deepening->children[row->depth] / i;
    return total;
}

static double estimate_after(const struct strategy *deepening)
{
    double total = 0;
    for (guint i = deepening->at + 1; i < deepening->rows->len; i++)
        total += estimate_row(deepening, row_at(deepening, i));
    return total;
}

static void auto_progress(const struct strategy *deepening, struct strategy_progress *progress)
{
    if (deepening->dfs != NULL) {
        strategy_dfs.progress(deepening->dfs, progress);
        progress->runs_estimated = (double)deepening->runs +
                                   MAX(progress->runs_estimated,
                                       estimate_row(deepening, row_at(deepening, deepening->at))) +
                                   estimate_after(deepening);
    } else {
        const struct row *last = row_at(deepening, deepening->rows->len - 1);
        *progress = (struct strategy_progress){.depth = last->depth, .bound = last->bound};
        progress->runs_estimated = (double)deepening->runs;
    }
    progress->runs += deepening->runs;
    progress->runs_known = 0; /* of the row at hand only: no limit for the search */
    for (unsigned i = 0; i < FL_DEPTH_NEVER; i++)
        progress->searched[i] = MAX(progress->searched[i], deepening->searched[i]);
}

const struct strategy_ops strategy_auto = {
    .id = "auto",
    .summary = "deeper and deeper, cheap and likely first",
    .open = auto_open,
    .next = auto_next,
    .done = auto_done,
    .finished = auto_finished,
    .progress = auto_progress,
    .close = auto_close,
};
