/* The contract between the guest and everything that looks at it from outside.
 *
 * Shared by the guest kernel, the guest's programs, the monitor and the analysis. Only fixed-width
 * fields and explicit padding; every size and offset is asserted below. README.md beside this file
 * says what each field means in enough detail to write another reader.
 *
 * A change of any structure, event, point or name is a new FL_ABI_VERSION.
 */
#ifndef FAULTLINE_ABI_H
#define FAULTLINE_ABI_H

#include <stddef.h>
#include <stdint.h>

#define FL_ABI_VERSION 2u
#define FL_ABI_MAGIC   0x4c544c46u /* "FLTL" */

/* ---- Guest physical memory: offsets into the RAM file ---- */

#define FL_RAM_SIZE      0x01000000u
#define FL_FRAMES_OFFSET 0x00400000u /* pool of frames that core hands out */
#define FL_FRAMES_SIZE   0x00800000u
#define FL_SHARED_OFFSET 0x00c00000u /* struct fl_shared */
#define FL_PAGE_SIZE     4096u
#define FL_PAGE_SHIFT    12u

#define FL_PLAN_SLOTS      64u
#define FL_RESULT_SLOTS    128u
#define FL_RING_PACKETS    512u
#define FL_PACKET_SIZE     4096u
#define FL_PACKET_HEADER   64u
#define FL_PACKET_EVENTS   126u
#define FL_MAX_THREADS     64u /* threads alive at one time: a ready set fits 64 bits */
#define FL_MAX_PARAMS      8u
#define FL_MAX_PREEMPTIONS 250u
#define FL_MAX_CHANGES     8u
#define FL_MAX_FAILURES    6u

/* ---- Threads ----
 * A thread is named by its creation path: one byte a level, the domain first. Byte value 0 ends the
 * path. 0 is the kernel, FL_PATH_CORE the pager, FL_PATH_DOMAIN(i) the main thread of the
 * scenario's i-th domain, and a thread's n-th child (n from 1) appends the byte n. */

#define FL_PATH_KERNEL            0u
#define FL_PATH_CORE              0x01000000u
#define FL_PATH_DOMAIN(i)         ((uint32_t)(2u + (i)) << 24)
#define FL_PATH_CHILD2(domain, n) (FL_PATH_DOMAIN(domain) | (uint32_t)(n) << 16)
#define FL_MAX_CHILDREN           255u
#define FL_MAX_PATH_LEVELS        4u

/* ---- Address spaces ---- */

#define FL_SPACE_KERNEL    0u
#define FL_SPACE_CORE      1u
#define FL_SPACE_DOMAIN(i) (2u + (i))

/* ---- Events and packets: CTF 1.8 as it lies in memory ---- */

struct fl_event {
    uint64_t id_time; /* bits 0-15 event id (events.def), 16-63 ns since the run's start */
    uint32_t thread;  /* path of the thread that the event is about */
    uint16_t space;   /* address space that it concerns */
    uint16_t point;   /* points.def; FL_POINT_NONE outside a kernel entry */
    uint64_t addr;    /* the meaning of the last three is in events.def */
    uint32_t arg;
    uint32_t aux;
};

static inline uint16_t fl_event_id(const struct fl_event *event)
{
    return (uint16_t)(event->id_time & 0xffffu);
}

static inline uint64_t fl_event_time(const struct fl_event *event)
{
    return event->id_time >> 16;
}

#define FL_CTF_MAGIC 0xc1fc1fc1u
#define FL_CTF_UUID                                                                                \
    {                                                                                              \
        0x5f, 0x61, 0x75, 0x6c, 0x74, 0x6c, 0x4e, 0x65, 0x81, 0x0c, 0x74, 0x72, 0x61, 0x63, 0x65,  \
            0x02                                                                                   \
    }

struct fl_packet {
    uint32_t magic;
    uint8_t uuid[16];
    uint32_t stream_id;
    uint64_t time_begin;
    uint64_t time_end;
    uint64_t content_bits;
    uint64_t packet_bits;
    uint64_t discarded; /* events lost so far in this run */
    struct fl_event events[FL_PACKET_EVENTS];
};

