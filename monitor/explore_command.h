/* The verb explore, in its parts. Private to cmd_explore.c and explore_tell.c. */
#ifndef FAULTLINE_EXPLORE_COMMAND_H
#define FAULTLINE_EXPLORE_COMMAND_H

#include <glib.h>
#include <stdbool.h>
#include "explore/explore.h"
#include "host_trace.h"
#include "progress.h"
#include "subject.h"

struct explore_command {
    struct subject_options subject_options;
    struct host_trace_options host_trace;
    char **params;
    char **focus;
    char **fail;
    char *depth;
    char *strategy;
    char *runs_dir;
    char *otherwise; /* --or */
    int bound;
    int jobs;
    gint64 seed, runs, twice_every;
    double time;
    gboolean orders, prune, gives_up, unqueued, stateful, no_minimise, no_plugin, all, audit, json,
        resume, paranoid;

    struct subject subject;
    struct fl_plan base;
    struct explore_options options;
    struct progress progress;
    char *certificate;     /* its path; NULL: this search has none */
    GError *not_certified; /* why, or NULL */
    char **traces;         /* one for each finding, NULL where it could not be recorded */
    char **reasons;        /* why each of them violates (explain.h), or "" */
};

/* explore_options.progress; the context is the command. */
void explore_show_progress(void *context, const struct explore_state *state);

/* Records what was found, and prints all there is to say. Exit code. */
int explore_tell(struct explore_command *command, struct explore_result *result);

/* explore_estimate.c: nothing of a strategy that does not estimate. */
struct json_t;
void explore_append_estimate(GString *text, const struct explore_command *command,
                             const struct explore_result *result);
void explore_estimate_to_json(struct json_t *json, const struct explore_command *command,
                              const struct explore_result *result);

#endif
