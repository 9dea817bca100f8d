/* The interleaving as people read it: one column a thread, time goes down, 80 columns wide. */
#ifndef FAULTLINE_REPORT_LANES_H
#define FAULTLINE_REPORT_LANES_H

#include <glib.h>
#include <stdbool.h>
#include "report_text.h"

#define LANES_WIDTH 80u

/* What does not bear on the finding is folded into one line each time, unless `full`: the start-up,
 * the pager's steps, long stretches of one thread far from any preemption, and what comes after. */
void report_lanes(GString *out, const struct report *report, bool full);

/* A moment of the run, and how much of the run around it is wanted. */
struct lanes_window {
    size_t event;           /* the last that was written by then */
    uint32_t thread;        /* that runs then */
    unsigned before, after; /* rows */
};

/* The rows around a moment, which is marked by "=>" in the lane of its thread: after what was done
 * by then, before what is still to be done. */
void report_lanes_around(GString *out, const struct report *report,
                         const struct lanes_window *window);

/* Breaks the text at blanks, so that no line is wider; all but the first begin with `indent`. */
void report_wrap(GString *out, const char *text, unsigned width, const char *indent);

#endif
