/* What the parts of a search share. Private to explore.c, settle.c and causes.c. */
#ifndef FAULTLINE_SEARCH_H
#define FAULTLINE_SEARCH_H

#include "drive.h"
#include "explore.h"

/* A violating run that waits to be looked into. There may be many. */
struct met {
    char check[48];
    uint64_t runs_to_find;
    double seconds_to_find;
    unsigned depth;
    bool cut_short; /* outcome_is_cut_short() */
    uint32_t n;     /* every preemption that took place, in wire order */
    struct fl_preemption *preemptions;
    uint32_t n_failures;
    struct fl_failure failures[FL_MAX_FAILURES];
    struct capture *capture; /* of the first of a check, else NULL: it can be run again */
};

struct search {
    const struct explore_options *options;
    struct explore_result *result;
    const struct strategy_ops *ops; /* being driven */
    struct strategy *strategy;
    struct depth *depths[FL_DEPTH_NEVER];
    struct standing *standing; /* of a strategy that wants states, else NULL */
    GArray *hashes;            /* of uint64_t, one a run */
    GPtrArray *met;            /* of struct met */
    gint64 began, flushed;
    bool minimising;
};

/* explore.c */
enum drive_end search_drive(struct search *search, const struct strategy_ops *ops,
                            struct strategy *strategy, struct drive *drive, GError **error);
struct strategy_config search_config(const struct explore_options *options);
bool search_interrupted(const struct search *search);
double search_seconds(const struct search *search);
void search_error(struct search *search, char *message); /* takes the message */

/* settle.c */
void search_meet(struct search *search, const struct driven *driven);
void met_free(struct met *met);
/* The finding that a violating run makes, its plan as small as it gets. NULL: it was
 * interrupted, or the search has an error now. */
struct finding *settle(struct search *search, struct met *met);

void finding_free(struct finding *finding);

/* causes.c: turns what was met into findings, one of each cause. */
void causes_find(struct search *search);

#endif
