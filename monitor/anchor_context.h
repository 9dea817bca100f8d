/* What the events of a run say about the places of one thread. Private to the anchors. */
#ifndef FAULTLINE_ANCHOR_CONTEXT_H
#define FAULTLINE_ANCHOR_CONTEXT_H

#include <glib.h>
#include "image.h"
#include "plan.h"

struct anchor_context {
    uint32_t n;
    unsigned line;             /* of the entry, in the anchor's function; 0: not known */
    struct plan_anchor anchor; /* as of k = 0 */
};

/* Of every entry of the thread, in order; the first is its start (n = 0). */
GArray *anchor_contexts(const struct image *image, const struct fl_event *events, size_t n_events,
                        uint32_t thread);

/* Where the thread stood before its k-th instruction after entry at->n; 0: it was not stopped
 * there. */
uint64_t anchor_standing_pc(const struct fl_event *events, size_t n_events,
                            const struct fl_preemption *at, uint32_t k);

/* How many instructions the thread made after entry at->n, in a run that tells spans. */
uint32_t anchor_stretch(const struct fl_event *events, size_t n_events,
                        const struct fl_preemption *at);

/* The instruction at pc, which the thread comes to after that entry. false: its source is not
 * known. */
bool anchor_instruction(const struct image *image, uint64_t pc, const struct anchor_context *entry,
                        struct plan_instruction *found);

#endif
