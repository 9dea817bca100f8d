/* Spans: how much of user mode went before each kernel entry (engine.h). The guest says so in an
 * event of its own, right before the entry or the interruption that ends the span. And between
 * which spans threads were made. */
#ifndef FAULTLINE_SPANS_H
#define FAULTLINE_SPANS_H

#include <glib.h>
#include <stdbool.h>
#include "engine.h"
#include "model.h"

struct spans {
    GArray *spans;    /* struct span */
    struct span told; /* its end has not come yet */
    bool pending;
    GArray *births;   /* struct thread_birth */
    uint32_t request; /* spans that had ended when core took its last message */
};

void spans_init(struct spans *spans);
void spans_free(struct spans *spans);
void spans_clear(struct spans *spans);
/* Any event; the model has taken it in. */
void spans_event(struct spans *spans, const struct model *model, const struct fl_event *event);
/* The thread has come to an entry or an interruption, which is this place. A span that has no such
 * end is that of a run whose budget was spent in it: nobody knows who could have run instead. */
void spans_end(struct spans *spans, const struct place *place);

#endif
