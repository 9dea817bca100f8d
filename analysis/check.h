/* A check: one invariant over the event stream. One file each in checks/, listed in checks.def.
 *
 * A check sees the events that it asks for, after the model (model.h) has taken them in; what it
 * needs to remember is `state`, zeroed at the start of each run. It reports by check_violated.
 */
#ifndef FAULTLINE_CHECK_H
#define FAULTLINE_CHECK_H

#include <stddef.h>
#include "abi.h"
#include "fingerprint.h"
#include "model.h"

struct check_context {
    const struct model *model;
    const struct fl_event *event; /* NULL in end() */
    uint64_t index;               /* of the event in the run; end() may say of which it tells */
    uint32_t outcome;             /* valid in end() */
    bool damaged;                 /* in end(): events were lost, the model is not to be trusted */
    void *state;
    struct engine *engine;
    const struct check *check;
};

#define CHECK_ON(EVENT) (UINT64_C(1) << FL_EVENT_##EVENT)
#define CHECK_ON_ALL    UINT64_MAX /* those that events.def does not have, too */

struct check {
    const char *id;      /* "stack-slot-exclusive" */
    const char *summary; /* one line: the invariant */
    const char *source;  /* where it comes from */
    size_t state_size;
    uint64_t on; /* events that event() is called for: CHECK_ON | CHECK_ON | ... */
    void (*event)(struct check_context *context); /* may be NULL */
    void (*end)(struct check_context *context);   /* may be NULL */
    /* What of its state has a say in what it will find. NULL: each byte. */
    void (*fingerprint)(const struct check_context *context, struct fingerprint *fingerprint);
};

/* NULL-terminated, in the order of their ids. */
extern const struct check *const checks[];

void check_violated(struct check_context *context, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* The check cannot tell: the verdict is inconclusive unless something else is violated. */
void check_inconclusive(struct check_context *context, const char *reason);

#endif
