/* What the two halves of depend.h share: cutting a run into transitions (depend.c), and telling
 * what an event touched (depend_tell.c). */
#ifndef FAULTLINE_DEPEND_PARTS_H
#define FAULTLINE_DEPEND_PARTS_H

#include "depend.h"

struct depend {
    unsigned depth;
    GArray *transitions; /* struct transition */
    GArray *touches;     /* touch: of the footprint being made */
    GArray *threads;     /* uint32_t: paths of the run */
    GArray *takers;      /* uint32_t: who took the fault of this number; 0: nobody */
    const struct engine *engine;
    const struct fl_event *events;
    size_t n_events;
    const struct access *log;
};

/* Adds to `touches`. */
static inline void depend_add(struct depend *depend, enum object_kind kind, uint64_t id,
                              bool writes)
{
    const touch added = touch_of(kind, id, writes);
    g_array_append_val(depend->touches, added);
}

/* A number of the event's address space. */
static inline uint64_t depend_in_space(const struct fl_event *event, uint64_t value)
{
    return (uint64_t)event->space << 40 | (value & 0xffffffffffu);
}

/* Adds what the event touched. */
void depend_tell(struct depend *depend, const struct fl_event *event);

#endif
