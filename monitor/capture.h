/* One run, copied out of the ring, so that it outlives its packets there. */
#ifndef FAULTLINE_CAPTURE_H
#define FAULTLINE_CAPTURE_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "engine.h"
#include "session.h"

struct capture {
    struct fl_plan plan;
    struct fl_result result;
    bool corrupt;
    char death[160];
    GArray *packets; /* of struct fl_packet, sound ones only */
};

/* Whether the run did not come to its own end: the guest died, was given up, or wrote what it may
 * not and was stopped. When that was, in host time, no two runs share. */
bool outcome_is_cut_short(uint32_t outcome);

/* The run that the session last waited for. */
struct capture *capture_take(struct session *session, const struct run *run);
void capture_free(struct capture *capture);

/* Whether two runs left the same bytes in the ring and ended alike. */
bool capture_same(const struct capture *a, const struct capture *b);

/* Every event, in order; count is set. Free with g_free. */
struct fl_event *capture_events(const struct capture *capture, size_t *count);

/* Appends what the preempt events among these say: struct fl_preemption to taken, and the index of
 * its event to taken_at (uint64_t; may be NULL). index: of the first event. */
void events_preemptions(const struct fl_event *events, size_t count, uint64_t index, GArray *taken,
                        GArray *taken_at);

/* Ends the engine's run with what is known of the result beside the events. */
const struct verdict *judge_result(struct engine *engine, const struct fl_result *result,
                                   bool corrupt);

/* What the engine says of it. Valid until the engine's next run. */
const struct verdict *capture_judge(const struct capture *capture, struct engine *engine,
                                    const struct fl_scenario *scenario);

/* Index of the first event in which two runs differ, by the fields that are part of the event hash
 * (events.def). SIZE_MAX when there is none. */
size_t events_differ(const struct fl_event *a, size_t n_a, const struct fl_event *b, size_t n_b);

#endif
