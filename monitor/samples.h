/* A handful of runs outside of a search, each judged, with all its events: for those who compare
 * one run with another. */
#ifndef FAULTLINE_SAMPLES_H
#define FAULTLINE_SAMPLES_H

#include <glib.h>
#include <stdbool.h>
#include "capture.h"
#include "engine.h"
#include "session.h"

struct samples {
    struct session *session;
    struct engine *engine;
    const struct fl_scenario *scenario;
    bool (*interrupted)(void); /* may be NULL */
};

struct sample {
    const struct fl_plan *plan;
    const struct fl_event *events;
    size_t n_events;
    const struct access *accesses; /* NULL unless the session records them */
    size_t n_accesses;
    const struct verdict *verdict;
    struct capture *capture;
};

typedef bool samples_visitor(void *context, size_t i, const struct sample *sample);

/* Runs the plans, in order, and shows each run to the visitor, which says whether to go on; the
 * sample is valid during the call. Nothing is in flight before and after. false: no guest can be
 * had, or it was interrupted. */
bool samples_run(const struct samples *samples, const struct fl_plan *plans, size_t n,
                 samples_visitor *visit, void *context, GError **error);

/* One run, to be kept; NULL as above. */
struct sample *sample_keep(const struct samples *samples, const struct fl_plan *plan,
                           GError **error);
void sample_free(struct sample *sample);

/* Whether somebody wants an end; says so in error. */
bool samples_interrupted(const struct samples *samples, GError **error);

bool sample_violates(const struct sample *sample, const char *check);

/* Whether all preemptions of its plan took place. */
bool sample_complete(const struct sample *sample);

#endif
