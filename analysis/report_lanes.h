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

/* Breaks the text at blanks, so that no line is wider; all but the first begin with `indent`. */
void report_wrap(GString *out, const char *text, unsigned width, const char *indent);

#endif
