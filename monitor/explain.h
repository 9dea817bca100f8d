/* Why a run violates its check: the two accesses to memory, or events, whose order decides. They
 * come from comparing the finding with its nearest passing neighbour (neighbour.h).
 */
#ifndef FAULTLINE_EXPLAIN_H
#define FAULTLINE_EXPLAIN_H

#include <glib.h>
#include <stdbool.h>
#include "subject.h"

struct explain_side {
    uint32_t thread;
    uint32_t n, k; /* its place; of an access that was not a place of the plan: 0, 0 */
    uint32_t pc;
    char what[120]; /* "store to subthreads + 4", "reserve slot 1" */
    bool known;     /* where in the source: */
    struct source_place place;
};

struct explanation {
    char check[48];
    bool accesses; /* both sides are accesses to one place in memory */
    /* Accesses: in the finding `late` comes after `early`; the other way round the check passes.
     * Events: in the finding `target` runs before `late`, and so `early` happens; when it runs
     * after, `instead` does. */
    struct explain_side late, early;
    /* The check fails when `target` runs between these two steps. `opens` has no thread when it
     * fails from the first moment that the target can run. */
    struct explain_side opens, closes;
    uint32_t target;
    char instead[120];
    char *failing, *passing; /* schedules */
    unsigned runs;           /* that it took */
};

/* Boots a guest of its own, one that tells accesses if that can be had, and runs the neighbours.
 * NULL and no error: there is no such pair (the default schedule fails, too). */
struct explanation *explain_finding(const struct subject *subject, const struct fl_plan *finding,
                                    const char *check, bool (*interrupted)(void), GError **error);
void explanation_free(struct explanation *explanation);

/* "decided by  main's store to x (file:line in f, pc 0x...) coming after t1's load of it (...)",
 * and the gap: lines of at most 80 columns, each with its newline, indented by two. */
void explanation_text(GString *out, const struct explanation *explanation,
                      const struct fl_scenario *scenario);
/* "passes with '...', fails with '...'": the neighbours. */
void explanation_schedules(GString *out, const struct explanation *explanation);
/* explanation.json of a trace directory. */
bool explanation_write(const struct explanation *explanation, const struct fl_scenario *scenario,
                       const char *trace, GError **error);

/* For whoever has found something: explains it, leaves explanation.json in the trace directory
 * (NULL: there is none) and appends explanation_text. Says nothing when there is nothing to say. */
void explain_found(GString *out, const struct subject *subject, const struct fl_plan *finding,
                   const char *check, bool (*interrupted)(void), const char *trace);

#endif
