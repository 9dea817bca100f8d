/* A verdict for machines: what `verify --json` prints and verdict.json holds. */
#ifndef FAULTLINE_VERDICT_JSON_H
#define FAULTLINE_VERDICT_JSON_H

#include <jansson.h>
#include "audit.h"
#include "check.h"
#include "engine.h"

/* "clean", "violation", "inconclusive" */
const char *verdict_name(enum verdict_kind kind);

/* The exit code that says the same. */
int verdict_exit(enum verdict_kind kind);

/* A damaged or lossy trace is inconclusive as a whole, also when what could be read of it violates
 * a check: that is told with the check. */
enum verdict_kind verdict_of_trace(const struct verdict *verdict);

/* The violation of a check, or NULL. */
const struct violation *verdict_violation(const struct verdict *verdict, const struct check *check);

/* What the verdict means for one check. */
enum verdict_kind verdict_of_check(const struct verdict *verdict, const struct check *check);

/* An object with `verdict`, `outcome`, `reason`, `events`, `event_hash`, and `checks`: each check's
 * `id`, `verdict`, `message` and `event`. A new reference. */
json_t *verdict_to_json(const struct verdict *verdict);

/* `audits`, `objects_walked`, `audits_off`. A new reference. */
json_t *audits_to_json(const struct audit_totals *audits);

#endif
