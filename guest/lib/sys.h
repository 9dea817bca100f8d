/* System calls as user programs see them. All are inline, so that a trace's program counter leads
 * to the caller's own line.
 *
 * A thread id (tid_t) is opaque and fresh for every thread of a run; 0 is no thread. Every call
 * returns or carries a status of FL_ERROR_*. Calls marked "core" are refused with NO_RIGHTS to
 * every program but the pager.
 *
 * Messages: a label, up to SYS_MSG_PAGE_WORDS words in the sender's message page (utcb), which the
 * kernel copies into the receiver's, and SYS_MSG_WORDS words in registers.
 */
#ifndef FAULTLINE_SYS_H
#define FAULTLINE_SYS_H

#include <stdint.h>
#include "abi.h"
#include "interface.h"    /* guest/kernel: numbers, message page, argument blocks */
#include "arch_syscall.h" /* sys_trap(), sys_thread_pointer(), struct sys_regs { uint32_t r[7]; } */

static inline struct utcb *sys_utcb(void)
{
    return (struct utcb *)sys_thread_pointer();
}

struct msg {
    uint32_t label; /* FL_LABEL_*; of a reply: a status */
    uint32_t words; /* words in the message page, 0..SYS_MSG_PAGE_WORDS */
    uint32_t w[SYS_MSG_WORDS];
};

static inline uint32_t sys_tag(const struct msg *msg)
{
    return (msg->label & 0xffffu) | msg->words << 16;
}

#define SYS_ALWAYS_INLINE static inline __attribute__((always_inline))

/* registers of an IPC: in: partner, tag, w[0..3]; out: status, partner, tag, w[0..3] */
SYS_ALWAYS_INLINE uint32_t sys_ipc(uint32_t number, tid_t *partner, struct msg *msg)
{
    struct sys_regs regs = {
        {*partner, sys_tag(msg), msg->w[0], msg->w[1], msg->w[2], msg->w[3], 0}};
    *partner = 0; /* nothing of them stays in memory while a server waits for the next */
    *msg = (struct msg){0};
    sys_trap(number, &regs);
    *partner = regs.r[1];
    msg->label = regs.r[2] & 0xffffu;
    msg->words = regs.r[2] >> 16;
    msg->w[0] = regs.r[3];
    msg->w[1] = regs.r[4];
    msg->w[2] = regs.r[5];
    msg->w[3] = regs.r[6];
    return regs.r[0];
}

SYS_ALWAYS_INLINE uint32_t sys_trap3(uint32_t number, uint32_t a, uint32_t b, uint32_t c)
{
    struct sys_regs regs = {{a, b, c, 0, 0, 0, 0}};
    sys_trap(number, &regs);
    return regs.r[0];
}

/* Send `msg` and wait for the reply, which replaces it. Hands over when the receiver waits. The
 * reply's label is the server's status. NO_THREAD: no such partner. PARTNER_GONE: it ended first.
 */
SYS_ALWAYS_INLINE uint32_t sys_call(tid_t to, struct msg *msg)
{
    return sys_ipc(SYS_IPC_CALL, &to, msg);
}

/* Send without waiting for a reply; blocks until the receiver takes it. */
SYS_ALWAYS_INLINE uint32_t sys_send(tid_t to, struct msg *msg)
{
    return sys_ipc(SYS_IPC_SEND, &to, msg);
}

/* Wait for a message: *from = 0: from anybody, else from that thread only. On return *from is the
 * sender. A page fault arrives as label FL_LABEL_FAULT: w[0] address, w[1] FL_ACCESS_*, w[2] pc,
 * w[3] SYS_FAULT_SPACE, and SYS_FAULT_RIGHTS: how the page was mapped when it was raised. It is
 * answered by a reply (resolved, the thread goes on) or by sys_thread_halt. */
#define SYS_FAULT_SPACE(w3)  ((w3)&0xffffu)
#define SYS_FAULT_RIGHTS(w3) ((w3) >> 16)
SYS_ALWAYS_INLINE uint32_t sys_receive(tid_t *from, struct msg *msg)
{
    return sys_ipc(SYS_IPC_RECEIVE, from, msg);
}

/* Answer a caller; it runs at once, the replier goes to the tail of the ready queue. */
SYS_ALWAYS_INLINE uint32_t sys_reply(tid_t to, struct msg *msg)
{
    return sys_ipc(SYS_IPC_REPLY, &to, msg);
}

/* Answer *partner (0: nobody) and wait for a message from anybody; on return *partner sent it. */
SYS_ALWAYS_INLINE uint32_t sys_reply_wait(tid_t *partner, struct msg *msg)
{
    return sys_ipc(SYS_IPC_REPLY_WAIT, partner, msg);
}

/* A lock is one word of user memory, 0 when free. Contended lockers block in the kernel, FIFO; an
 * unlock hands the lock over to the first. NOT_OWNER: unlocked by another than its holder. */
struct lock {
    uint32_t holder; /* tid_t */
};

SYS_ALWAYS_INLINE uint32_t sys_lock(struct lock *lock)
{
    return sys_trap3(SYS_LOCK, (uint32_t)(uintptr_t)lock, 0, 0);
}

SYS_ALWAYS_INLINE uint32_t sys_unlock(struct lock *lock)
{
    return sys_trap3(SYS_UNLOCK, (uint32_t)(uintptr_t)lock, 0, 0);
}