/* ---- Plans ---- */

/* fl_plan.policy: who departs from the default schedule */
enum {
    FL_POLICY_FIXED = 0, /* only the preemptions listed */
    /* Drawn from `seed` at the places of `depth`; the listed preemptions are ignored: */
    FL_POLICY_RANDOM = 1, /* with `chance`/2^32 a ready thread */
    FL_POLICY_WALK = 2,   /* the running thread or a ready one, all equally likely */
    FL_POLICY_PCT = 3,    /* by priorities of threads; at `changes` places of the first `chance` the
                             running thread falls below all others */
};

/* fl_plan.mode */
enum {
    FL_MODE_POSTED = 0,
    FL_MODE_ONLINE = 1, /* wait for the monitor's decision at each place of `depth`, and where a
                           thread gives the processor up and more than one could run */
    FL_MODE_SPANS = 2,  /* say before each kernel entry how much of user mode went before */
    FL_MODE_AUDIT = 4,  /* wait for the monitor's audit whenever core is quiescent */
    FL_MODE_STEP = 8,   /* stand still where fl_control.stop says */
    FL_MODE_AFTER =
        16,            /* with online: the plan as listed first, questions when all of it is done */
    FL_MODE_FAIL = 32, /* refuse what `failures` lists, count what is asked for, and tell what core
                          had before and after an operation that failed */
};

/* fl_preemption.k: after the entry, when the thread gives the processor up: it blocks, ends or
 * yields, and the head of the ready queue would run. */
#define FL_K_GIVES_UP UINT32_MAX

/* Whether k names an instruction of user mode. */
static inline int fl_k_in_user(uint32_t k)
{
    return k != 0 && k != FL_K_GIVES_UP;
}

struct fl_preemption {
    uint32_t thread; /* path */
    uint32_t n;      /* its n-th kernel entry, from 1; 0: before its first entry (k >= 1 only) */
    uint32_t k;      /* 0: on entry; k >= 1: after it, before the k-th user instruction; or
                        FL_K_GIVES_UP */
    uint32_t
        target; /* path of the thread that runs instead; online with k >= 1, FL_PATH_KERNEL: ask */
};

/* Whoever asks for it is refused. */
struct fl_failure {
    uint16_t kind; /* FL_FAIL_* of names.def */
    uint16_t nth;  /* of the run, from 1 */
};

struct fl_plan {
    uint32_t serial; /* echoed in the result */
    uint16_t scenario;
    uint16_t variant;
    uint32_t params[FL_MAX_PARAMS];
    uint8_t policy;
    uint8_t mode;
    uint8_t depth;   /* FL_DEPTH_*: places of the policies that draw, and of mode online */
    uint8_t changes; /* policy pct */
    uint32_t seed;
    uint32_t chance;
    uint32_t max_packets; /* events beyond are dropped and counted */
    uint64_t budget;      /* instructions, kernel and user; spent: outcome hung */
    uint32_t n_preemptions;
    uint32_t n_failures;                                  /* mode fail only */
    struct fl_failure failures[FL_MAX_FAILURES];          /* ascending by kind, nth */
    struct fl_preemption preemptions[FL_MAX_PREEMPTIONS]; /* ascending by thread, n, k */
};

struct fl_result {
    uint32_t serial;
    uint32_t outcome;      /* FL_OUTCOME_* */
    uint32_t first_packet; /* absolute packet number; its ring slot is this modulo ring size */
    uint32_t packets;
    uint32_t events;
    uint32_t lost;
    uint32_t reached; /* preemptions that took place */
    uint32_t entries; /* kernel entries of all threads */
    uint64_t instructions;
    uint32_t fault_pc; /* of a guest fault: where, what was touched, the architecture's status */
    uint32_t fault_addr;
    uint32_t fault_status;
    uint32_t fault_kind; /* exception vector number of the architecture */
    uint16_t asked[4];   /* mode fail: by FL_FAIL_*, how often that was asked for; 65535: or more */
};

/* Online: one decision at a time. With FL_POINT_NONE it is an audit that is asked for; with k >= 1,
 * too, what to do before the thread's k-th instruction. */
