/* The kernel's own declarations: one section a file.
 *
 * Single processor, not preemptible, one stack. Everything that belongs to a run is in `run` and in
 * the thread blocks, and is made anew by run_begin: nothing of one run is seen by the next.
 */
#ifndef FAULTLINE_KERNEL_H
#define FAULTLINE_KERNEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "abi.h"
#include "arch.h"
#include "trap.h"
#include "interface.h"
#include "state.h"
#include "../lib/info.h"

/* Touched at every entry: kept with the kernel's stack and the first thread blocks on one page,
 * since each switch of address space flushes the TLB and pays again for every page (image.ld.sh).
 */
#define HOT __attribute__((section(".bss.hot")))

/* ---- threads ---- */

enum thread_state {
    THREAD_NONE, /* block not in use */
    THREAD_RUNNING,
    THREAD_READY,
    THREAD_SENDING,    /* queued at partner */
    THREAD_RECEIVING,  /* from partner, or from anybody when that is NULL */
    THREAD_CALLING,    /* its message was taken; waits for partner's reply */
    THREAD_LOCKING,    /* waits for the lock at wait_address */
    THREAD_JOINING,    /* waits for the end of partner */
    THREAD_SUSPENDING, /* waits for partner to stand */
    THREAD_SUSPENDED,
    THREAD_ENDED,
    THREAD_HALTED,
};

struct queue {
    struct thread *head;
    struct thread *tail;
};

struct thread {
    struct arch_frame frame; /* first: vectors.S stores registers here */
    enum thread_state state;
    uint32_t id;   /* tid_t: index in `threads`, and above it how many had its block */
    uint32_t path; /* creation path (abi.h) */
    uint32_t index;
    uint32_t space;
    uint32_t flags;    /* SYS_THREAD_* */
    uint32_t children; /* made so far */
    struct utcb *utcb; /* its message page, as the kernel sees it */
    uint32_t pager;    /* its id: the block may be another thread's by the time of a fault */

    struct thread *next, *previous; /* in the one queue that it is in */
    struct thread *partner;
    struct queue senders; /* who waits for this thread to receive, in order */
    bool calls;           /* THREAD_SENDING: wants a reply */
    uint32_t wait_address;

    uint32_t n;                       /* kernel entries so far */
    uint32_t k;                       /* after that entry: stood before its k-th instruction */
    const struct fl_preemption *plan; /* this thread's next plan entry, or NULL */
    uint32_t priority;                /* policy pct */
    struct trap trap;                 /* the entry in progress */
    bool deferred;                    /* preempted on entry: the operation is still to be done */
    uint32_t
        suspend; /* it is to stand at the next of these check points, SYS_SUSPEND_*; 0: at none */

    uint32_t fault;      /* number of the page fault in flight, or 0 */
    bool fault_resolved; /* answered; fault_resume is still to be told */
    struct trap fault_trap;
    uint32_t fault_pc;
    uint32_t fault_rights;   /* of the page, when the fault was raised */
    uint32_t *fault_message; /* the words of its message: as run.keeping says */
    uint32_t fault_words[SYS_MSG_WORDS];
};

extern struct thread threads[FL_MAX_THREADS];

/* thread.c */
struct thread *thread_new(struct thread *parent, const struct sys_thread_args *args);
struct thread *thread_find(uint32_t id); /* alive or halted; NULL otherwise */
void thread_halt(struct thread *thread, uint32_t reason);
/* Takes it out of whatever queue it is in. It is not the one that runs. */
void thread_withdraw(struct thread *thread);
/* Blocks from the first on that this run has used. */
uint32_t threads_used(void);
bool thread_alive(const struct thread *thread);

/* ---- sched.c: one FIFO ready queue, and the plan's departures from it ---- */

void ready(struct thread *thread); /* to the tail */
void unready(struct thread *thread);
void run_next(struct thread *thread, uint32_t reason); /* who gets the processor after this entry */
/* Who does now that this thread gives it up: the queue's head, unless the plan says otherwise. */
struct thread *successor(struct thread *thread);
void block(struct thread *thread, enum thread_state state);
/* What arch_run and a trap handler go on with: until the next entry, or the plan's next k. */
struct arch_frame *to_user(struct thread *thread);

void queue_append(struct queue *queue, struct thread *thread);
void queue_remove(struct queue *queue, struct thread *thread);

/* ---- plan.c: is this place one where the plan preempts? ---- */

void plan_attach(struct thread *thread);
/* The thread to run instead of `thread` at its entry by way of `point`, or NULL. */
struct thread *plan_departure(struct thread *thread, uint32_t point);
/* The next k at which the plan preempts the thread after its last entry, later than where it stood
 * before; 0: at none. */
uint32_t plan_next_k(struct thread *thread);
/* Whether the plan has an entry for where the thread stands. */
bool plan_lists(struct thread *thread);
/* The thread to run instead there, as the plan lists it, or NULL. */
struct thread *plan_listed(struct thread *thread);
/* The thread that is to run now that this one gives the processor up, or NULL: the queue's head. */
struct thread *plan_successor(struct thread *thread);
/* Mode fail: one more IPC to a server; whether the plan lists it to fail. Frames and table entries
 * are core's to count (core/refusal.h). */
bool plan_refuses_ipc(void);

/* ---- standing.c ---- */

/* Writes down how every thread stands, before the monitor is asked; the one that runs has entered,
 * its operation not begun, or is about to go on in user mode. */
void standing_tell(bool entered);

/* ---- draw.c: departures of the policies that draw ---- */

bool draw_sound(const struct fl_plan *plan);
void draw_begin(void);
void draw_priority(struct thread *thread);
/* As plan_departure, at a place of the plan's depth where somebody else is ready. */
struct thread *draw_departure(struct thread *thread);

