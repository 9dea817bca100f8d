/* The model: what the guest looks like after each event, as far as events say.
 *
 * It is fed by a guest that may be out of its mind. An event that cannot be (of a thread that does
 * not exist, a fault number used twice, ...) changes nothing that it does not have to, and leaves a
 * complaint, which the check trace-wellformed reports. Nothing of a run survives model_begin, and
 * the memory is used again: no allocation in steady state.
 */
#ifndef FAULTLINE_MODEL_H
#define FAULTLINE_MODEL_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "table.h"

#define MODEL_NONE UINT32_MAX

enum thread_state { THREAD_ALIVE, THREAD_EXITED, THREAD_HALTED };

enum thread_wait {
    WAIT_NOTHING,
    WAIT_SEND,    /* for the receiver to take its message */
    WAIT_REPLY,   /* its call was taken */
    WAIT_RECEIVE, /* for a message */
    WAIT_FAULT,   /* for its pager */
    WAIT_LOCK,
    WAIT_JOIN,
    WAIT_SUSPEND, /* for another to stand */
    WAIT_RESUME,  /* it stands */
};

struct model_thread {
    uint32_t path;
    uint32_t tid; /* bit in ready sets while it lives; given to another afterwards */
    uint32_t entries;
    uint32_t k; /* of its last interruption after its last entry */
    uint32_t children;
    uint32_t waits_for; /* path; kernel: anybody */
    uint32_t fault;     /* its fault in flight, or MODEL_NONE */
    uint32_t reserved;  /* the hold that it reserved last, or MODEL_NONE */
    uint32_t halt_reason;
    uint16_t space;
    uint16_t point; /* of its last entry */
    uint8_t state;
    uint8_t waits;
    uint16_t asks;     /* label of its call that is not answered, or FL_LABEL_NONE */
    bool calls;        /* the message that it offers is a call */
    uint64_t waits_at; /* address of the lock or of the fault */
};

struct model_fault {
    uint32_t number; /* as the events say */
    uint32_t thread; /* index */
    uint64_t address;
    uint16_t space;
    uint8_t access;
    bool parked;
    bool duplicate; /* as its pager says */
    bool halted;    /* its thread was put on halt with the fault in flight */
    uint32_t pager; /* path, once delivered */
    uint32_t taken; /* the pager took it as its taken-th, from 1 */
    uint32_t delivers, replies, reports, resumes;
};

enum hold_state {
    HOLD_FREE,
    HOLD_RESERVED,
    HOLD_ATTACHED,
    HOLD_PUBLISHED,
    HOLD_USED,
    HOLD_DETACHED
};

/* One thread's hold of a slot. A slot has one at most, unless the allocator is wrong. */
struct model_hold {
    uint32_t thread; /* path of the reserver */
    uint32_t child;  /* path of the thread that it is for: the reserver's next child */
    uint32_t object;
    uint32_t size;
    uint32_t next; /* hold of the same slot, or MODEL_NONE; oldest first */
    uint64_t event;
    uint8_t state;
    bool failed; /* core refused, or an error was marked, and nothing came of it since */
};

struct model_slot {
    uint64_t address;
    uint32_t first; /* hold, or MODEL_NONE */
    uint16_t space;
};

/* A vm object of core's, as core tells of it, and what follows from the rest of what it tells. */
struct model_object {
    uint32_t number;                   /* as the events say */
    uint32_t behind;                   /* index, or MODEL_NONE */
    uint32_t links, shadows;           /* areas that show it in front, objects right before it */
    uint32_t said_links, said_shadows; /* core's running counts */
    uint32_t pages;                    /* that it owns */
    uint8_t kind;                      /* FL_OBJECT_* */
    bool deleted;
};

struct model_area {
    uint64_t address;
    uint32_t pages;
    uint32_t rights;
    uint32_t offset; /* its first page is this page of the chain */
    uint32_t object; /* index of the front, or MODEL_NONE */
    uint16_t space;
    bool deleted;
};