struct fl_decision {
    uint32_t thread;
    uint32_t n;
    uint32_t k;
    uint32_t point;
    uint64_t ready;   /* bit i: thread number i (event thread_create, field tid) can run */
    uint32_t goes_on; /* path of who runs if nobody else is named */
    uint32_t events;  /* of the run, written so far */
};

/* fl_control.decision_target, beside paths: the run ends here, as known. */
#define FL_DECIDE_END UINT32_MAX

/* The answer to an audit: what became of it, and the first difference if there is one. */
struct fl_audit_result {
    uint32_t walked; /* objects */
    uint32_t differ; /* differences */
    uint32_t what;   /* FL_AUDIT_* of names.def */
    uint32_t which;  /* object */
    uint32_t said;   /* core's running count */
    uint32_t counted;
};

#define FL_STOP_NEVER UINT32_MAX

/* Mode step: where the guest stands still next, and what it says of itself there. */
struct fl_stop {
    uint32_t event;    /* host: with this event of the run, from 0, the last one written */
    uint32_t k;        /* host: 0: as soon as it is written; else in user mode after it, before the
                          k-th instruction after the thread's last entry */
    uint32_t standing; /* guest: 1 while it stands */
    uint32_t pad;
    uint64_t pc; /* guest: of the instruction that comes next; 0: it stands in the kernel */
};

/* ---- The shared window. Each counter has one writer and a cache line of its own. ---- */

struct fl_counter {
    uint32_t value;
    uint32_t pad[15];
};

/* fl_control.state, written by the guest */
enum {
    FL_STATE_OFF = 0,
    FL_STATE_READY = 1, /* booted, waits for plans */
};

struct fl_control {
    uint32_t magic; /* guest, last at boot */
    uint32_t abi_version;
    uint32_t state;
    uint32_t pad[13];
    struct fl_counter plan_head;   /* host: plans posted */
    struct fl_counter plan_tail;   /* guest: plans taken */
    struct fl_counter result_head; /* guest: results written */
    struct fl_counter result_tail; /* host: results read */
    struct fl_counter ring_head;   /* guest: packets closed */
    struct fl_counter ring_tail;   /* host: packets released */
    struct fl_counter ask;         /* guest: decisions asked */
    struct fl_counter answer;      /* host: decisions answered */
    struct fl_decision decision;   /* guest, valid while ask != answer */
    uint32_t decision_target;      /* host: path, 0 to go on, or FL_DECIDE_END */
    uint32_t core_table;           /* guest: physical address of core's top page table */
    struct fl_audit_result audit;  /* host, valid when an audit is answered */
    /* Guest, with the decision, of its thread; 0: not told. */
    uint32_t decision_frame; /* its registers, as the kernel keeps them: offset in RAM */
    uint32_t decision_table; /* physical address of its space's top page table */
    struct fl_stop stop;
};

struct fl_shared {
    struct fl_control control;
    uint8_t pad0[4096 - sizeof(struct fl_control)];
    struct fl_result results[FL_RESULT_SLOTS];
    struct fl_plan plans[FL_PLAN_SLOTS];
    struct fl_packet ring[FL_RING_PACKETS];
};

/* ---- What an image says of itself: ELF sections, read by the monitor before any boot ----
 * .faultline.image holds one struct fl_image, .faultline.scenarios an array of fl_scenario,
 * .faultline.audit an array of fl_audit_field, .faultline.state one of fl_state_row. */

enum { FL_ARCH_ARMV7 = 1, FL_ARCH_X86_64 = 2 };

struct fl_image {
    uint32_t magic;
    uint32_t abi_version;
    uint32_t arch;
    uint32_t ram_size;
    uint32_t shared_offset;
    uint32_t shared_size;
    uint32_t n_scenarios;
    uint32_t pad;
};

#define FL_MAX_DOMAINS       4u
#define FL_MAX_VARIANTS      12u
#define FL_MAX_NAMED_THREADS 8u
#define FL_MAX_EXPECTED      4u

struct fl_domain {
    char name[12];   /* also the name of its main thread */
    uint32_t server; /* 1: its main thread may end blocked in its top receive */
};

