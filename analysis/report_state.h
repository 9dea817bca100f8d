/* The guest at one event of a run, as the model knows it: tables of plain text, 80 columns wide.
 * What the stepper and gdb show when asked for threads, slots and so on. */
#ifndef FAULTLINE_REPORT_STATE_H
#define FAULTLINE_REPORT_STATE_H

#include <glib.h>
#include "model.h"
#include "report_text.h"

/* Brings the model to where the guest stands right after event number `event` was written. */
void report_state_at(struct model *model, const struct report *report, unsigned variant,
                     size_t event);

struct report_view {
    const char *name; /* "threads" */
    const char *summary;
    /* The model stands within the report's events. */
    void (*print)(GString *out, const struct model *model, const struct report *report);
};

/* Ends with a name of NULL. */
extern const struct report_view report_views[];
/* By name or an unambiguous beginning of it; NULL: none. */
const struct report_view *report_view_find(const char *name);

typedef void report_view_print(GString *out, const struct model *model,
                               const struct report *report);
report_view_print report_slots, report_maps, report_chain; /* report_state_memory.c */

#endif