struct model {
    const struct fl_scenario *scenario; /* may be NULL */
    const struct fl_variant *variant;   /* may be NULL */
    GArray *threads;                    /* struct model_thread */
    GArray *faults;    /* struct model_fault, in the order in which they were raised */
    GArray *in_flight; /* uint32_t: faults neither resumed nor halted */
    GArray *slots;     /* struct model_slot */
    GArray *holds;     /* struct model_hold */
    GArray *objects;   /* struct model_object, in the order in which they were made */
    GArray *areas;     /* struct model_area, likewise */
    struct table thread_of, fault_of, slot_of, rights_of, holder_of;
    struct table frame_of;                     /* of a mapped page */
    struct table object_of, page_of, owner_of; /* page_of, owner_of: frame, object + 1 */
    uint32_t vm_changes;                       /* events about objects, areas and mappings so far */
    uint32_t by_tid[FL_MAX_THREADS];           /* living threads, or MODEL_NONE */
    uint32_t running;                          /* path; kernel before the first switch */
    uint32_t taken;                            /* faults taken by pagers so far */
    uint64_t time;
    uint64_t event; /* index of the event being taken in */
    bool begun, ended;
    uint32_t outcome; /* of run_end */

    struct { /* what the event now being taken in is about; indices, or MODEL_NONE */
        uint32_t thread;
        uint32_t fault;
        uint32_t slot;
        uint32_t hold;
        uint8_t hold_was; /* enum hold_state before the event */
        uint32_t object;
        uint32_t area;
        uint32_t rights_was; /* of the page that is mapped, unmapped or protected */
        uint32_t frame_was;  /* likewise; and of the object's page that is owned or given */
        uint32_t owner_was;  /* object of the frame that is owned or given */
        bool complained;
    } now;
    char complaint[200];
};

void model_init(struct model *model);
void model_free(struct model *model);
void model_begin(struct model *model, const struct fl_scenario *scenario, unsigned variant);
void model_event(struct model *model, const struct fl_event *event);

static inline struct model_thread *model_thread(const struct model *model, uint32_t index)
{
    return &g_array_index(model->threads, struct model_thread, index);
}

static inline struct model_fault *model_fault(const struct model *model, uint32_t index)
{
    return &g_array_index(model->faults, struct model_fault, index);
}

static inline struct model_slot *model_slot(const struct model *model, uint32_t index)
{
    return &g_array_index(model->slots, struct model_slot, index);
}

static inline struct model_hold *model_hold(const struct model *model, uint32_t index)
{
    return &g_array_index(model->holds, struct model_hold, index);
}

static inline struct model_object *model_object(const struct model *model, uint32_t index)
{
    return &g_array_index(model->objects, struct model_object, index);
}

static inline struct model_area *model_area(const struct model *model, uint32_t index)
{
    return &g_array_index(model->areas, struct model_area, index);
}

/* The area of the space at that address, or MODEL_NONE. */
uint32_t model_find_area(const struct model *model, uint16_t space, uint64_t address);
/* The frame that is that page of the object; 0: it owns none. */
uint32_t model_page(const struct model *model, uint32_t object, uint32_t page);
/* The frame mapped at the address; good when model_rights says that there is one. */
uint32_t model_frame(const struct model *model, uint16_t space, uint64_t address);
/* Whether with this event core is done with what it was asked: what it says must fit by now. */
bool model_core_is_done(const struct fl_event *event);

/* The thread of that path, dead or alive; NULL when there was none. */
struct model_thread *model_find(const struct model *model, uint32_t path);
/* FL_RIGHTS_* with which the page of `address` is mapped in `space`; NONE when it is not. */
uint32_t model_rights(const struct model *model, uint16_t space, uint64_t address);
/* Path of who holds the lock; kernel: nobody. */
uint32_t model_lock_holder(const struct model *model, uint16_t space, uint64_t address);
/* The lowest lock of the space that the thread holds; false: it holds none. */
bool model_held_lock(const struct model *model, uint16_t space, uint32_t thread, uint64_t *address);
/* The path of `parent`'s n-th child, and of a thread's parent (kernel for a domain's main). */
uint32_t model_child_path(uint32_t parent, uint32_t n);
uint32_t model_parent_path(uint32_t path);

#endif
