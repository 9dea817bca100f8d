/* A run as rows: one for each kernel entry of a thread, with what became of it, one for each
 * preemption, and one for whatever happens to a thread while it does not run. report_lanes.h puts
 * them into columns.
 */
#ifndef FAULTLINE_LANES_H
#define FAULTLINE_LANES_H

#include <glib.h>
#include "report_text.h"

enum lane_kind {
    LANE_ENTRY,   /* a kernel entry and what it did */
    LANE_RESULT,  /* what became later of an entry further up */
    LANE_PREEMPT, /* thread was preempted in favour of target */
};

struct lane_row {
    enum lane_kind kind;
    uint32_t thread; /* path */
    uint32_t target; /* path, of a preemption */
    uint32_t n, k;   /* k: of a preemption */
    uint64_t pc;     /* 0: none */
    size_t event;    /* the first event told in this row, and the last */
    size_t last;
    uint64_t slot; /* address that a mark is about; 0: no mark */
    uint16_t mark; /* event id of the mark; 0: none */
    bool over;     /* its entry was cut short by a preemption */
    char text[112];
};

/* Rows of the whole run, in its order; struct lane_row. */
GArray *lanes_rows(const struct report *report);

#endif
