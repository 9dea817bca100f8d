/* What the kernel and user programs agree on: system call numbers, the message page, argument
 * blocks. What the calls mean is said in guest/lib/sys.h. */
#ifndef FAULTLINE_INTERFACE_H
#define FAULTLINE_INTERFACE_H

#include <stdint.h>

typedef uint32_t tid_t;

/* Core, the first thread of every run, has an id that all know (as sigma0 has in L4). */
#define SYS_CORE 0x100u

enum {
#define SYSCALL(number, NAME, handler, POINT) SYS_##NAME = number,
#include "syscalls.def"
#undef SYSCALL
};

#define SYS_MSG_WORDS      4u
#define SYS_MSG_PAGE_WORDS 64u
#define SYS_IPC_REGISTERS  7u /* status, partner, tag, words */

/* Of a thread id: no two threads that live have one. */
#define SYS_THREAD_INDEX(tid) ((tid)&0xffu)

/* The message page of a thread: one page of its own at a virtual address that no other thread has.
 * The kernel fills in the first fields before the thread's first instruction. */
struct utcb {
    uint32_t self;     /* tid_t of the thread */
    uint32_t path;     /* its creation path (abi.h) */
    uint32_t parent;   /* tid_t; of use only while the parent lives */
    uint32_t space;    /* number of its address space */
    uint32_t asked[4]; /* core's own: how often what of FL_FAIL_* was asked for (core/refusal.h) */
    uint32_t pad[8];
    uint32_t words[SYS_MSG_PAGE_WORDS];
    uint32_t local[32]; /* the user library's own thread-local data */
};

enum {                        /* sys_thread_args.flags */
       SYS_THREAD_SERVER = 1, /* may end the run blocked in its top receive */
};

struct sys_thread_args {
    uint32_t space;
    uint32_t ip; /* starts here, with `arg` as its first argument */
    uint32_t sp;
    uint32_t arg;
    tid_t parent; /* names the thread: its next child; 0: the space's main thread */
    tid_t pager;  /* where its faults go; 0: none, a fault halts it */
    uint32_t
        utcb_frame; /* frame of its message page; which the kernel maps at FL_UTCB_BASE + ... */
    uint32_t flags;
};

enum {                         /* where a thread that is suspended may come to stand */
       SYS_SUSPEND_ASLEEP = 1, /* its sleep is interrupted */
       SYS_SUSPEND_BEFORE_SLEEP = 2,
       SYS_SUSPEND_IN_USER = 4, /* once it has been interrupted there */
       SYS_SUSPEND_AT_END = 8,  /* of a system call or a fault */
       SYS_SUSPEND_ALL = 15,
};

enum { /* sys_debug: ways to break a guest on purpose, for tests of the rig itself */
       SYS_DEBUG_KERNEL_FAULT = 1, /* the kernel touches memory that is not there */
       SYS_DEBUG_KERNEL_LOOP = 2,  /* the kernel never comes back */
       SYS_DEBUG_POWER_OFF = 3,
       SYS_DEBUG_NO_FLUSH = 5,     /* a switch of spaces flushes nothing any more */
       SYS_DEBUG_WRITE_SHARED = 4, /* writes `value` at offset `offset` of the shared window */
       SYS_DEBUG_OWN_TABLE = 6,    /* the kernel writes ones over what maps the caller's program */
       SYS_DEBUG_FAULT_WORDS = 7,  /* faults go through the message page, `offset` 1: put back */
};

#endif
