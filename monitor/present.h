/* A judged run as people read it: what was found, where, and what to type next. */
#ifndef FAULTLINE_PRESENT_H
#define FAULTLINE_PRESENT_H

#include <glib.h>
#include "capture.h"
#include "engine.h"
#include "subject.h"

struct report;

/* Source places and names of data come from the subject's image, which must outlive the report. */
void present_lookups(struct report *report, const struct subject *subject);

/* "FOUND  check: ..." and the preemptions of the run, a line each, indented. */
void present_finding(GString *out, const struct subject *subject, const struct capture *capture,
                     const struct verdict *verdict);

/* The verdict's line alone. */
void present_verdict(GString *out, const struct subject *subject, const struct capture *capture,
                     const struct verdict *verdict);

/* The verdict of what is called `name`, and then each check's, a line each. */
void present_checks(GString *out, const char *name, const struct verdict *verdict);

/* "3 audits, 120 objects walked, none off", indented; nothing when there were none. */
void present_audits(GString *out, const struct audit_totals *audits);

/* Every event of the run, a line each. */
void present_events(GString *out, const struct fl_scenario *scenario,
                    const struct capture *capture);

/* The commands that go on from a recorded trace. */
void present_commands(GString *out, const char *trace);

/* The command that makes the run again without a trace. */
void present_schedule(GString *out, const struct subject *subject, const struct capture *capture);

#endif
