/* Which rows of a run bear on its finding.
 *
 * What people need is the stretch from shortly before the threads meet to shortly after the
 * violation: from the first preemption, or the first mark on the slot that the violation is about,
 * whichever comes first. The pager does the same thing every time; its rows are kept only where it
 * is itself preempted, or run instead.
 */
#include "lanes_fold.h"

#include <string.h>
#include "check.h"

enum { BEFORE = 4, BEFORE_ALONE = 12, AFTER = 4, NEAR = 3, LONG = 48 };

struct fold {
    const struct report *report;
    const GArray *rows;
    bool *kept;
    guint first, last; /* rows of the stretch */
};

static const struct lane_row *row_at(const struct fold *fold, guint i)
{
    return &g_array_index(fold->rows, struct lane_row, i);
}

guint lanes_row_of(const GArray *rows, uint64_t event)
{
    guint found = rows->len;
    for (guint i = 0; i < rows->len; i++) {
        const struct lane_row *row = &g_array_index(rows, struct lane_row, i);
        if (row->last == event)
            return i;
        if (row->event <= event)
            found = i;
    }
    return found;
}

static const struct violation *violation_of(const struct report *report)
{
    const struct verdict *verdict = report->verdict;
    return verdict->kind == VERDICT_VIOLATION ? &verdict->violations[0] : NULL;
}

static bool is_part(const struct lane_row *row)
{
    return row->thread != FL_PATH_CORE || row->kind == LANE_PREEMPT;
}

/* The row at which the slot of the violation was taken by its first holder. */
static guint first_of_slot(const struct fold *fold, guint violation)
{
    const struct lane_row *at = row_at(fold, violation);
    guint first = violation;
    if (!at->mark || !at->slot)
        return first;
    for (guint i = violation; i-- > 0;) {
        const struct lane_row *row = row_at(fold, i);
        if (!row->mark || row->slot != at->slot)
            continue;
        if (row->mark == FL_EVENT_MARK_FREE)
            break;
        first = i;
    }
    return first;
}

static guint first_preemption(const struct fold *fold)
{
    guint i = 0;
    while (i < fold->rows->len && row_at(fold, i)->kind != LANE_PREEMPT)
        i++;
    return i;
}

/* The first row of the second thread of the scenario: before it nothing can be out of order. */
static guint first_company(const struct fold *fold)
{
    uint32_t alone = 0;
    for (guint i = 0; i < fold->rows->len; i++) {
        const uint32_t thread = row_at(fold, i)->thread;
        if (thread == FL_PATH_CORE)
            continue;
        if (alone != 0 && thread != alone)
            return i;
        alone = thread;
    }
    return 0;
}

/* Moves `row` by so many rows that count, up or down. */
static guint move(const struct fold *fold, guint row, int by)
{
    const int step = by < 0 ? -1 : 1;
    while (by != 0 && (step > 0 ? row + 1 < fold->rows->len : row > 0)) {
        row = (guint)((int)row + step);
        by -= is_part(row_at(fold, row)) ? step : 0;
    }
    return row;
}

static void find_stretch(struct fold *fold)
{
    const struct violation *violation = violation_of(fold->report);
    const guint rows = fold->rows->len;
    guint first = first_preemption(fold);
    const int before = first < rows ? BEFORE : BEFORE_ALONE;
    fold->last = rows - 1;
    if (violation) {
        const guint at = lanes_row_of(fold->rows, violation->event);
        if (at < rows) {
            first = MIN(first, first_of_slot(fold, at));
            fold->last = move(fold, at, AFTER);
        }
    }
    if (first >= rows)
        first = first_company(fold);
    fold->first = move(fold, first, -before);
}

static bool matters(const struct fold *fold, guint i)
{
    const struct violation *violation = violation_of(fold->report);
    const struct lane_row *row = row_at(fold, i);
    return row->mark || row->kind == LANE_PREEMPT ||
           (violation && i == lanes_row_of(fold->rows, violation->event));
}

static bool is_near(const struct fold *fold, guint i)
{
    const guint from = move(fold, i, -NEAR);
    const guint to = move(fold, i, NEAR);
    for (guint at = from; at <= to; at++)
        if (matters(fold, at))
            return true;
    return false;
}

/* Of a long stretch, what happens near marks, preemptions and the violation. */
static void thin_out(struct fold *fold)
{
    guint count = 0;
    for (guint i = fold->first; i <= fold->last; i++)
        count += fold->kept[i];
    for (guint i = fold->first; count > LONG && i <= fold->last; i++)
        fold->kept[i] = fold->kept[i] && is_near(fold, i);
}

/* A pager that is preempted, or runs instead, is shown on the entry in question. */
static void keep_pager(struct fold *fold)
{
    for (guint i = fold->first; i <= fold->last; i++) {
        const struct lane_row *row = row_at(fold, i);
        if (row->kind != LANE_PREEMPT ||
            (row->thread != FL_PATH_CORE && row->target != FL_PATH_CORE))
            continue;
        if (row->thread == FL_PATH_CORE && i > 0)
            fold->kept[i - 1] = true;
        for (guint at = i + 1; at <= fold->last; at++) {
            if (row_at(fold, at)->thread == FL_PATH_CORE) {
                fold->kept[at] = true;
                break;
            }
        }
    }
}

bool *lanes_fold(const struct report *report, const GArray *rows)
{
    struct fold fold = {.report = report, .rows = rows, .kept = g_new0(bool, rows->len + 1)};
    if (rows->len == 0)
        return fold.kept;
    find_stretch(&fold);
    for (guint i = fold.first; i <= fold.last; i++)
        fold.kept[i] = is_part(row_at(&fold, i));
    thin_out(&fold);
    keep_pager(&fold);
    return fold.kept;
}