struct fl_expected_halt {
    uint32_t thread; /* path */
    uint32_t reason; /* FL_HALT_* */
};

struct fl_variant {
    char id[24];
    char summary[100];
    char expect[32]; /* id of the check that it must violate, or "clean" */
    uint16_t depth;  /* FL_DEPTH_* and bound: of the finding, or exhausted clean */
    uint16_t bound;
    uint32_t n_halts;
    struct fl_expected_halt halts[FL_MAX_EXPECTED];
    uint16_t sees; /* event that a clean search must have met, or it shows nothing; 0: none */
    uint16_t pad;
};

struct fl_param {
    char id[16];
    char summary[80];
    uint32_t preset;
    uint32_t min;
    uint32_t max;
    uint32_t pad;
};

struct fl_named_thread {
    uint32_t path;
    char name[12];
};

struct fl_scenario {
    char id[32];
    char summary[120];
    char source[120];  /* mail, paper, manual */
    char threads[120]; /* which threads there are, for a reader */
    uint32_t n_domains;
    uint32_t n_named;
    uint32_t n_params;
    uint32_t n_variants;
    struct fl_domain domains[FL_MAX_DOMAINS];
    struct fl_named_thread named[FL_MAX_NAMED_THREADS];
    struct fl_param params[FL_MAX_PARAMS];
    struct fl_variant variants[FL_MAX_VARIANTS];
};

/* Where core keeps a field of audit.def: the i-th entry's at address + i * stride. */
struct fl_audit_field {
    uint16_t id; /* FL_AUDIT_FIELD_* */
    uint16_t size;
    uint32_t root;    /* 0, or the address of core's pointer from which `address` counts; while that
                         is null nothing is in use */
    uint32_t address; /* virtual, in core */
    uint32_t offset;  /* of the field in its entry */
    uint32_t stride;
    uint32_t count;
};

/* What the kernel remembers: a row for each of its objects (kept or not), and rows for the members
 * of kept ones that are left out. A search that tells states apart by the guest's memory leaves out
 * what has no say in what the guest does from here on. */
enum {
    FL_STATE_ROW_DROPPED = 0,
    FL_STATE_ROW_KEPT = 1,
    FL_STATE_ROW_SET = 2,  /* likewise, whatever order the entries are in; arrays with the same
                              count of entries in use are ordered together */
    FL_STATE_ROW_DEAD = 3, /* of struct fl_dead: what frames hold there is no part of it */
};

/* Memory that is written before it is read: below the stack pointer. */
struct fl_dead {
    uint32_t at;    /* offset in RAM, at the beginning of a page */
    uint32_t bytes; /* from there on; less than a page */
};

struct fl_state_row {
    union {
        const volatile void *at;
        uint64_t address; /* virtual, in the kernel */
    } object, used;       /* used: a 32-bit count of entries in use from the first on; 0: all are */
    uint32_t stride;
    uint32_t count; /* entries */
    uint32_t offset;
    uint32_t size; /* of the bytes in each entry that the row is about */
    uint32_t kept; /* FL_STATE_ROW_* */
    uint32_t pad;
};

/* ---- Virtual addresses of user space, the same on every architecture ---- */

#define FL_CORE_BASE    0x00100000u
#define FL_PROGRAM_BASE 0x01000000u /* the i-th scenario's program: + i * FL_PROGRAM_SIZE */
#define FL_PROGRAM_SIZE 0x00100000u
#define FL_WINDOW_BASE  0x20000000u /* core only: the frame pool, whole */
#define FL_ATTACH_BASE  0x30000000u /* where core puts an attachment that names no address */
#define FL_ATTACH_SIZE  0x10000000u
#define FL_CONTEXT_BASE 0x40000000u /* thread context area (seed: Genode), a managed dataspace */
#define FL_CONTEXT_SIZE 0x10000000u
#define FL_SLOT_SIZE    0x00100000u
#define FL_VM_BASE      0x50000000u /* where core puts vm areas that name no address */
#define FL_VM_SIZE      0x10000000u
#define FL_SHM_BASE     0x58000000u /* in it: segments of shared memory, each at its own address */
#define FL_UTCB_BASE    0x60000000u /* message page of thread number tid: + tid * page size */
#define FL_INFO_BASE    0x70000000u /* read-only page: what this run is */
#define FL_USER_END     0x80000000u