/* ---- run.c: one run from reset to result ---- */

struct run {
    const struct fl_plan *plan;
    bool measures; /* mode spans */
    bool audits;   /* mode audit */
    bool fails;    /* mode fail */
    bool
        departs; /* the plan may preempt where it lists nothing: a policy that draws, or mode online
                  */
    struct thread *current; /* who runs, or ran last */
    struct thread *next;    /* who runs after this entry, when the entry said so */
    uint32_t next_reason;
    struct queue ready;
    uint64_t ready_set; /* by thread index */
    struct queue lock_waiters;
    uint64_t
        start;    /* arch_time() of the run's start, later by the time spent waiting for the host */
    uint64_t now; /* time of this entry, counted from there */
    uint32_t outcome;
    uint32_t random;
    uint32_t places;                  /* policy pct: so far */
    uint32_t changes[FL_MAX_CHANGES]; /* policy pct: at which of them priorities change */
    uint32_t blocks_used;             /* thread blocks, from the first on */
    uint32_t faults;
    uint32_t entries;
    uint32_t reached;
    uint32_t ipcs; /* mode fail: to servers, so far */
    uint32_t active_space;
    bool (*activate)(uint32_t space); /* whether that flushed the TLB */
    const struct fault_keeping *keeping;
    uint32_t kept[SYS_MSG_WORDS]; /* by fault_kept_for_one */
    uint32_t interrupt_at; /* the k at which the timer will interrupt user mode; 0: at none */
    uint32_t stop_k;       /* mode step: of the next stop; 0: that is in the kernel, or none */
    struct trap broken;    /* of a guest fault */
    uint32_t broken_pc;
};

extern struct run run;

void run_plan(const struct fl_plan *plan, struct fl_result *result);
void run_end(uint32_t outcome);

/* ---- start.c: core, the only program that the kernel itself starts ---- */

bool start_core(void);

/* ---- trace.c: the ring ---- */

void trace_begin(uint32_t max_packets); /* 1..FL_RING_PACKETS */
void trace_end(struct fl_result *result);
void trace_space(uint32_t id, uint32_t thread, uint32_t space, uint64_t addr, uint32_t arg,
                 uint32_t aux);
void trace(uint32_t id, const struct thread *thread, uint64_t addr, uint32_t arg, uint32_t aux);
void trace_point(uint32_t point);
uint32_t trace_events(void); /* of the run, written so far */
/* Has stop_in_kernel called as soon as the run's `event`-th event is written; FL_STOP_NEVER: not.
 */
void trace_stop(uint32_t event);
/* Whether it is the last one written. */
bool trace_stop_written(void);

/* ---- channel.c: the shared window ---- */

extern struct fl_shared *const shared;

static inline uint32_t channel_load(const struct fl_counter *counter)
{
    return __atomic_load_n(&counter->value, __ATOMIC_ACQUIRE);
}

static inline void channel_store(struct fl_counter *counter, uint32_t value)
{
    __atomic_store_n(&counter->value, value, __ATOMIC_RELEASE);
}

void channel_open(void);
/* Waits for the next plan; its slot stays valid until channel_give. */
const struct fl_plan *channel_take(void);
/* Where the result of the run goes; told to the monitor by channel_give. */
struct fl_result *channel_result(void);
void channel_give(void);
/* Asks the monitor which thread shall run instead of this one (NULL: of nobody); 0: none. The run's
 * clock stands still. */
uint32_t channel_decide(const struct thread *thread, const struct fl_decision *decision);
/* Has the monitor look at all of memory meanwhile; what it found. The clock stands still, too. */
struct fl_audit_result channel_audit(const struct thread *core);

/* ---- stop.c: mode step ---- */

void stop_begin(void);
void stop_in_kernel(void);
/* The thread is about to run its k-th instruction. */
void stop_in_user(const struct thread *thread, uint32_t k);
/* Where in this stretch of user mode, after the k-th instruction, it has to stop; 0: nowhere. */
uint32_t stop_next_k(uint32_t k);

/* ---- audit.c ---- */

/* Core waits for the next message, of which none is there. */
void audit(const struct thread *core);

/* ---- entry.c: system calls by number; fault.c ---- */

uint32_t entry_point(const struct thread *thread);
void entry_perform(struct thread *thread);
void fault_raise(struct thread *thread, const struct trap *trap);
/* Where the words of a fault's message are while the fault lasts, and what has to be done about
 * that place at its end. */
struct fault_keeping {
    uint32_t *(*begin)(struct thread *thread);
    void (*end)(struct thread *thread);
};
extern const struct fault_keeping fault_kept_apart;      /* the right one */
extern const struct fault_keeping fault_kept_in_message; /* for SYS_DEBUG_FAULT_WORDS */
extern const struct fault_keeping fault_kept_for_one;
/* ipc.c: the fault, as a message, reaches its pager or queues for it. */
void ipc_send_fault(struct thread *thread, struct thread *pager);
/* `thread` ended or was halted: everybody who waits for it learns of it. */
void ipc_abandon(struct thread *thread);
void join_finish(struct thread *ended);

/* suspend.c: a thread that is to stand, at two of its check points; at the second, whether it does
 */
void suspend_before_sleep(struct thread *thread);
bool suspend_before_user(struct thread *thread);
/* It has ended or was halted. */
void suspend_refuse(const struct thread *gone);

#define SYSCALL(number, NAME, handler, POINT) void handler(struct thread *thread);
#include "syscalls.def"
#undef SYSCALL

static inline uint32_t argument(const struct thread *thread, unsigned i)
{
    return arch_argument(&thread->frame, i);
}

static inline void give_status(struct thread *thread, uint32_t status)
{
    arch_set_result(&thread->frame, 0, status);
}

#endif
