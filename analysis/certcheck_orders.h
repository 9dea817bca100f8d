/* Certificates of orders as certcheck holds them: a tree of runs, each a sequence of steps. */
#ifndef FAULTLINE_CERTCHECK_ORDERS_H
#define FAULTLINE_CERTCHECK_ORDERS_H

#include "certcheck_parts.h"

#define THREADS_MAX 64u

struct touched {
    uint32_t n;
    uint32_t *objects; /* ascending; number << 1, + 1 if it is written */
    const char *text;
};

struct step { /* an edge of the tree */
    uint8_t thread, stander;
    bool listed;  /* the plan says so */
    bool gave_up; /* it ends where the thread gives the processor up */
    bool last;    /* of the run */
    bool counts;  /* on the way of a run that is one of these */
    uint32_t touched;
    const char *name, *end, *ready_text; /* of the thread; words of the line */
    uint64_t ready;                      /* threads, at a place */
    uint32_t before;                     /* step, or NONE: the first */
    uint32_t child, sibling; /* steps after it, in the order of the runs; NONE: no more */
};

struct run {
    uint32_t last; /* step */
    const char *end;
};

struct orders {
    GStringChunk *texts;
    GHashTable *threads; /* name -> number + 1 */
    GHashTable *objects; /* word -> number + 1 */
    GArray *touched, *steps, *runs;
    GArray *path;      /* uint32_t: steps of the run being read */
    uint32_t roots;    /* first step, or NONE */
    uint32_t new_from; /* where the run being read departs */
    size_t longest;
    bool unqueued; /* runs in which somebody queues up with core are none of these */
};

extern struct orders orders;

static inline struct step *step_at(uint32_t i)
{
    return &g_array_index(orders.steps, struct step, i);
}

static inline struct touched *touched_at(uint32_t i)
{
    return &g_array_index(orders.touched, struct touched, i);
}

static inline struct run *run_at(uint32_t i)
{
    return &g_array_index(orders.runs, struct run, i);
}

static inline uint64_t thread_bit(uint32_t thread)
{
    return UINT64_C(1) << thread;
}

/* The run's steps, to be freed. */
GArray *way_to(uint32_t run);
/* Refuses a tree that lacks a run. Number of races looked at. */
uint64_t check_races(void);

#endif
