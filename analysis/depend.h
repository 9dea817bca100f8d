/* What a run's transitions depend on each other by, for a search that leaves out schedules which
 * differ in the order of independent transitions alone (Mazurkiewicz, "Trace theory", 1987).
 *
 * A transition is what happens between two moments at which a schedule chooses who runs: an entry
 * that is a place of the search's depth, or a thread giving the processor up. It belongs to the
 * thread that was chosen. Within it the kernel may hand over, by a call or a reply, to a thread
 * that then runs to its own next place: that is part of it.
 *
 * Its footprint is the set of objects that it touched, each as a reader or a writer: words of
 * memory by physical address, what the kernel keeps for threads (who waits for whom), pages,
 * frames, locks, and what checks look at (marks). Two transitions are dependent when both touch one
 * object in ways that its kind does not let commute.
 *
 * Core is a thread as the others: what it does for one caller and for another is one thread's, and
 * stays in order. A call that only queues up with core is independent of what core does meanwhile.
 */
#ifndef FAULTLINE_DEPEND_H
#define FAULTLINE_DEPEND_H

#include <glib.h>
#include <stdbool.h>
#include <stddef.h>
#include "engine.h"
#include "plugin/access_log.h"

enum object_kind {
    OBJECT_THREAD,   /* it ran, or was made ready: what it does next comes after */
    OBJECT_RECEIVER, /* whether a thread waits for messages, and who is queued with it */
    OBJECT_LIFE,     /* whether a thread lives */
    OBJECT_MEMORY,   /* a word, by physical address */
    OBJECT_FRAME,    /* who has a frame mapped, and how */
    OBJECT_PAGE,     /* what a page of a space is mapped to */
    OBJECT_LOCK,
    OBJECT_SLOT,       /* marks that name one slot of an allocator */
    OBJECT_OPERATIONS, /* marks of operations that begin and end, of which a check knows the order
                        */
    OBJECT_KINDS
};

/* An object, and in the lowest bit whether it is written. */
typedef uint64_t touch;

static inline touch touch_of(enum object_kind kind, uint64_t id, bool writes)
{
    return (uint64_t)kind << 58 | id << 1 | writes;
}

static inline enum object_kind touch_kind(touch touched)
{
    return (enum object_kind)(touched >> 58);
}

static inline uint64_t touch_id(touch touched)
{
    return touched << 6 >> 7;
}

static inline bool touch_writes(touch touched)
{
    return touched & 1;
}

/* Which touches of one object do not commute. A test puts another in its place. */
struct relation {
    struct {
        bool write_write, read_write;
    } depends[OBJECT_KINDS];
};

extern const struct relation relation_true;

/* Ascending, each object once. */
struct footprint {
    uint32_t n;
    touch touches[];
};

/* Whoever keeps it has a reference. */
struct footprint *footprint_new(GArray *touches); /* of touch, in any order; sorts them */
struct footprint *footprint_ref(struct footprint *footprint);
void footprint_unref(struct footprint *footprint);
bool footprint_touches(const struct footprint *footprint, enum object_kind kind, uint64_t id);
bool footprint_writes(const struct footprint *footprint, enum object_kind kind, uint64_t id);
bool footprints_depend(const struct relation *relation, const struct footprint *a,
                       const struct footprint *b);

/* Where a schedule chooses: the thread that stands there, or has just given the processor up. */
struct choice {
    uint32_t thread; /* path */
    uint32_t n;
    uint32_t k; /* 0, or FL_K_GIVES_UP */
};

struct transition {
    uint32_t thread;   /* who was chosen */
    struct choice end; /* where the next choice was; of the last: thread 0 */
    uint32_t first_event, events;
    uint32_t first_access, accesses;
};

struct depend;

struct depend *depend_new(unsigned depth); /* FL_DEPTH_IPC or FL_DEPTH_SYNC */
void depend_free(struct depend *depend);

/* Takes in one run: its events, of which the engine knows the spans (engine_end was called), and
 * its accesses. All three must stay until the next. */
void depend_read(struct depend *depend, const struct engine *engine, const struct fl_event *events,
                 size_t n_events, const struct access *log, size_t n);
const struct transition *depend_transitions(const struct depend *depend, size_t *count);
/* A new reference. */
struct footprint *depend_footprint(struct depend *depend, size_t transition);

#endif
