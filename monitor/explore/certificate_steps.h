/* Runs as sequences of steps, as a certificate of orders tells them (traces/CERTIFICATE.md): each
 * step of the tree of runs once, with what it touched.
 */
#ifndef FAULTLINE_CERTIFICATE_STEPS_H
#define FAULTLINE_CERTIFICATE_STEPS_H

#include <glib.h>
#include "strategy.h"

struct step_lines;

struct step_lines *step_lines_new(const struct fl_scenario *scenario);
void step_lines_free(struct step_lines *lines);

/* Appends how many steps the run has in common with the one before, and the lines of the others. */
void step_lines_run(struct step_lines *lines, const struct run_report *report, GString *text);

/* Appends "->main.1 main@7 core,t1": who made the run's i-th step, as the plan wants it if "->" is
 * before, where it ended, and who could have gone on there. */
void certificate_step(GString *text, const struct fl_scenario *scenario,
                      const struct run_report *report, size_t i);
/* Appends " thread.main! memory.11c04": what was touched, "!" for what was written. */
void certificate_footprint(GString *text, const struct fl_scenario *scenario,
                           const struct footprint *footprint);

#endif
