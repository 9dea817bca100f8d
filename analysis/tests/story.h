/* Stories: event streams as the guest's kernel would emit them, told call by call. For tests, and
 * for the golden traces. */
#ifndef FAULTLINE_STORY_H
#define FAULTLINE_STORY_H

#include <stdbool.h>
#include <stddef.h>
#include "abi.h"

#define STORY_MAX_EVENTS 1024u

#define STORY_MAIN    FL_PATH_DOMAIN(0)
#define STORY_T1      FL_PATH_CHILD2(0, 1)
#define STORY_T2      FL_PATH_CHILD2(0, 2)
#define STORY_SPACE   FL_SPACE_DOMAIN(0)
#define STORY_OBJECT  0x01002000u /* + 0x100 for each: some object of the user library */
#define STORY_SLOT(i) (FL_CONTEXT_BASE + (uint32_t)(i)*FL_SLOT_SIZE)

/* Variants of story_scenario. */
enum { STORY_PLAIN, STORY_HALTS }; /* HALTS declares that t1 halts for an unresolved fault */
extern const struct fl_scenario story_scenario;

struct story {
    struct fl_event events[STORY_MAX_EVENTS];
    size_t n_events;
    uint64_t time;
    uint32_t running;
    uint16_t point;
    uint64_t ready; /* by thread number */
    uint32_t faults;
    uint32_t n_threads;
    struct {
        uint32_t path, n, tid;
    } threads[FL_MAX_THREADS];
};

/* run_begin, core starts, makes main, waits; main runs. */
void story_begin(struct story *story);
/* What a story ends with: everybody has ended, or `outcome` says what else. */
void story_end(struct story *story, uint32_t outcome);

/* One event, as it is said here. Space and point follow from the thread and its last entry. */
struct fl_event *story_say(struct story *story, uint32_t id, uint32_t thread, uint64_t addr,
                           uint32_t arg, uint32_t aux);
void story_entry(struct story *story, uint32_t thread, uint32_t point);
void story_switch(struct story *story, uint32_t to, uint32_t reason);

/* A call, up to core's taking it; core runs. And core's answer: the caller runs. */
void story_call(struct story *story, uint32_t thread, uint32_t label);
void story_answer(struct story *story, uint32_t thread, uint32_t status);
void story_ask(struct story *story, uint32_t thread, uint32_t label, uint32_t status);

/* A new thread, made by core on its parent's call; the parent runs on. */
void story_thread(struct story *story, uint32_t parent, uint32_t child);
/* The running thread ends; `next` runs, or nobody when it is the kernel. */
void story_exit(struct story *story, uint32_t next);

/* A fault up to core's taking it, returning its number; what core then does with it. */
uint32_t story_fault(struct story *story, uint32_t thread, uint32_t address, uint32_t access);
void story_map(struct story *story, uint32_t address, uint32_t rights);
void story_fault_answer(struct story *story, uint32_t thread, uint32_t fault, uint32_t address,
                        uint32_t access);
void story_fault_report(struct story *story, uint32_t thread, uint32_t fault, uint32_t address,
                        uint32_t reason);

/* A mark system call. */
void story_mark(struct story *story, uint32_t thread, uint32_t event, uint32_t address,
                uint32_t arg, uint32_t object);
/* All marks of a slot's life up to publish, with the calls to core between. */
void story_stack(struct story *story, uint32_t thread, uint32_t slot, uint32_t object);

/* A preemption at the entry just told. */
void story_preempt(struct story *story, uint32_t target);

/* Index of the first event with this id from event `from` on; there must be one. */
size_t story_find(const struct story *story, uint32_t id, size_t from);
void story_remove(struct story *story, size_t index);
/* Puts a copy of event `source` at `index`. */
void story_insert(struct story *story, size_t index, size_t source);

#endif
