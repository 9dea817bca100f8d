/* Plans as people and files write them.
 *
 * A plan is what the monitor hands the guest for one run (abi.h). On disk it is plan.json, in which
 * scenario, variant, parameters and threads go by their names; on a command line its preemptions
 * are a schedule: "main@4->t1, t1@7+3->main" preempts main on its 4th kernel entry in favour of t1,
 * and t1 before the 3rd user instruction after its 7th entry in favour of main.
 * "main@9+gives-up->t1" is a departure where main gives the processor up by its 9th entry: t1 runs
 * then, not who is next. "fail:frame@7" has core refuse the 7th frame that the run asks for; slab
 * is an entry of one of core's tables, ipc an IPC to a server.
 *
 * Everything read is checked; the message is one line that says what is wrong.
 */
#ifndef FAULTLINE_PLAN_H
#define FAULTLINE_PLAN_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

#define PLAN_ERROR (g_quark_from_static_string("faultline-plan"))
enum plan_error { PLAN_ERROR_SYNTAX, PLAN_ERROR_NAME, PLAN_ERROR_RANGE };

#define PLAN_DEFAULT_BUDGET  20000000u
#define PLAN_DEFAULT_PACKETS 64u

/* The default schedule of a variant, with every parameter at its preset. */
void plan_init(struct fl_plan *plan, const struct fl_scenario *scenario, unsigned scenario_index,
               unsigned variant);

/* Sets one parameter from "name=value". */
bool plan_set_param(struct fl_plan *plan, const struct fl_scenario *scenario,
                    const char *assignment, GError **error);

/* Puts a preemption where the wire order (thread, n, k) wants it. Fails on a place that the plan
 * has already, on an impossible one, and when the plan is full. */
bool plan_insert(struct fl_plan *plan, const struct fl_scenario *scenario,
                 const struct fl_preemption *preemption, GError **error);

/* < 0, 0, > 0: places in wire order. */
int plan_compare(const struct fl_preemption *a, const struct fl_preemption *b);

/* Online the guest asks at every entry: leaves only those of the list that count nevertheless. */
void plan_make_online(struct fl_plan *plan);
/* What to answer there, for the run that the plan makes when it is posted. */
uint32_t plan_answer(const struct fl_plan *plan, const struct fl_decision *ask);

/* The schedule's text, in the order of the list given; "" for none. Free with g_free. */
char *plan_schedule(const struct fl_scenario *scenario, const struct fl_preemption *preemptions,
                    size_t n);

/* Replaces the plan's preemptions and failures by those of the text, in which any order will do. */
bool plan_parse_schedule(struct fl_plan *plan, const struct fl_scenario *scenario, const char *text,
                         GError **error);

/* ---- plan_failure.c ---- */

/* Puts a failure where the wire order (kind, nth) wants it. Fails on one that the plan has already,
 * and when it is full. */
bool plan_fail(struct fl_plan *plan, const struct fl_failure *failure, GError **error);
void plan_fail_nothing(struct fl_plan *plan);
/* FL_FAIL_* of a name, or -1. */
int plan_failure_kind(const char *name);
/* An entry of a schedule. */
bool plan_is_failure(const char *entry);
bool plan_parse_failure(struct fl_plan *plan, const char *entry, GError **error);
/* As plan_schedule; and the plan's failures and preemptions together. */
char *plan_failures(const struct fl_failure *failures, size_t n);
char *plan_whole_schedule(const struct fl_scenario *scenario, const struct fl_plan *plan);

/* ---- plan_json.c ---- */

struct json_t;

/* What a preemption's place was in the run that was recorded: enough to find it again in a run of
 * an edited source (anchor.h). */
struct plan_instruction { /* of k >= 1: where the thread stood */
    char function[64];    /* "": not known */
    int32_t line;         /* from that of entry n, if it is in the same function, else from the
                             function's first */
    uint32_t step;        /* which of the line's instructions (image_line_step) */
};
struct plan_anchor {
    bool given;
    uint32_t order;    /* when it took place, among the plan's preemptions, from 1 */
    char point[16];    /* of entry n; "none" for the start of a thread */
    char label[32];    /* of the message that it sends, or which lock; "" */
    char function[64]; /* that makes the entry; "": not known */
    uint32_t nth;      /* so many-th entry of the thread with this point, label and function */
    char mark[24];     /* the thread's nearest mark before; "": none */
    uint32_t mark_nth; /* so many-th of its kind */
    uint32_t since;    /* as nth, counted from that mark */
    struct plan_instruction at;
};
struct plan_anchors { /* the i-th belongs to the plan's i-th preemption */
    struct plan_anchor of[FL_MAX_PREEMPTIONS];
};

/* A new reference. */
struct json_t *plan_to_json(const struct fl_plan *plan, const struct fl_scenario *scenario);
/* anchors may be NULL. */
char *plan_to_text(const struct fl_plan *plan, const struct fl_scenario *scenario,
                   const struct plan_anchors *anchors);

/* Reads a plan for this scenario, and refuses one for another. On failure *plan is undefined.
 * anchors may be NULL. */
bool plan_from_text(const char *text, size_t size, const struct fl_scenario *scenario,
                    unsigned scenario_index, struct fl_plan *plan, struct plan_anchors *anchors,
                    GError **error);

#endif