/* ---- Names: one table each; emitters, decoder and CTF metadata come from them ---- */

#define FL_VALUE(kind, value, ID, text) FL_##kind##_##ID = value,
enum {
#include "names.def"
};
#undef FL_VALUE

#define FL_POINT(value, ID, text, depth) FL_POINT_##ID = value,
enum {
#include "points.def"
};
#undef FL_POINT

#define FL_EVENT(value, ID, name, addr_kind, addr_name, arg_kind, arg_name, aux_kind, aux_name,    \
                 doc)                                                                              \
    FL_EVENT_##ID = value,
enum {
#include "events.def"
    FL_EVENT_COUNT
};
#undef FL_EVENT

#define FL_FAIL_KINDS 3u

#define FL_SPEC_NONE             UINT32_MAX /* a result: there is none */
#define FL_SPEC(value, ID, text) FL_SPEC_##ID = value,
#define FL_OPERATION(SPEC, value, ID, text)                                                        \
    FL_OPERATION_##SPEC##_##ID = FL_SPEC_##SPEC << 8 | value,
enum {
#include "specs.def"
};
#undef FL_SPEC
#undef FL_OPERATION

#define FL_AUDIT(value, ID, doc) FL_AUDIT_FIELD_##ID = value,
enum {
#include "audit.def"
    FL_AUDIT_FIELD_COUNT
};
#undef FL_AUDIT

_Static_assert(sizeof(struct fl_event) == 32, "event");
_Static_assert(offsetof(struct fl_event, addr) == 16, "event.addr");
_Static_assert(sizeof(struct fl_packet) == FL_PACKET_SIZE, "packet");
_Static_assert(offsetof(struct fl_packet, time_begin) == 24, "packet.time_begin");
_Static_assert(offsetof(struct fl_packet, events) == FL_PACKET_HEADER, "packet.events");
_Static_assert(sizeof(struct fl_preemption) == 16, "preemption");
_Static_assert(sizeof(struct fl_failure) == 4, "failure");
_Static_assert(sizeof(struct fl_plan) == 4096, "plan");
_Static_assert(offsetof(struct fl_plan, budget) == 56, "plan.budget");
_Static_assert(offsetof(struct fl_plan, preemptions) == 96, "plan.preemptions");
_Static_assert(sizeof(struct fl_result) == 64, "result");
_Static_assert(offsetof(struct fl_result, asked) == 56, "result.asked");
_Static_assert(sizeof(struct fl_decision) == 32, "decision");
_Static_assert(sizeof(struct fl_audit_result) == 24, "audit_result");
_Static_assert(sizeof(struct fl_stop) == 24, "stop");
_Static_assert(sizeof(struct fl_control) == 672, "control");
_Static_assert(offsetof(struct fl_control, stop) == 648, "control.stop");
_Static_assert(offsetof(struct fl_shared, results) == 4096, "shared.results");
_Static_assert(offsetof(struct fl_shared, plans) == 12288, "shared.plans");
_Static_assert(offsetof(struct fl_shared, ring) == 12288 + 64 * 4096, "shared.ring");
_Static_assert(FL_SHARED_OFFSET + sizeof(struct fl_shared) <= FL_RAM_SIZE, "shared fits");
_Static_assert(sizeof(struct fl_image) == 32, "image");
_Static_assert(sizeof(struct fl_audit_field) == 24, "audit_field");
_Static_assert(sizeof(struct fl_state_row) == 40, "state_row");
_Static_assert(sizeof(struct fl_dead) == 8, "dead");
_Static_assert(sizeof(struct fl_domain) == 16, "domain");
_Static_assert(sizeof(struct fl_variant) == 200, "variant");
_Static_assert(sizeof(struct fl_param) == 112, "param");
_Static_assert(offsetof(struct fl_scenario, domains) == 408, "scenario.domains");

#endif