SYS_ALWAYS_INLINE _Noreturn void sys_thread_exit(uint32_t code)
{
    sys_trap3(SYS_THREAD_EXIT, code, 0, 0);
    __builtin_unreachable();
}

/* Wait until the thread has ended or is halted. Its id is still good afterwards, until the end of
 * the run. */
SYS_ALWAYS_INLINE uint32_t sys_thread_join(tid_t thread)
{
    return sys_trap3(SYS_THREAD_JOIN, thread, 0, 0);
}

SYS_ALWAYS_INLINE void sys_yield(void)
{
    sys_trap3(SYS_YIELD, 0, 0, 0);
}

/* Say something to the trace. event: FL_EVENT_MARK_*. */
SYS_ALWAYS_INLINE void sys_mark(uint32_t event, uint32_t address, uint32_t value, uint32_t object)
{
    struct sys_regs regs = {{event, address, value, object, 0, 0, 0}};
    sys_trap(SYS_MARK, &regs);
}

/* core: say something about a vm object or a vm area to the trace, with the event's three values in
 * their order. event: FL_EVENT_OBJECT_CREATE to FL_EVENT_TASK_END, FL_EVENT_PAGE_BACK,
 * FL_EVENT_REFUSE, FL_EVENT_TOTALS; space: whose area it is. */
SYS_ALWAYS_INLINE void sys_tell(uint32_t event, uint32_t space, uint32_t addr, uint32_t arg,
                                uint32_t aux)
{
    struct sys_regs regs = {{event, space, addr, arg, aux, 0, 0}};
    sys_trap(SYS_TELL, &regs);
}

/* core: a new address space with this number (FL_SPACE_DOMAIN(i)). */
SYS_ALWAYS_INLINE uint32_t sys_space_create(uint32_t space)
{
    return sys_trap3(SYS_SPACE_CREATE, space, 0, 0);
}

/* core: map `pages` frames from number `frame` on (physical address / page size, counted from the
 * start of RAM) at `address` of `space` with FL_RIGHTS_*. Replaces what was mapped there. */
SYS_ALWAYS_INLINE uint32_t sys_map(uint32_t space, uint32_t address, uint32_t frame, uint32_t pages,
                                   uint32_t rights)
{
    struct sys_regs regs = {{space, address, frame, pages, rights, 0, 0}};
    sys_trap(SYS_MAP, &regs);
    return regs.r[0];
}

/* core: take out `pages` pages; pages that are not mapped are passed over. */
SYS_ALWAYS_INLINE uint32_t sys_unmap(uint32_t space, uint32_t address, uint32_t pages)
{
    return sys_trap3(SYS_UNMAP, space, address, pages);
}

/* core: change the rights of `pages` mapped pages. */
SYS_ALWAYS_INLINE uint32_t sys_protect(uint32_t space, uint32_t address, uint32_t pages,
                                       uint32_t rights)
{
    struct sys_regs regs = {{space, address, pages, rights, 0, 0, 0}};
    sys_trap(SYS_PROTECT, &regs);
    return regs.r[0];
}

/* core: make a thread and put it at the tail of the ready queue. *thread is its id. The frame is
 * zeroed by the caller. NO_MEMORY: no thread block left. */
SYS_ALWAYS_INLINE uint32_t sys_thread_create(const struct sys_thread_args *args, tid_t *thread)
{
    struct sys_regs regs = {{args->space, args->ip, args->sp, args->arg, args->parent, args->pager,
                             args->utcb_frame | args->flags << 24}};
    sys_trap(SYS_THREAD_CREATE, &regs);
    *thread = regs.r[1];
    return regs.r[0];
}

/* Put a thread on halt for ever, for FL_HALT_*. core may halt any thread; others only themselves
 * (thread = 0). When the thread waits for a fault's answer this is the report of the fault. */
SYS_ALWAYS_INLINE uint32_t sys_thread_halt(tid_t thread, uint32_t reason)
{
    return sys_trap3(SYS_THREAD_HALT, thread, reason, 0);
}

/* Wait until a thread of the caller's space (core: of any) stands, at one of the check points of
 * SYS_SUSPEND_*; it does nothing from then on. A sleep that this interrupts ends with INTERRUPTED
 * when the thread is resumed. NO_THREAD, PARTNER_GONE: it has ended, before or meanwhile. INVALID:
 * somebody else has suspended it. */
SYS_ALWAYS_INLINE uint32_t sys_thread_suspend(tid_t thread, uint32_t checks)
{
    return sys_trap3(SYS_THREAD_SUSPEND, thread, checks, 0);
}

/* It goes on where it stood. INVALID: it does not stand. */
SYS_ALWAYS_INLINE uint32_t sys_thread_resume(tid_t thread)
{
    return sys_trap3(SYS_THREAD_RESUME, thread, 0, 0);
}

/* A pager says that the fault of `faulter` is put aside and later ones may be answered before it.
 */
SYS_ALWAYS_INLINE uint32_t sys_fault_park(tid_t faulter)
{
    return sys_trap3(SYS_FAULT_PARK, faulter, 0, 0);
}

/* A pager says that the fault of `faulter` is for a page that is mapped by now, or on its way. */
SYS_ALWAYS_INLINE uint32_t sys_fault_duplicate(tid_t faulter)
{
    return sys_trap3(SYS_FAULT_DUPLICATE, faulter, 0, 0);
}

SYS_ALWAYS_INLINE uint32_t sys_debug(uint32_t what, uint32_t offset, uint32_t value)
{
    return sys_trap3(SYS_DEBUG, what, offset, value);
}

#endif
