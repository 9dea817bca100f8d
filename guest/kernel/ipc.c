/* Synchronous IPC by thread id (L4's rendezvous). Registers of a message: in: partner, tag, four
 * words; out: status, partner, tag, four words (guest/lib/sys.h). */

#include "kernel.h"

#define TAG_LABEL(tag) ((tag)&0xffffu)
#define TAG_WORDS(tag) ((tag) >> 16)

static uint32_t partner_path(const struct thread *partner)
{
    return partner != NULL ? partner->path : FL_PATH_KERNEL;
}

static void fail(struct thread *thread, const struct thread *partner, uint32_t error)
{
    trace(FL_EVENT_IPC_ERROR, thread, partner_path(partner), error, 0);
    give_status(thread, error);
}

static uint32_t copy_page_words(struct thread *to, const struct thread *from, uint32_t tag)
{
    uint32_t words = TAG_WORDS(tag);
    if (words > SYS_MSG_PAGE_WORDS) {
        words = SYS_MSG_PAGE_WORDS;
    }
    for (uint32_t i = 0; i < words; i++) {
        to->utcb->words[i] = from->utcb->words[i];
    }
    return words;
}

/* What `from` said with its registers, into those of `to`; returns the words copied. */
static uint32_t copy_message(struct thread *to, const struct thread *from)
{
    uint32_t tag = argument(from, 1);
    uint32_t words = copy_page_words(to, from, tag);
    give_status(to, FL_ERROR_OK);
    arch_set_result(&to->frame, 1, from->id);
    arch_set_result(&to->frame, 2, TAG_LABEL(tag) | words << 16);
    for (unsigned i = 0; i < SYS_MSG_WORDS; i++) {
        arch_set_result(&to->frame, 3 + i, argument(from, 2 + i));
    }
    return words;
}

static void deliver_fault(struct thread *to, const struct thread *faulter)
{
    const struct trap *trap = &faulter->fault_trap;
    give_status(to, FL_ERROR_OK);
    arch_set_result(&to->frame, 1, faulter->id);
    arch_set_result(&to->frame, 2, FL_LABEL_FAULT);
    for (unsigned i = 0; i < SYS_MSG_WORDS; i++) {
        arch_set_result(&to->frame, 3 + i, faulter->fault_message[i]);
    }
    trace(FL_EVENT_FAULT_DELIVER, to, faulter->path, trap->access, faulter->fault);
}

static void deliver(struct thread *to, const struct thread *from)
{
    if (from->fault != 0) {
        deliver_fault(to, from);
        return;
    }
    uint32_t label = TAG_LABEL(argument(from, 1));
    uint32_t words = copy_message(to, from);
    trace(FL_EVENT_IPC_DELIVER, to, from->path, label, words);
}

static bool accepts(const struct thread *receiver, const struct thread *sender)
{
    return receiver->state == THREAD_RECEIVING &&
           (receiver->partner == NULL || receiver->partner == sender);
}

static void queue_at(struct thread *sender, struct thread *receiver, bool calls)
{
    block(sender, THREAD_SENDING);
    sender->calls = calls;
    sender->partner = receiver;
    queue_append(&receiver->senders, sender);
}

/* A call or a fault: hands over to a receiver that waits. */
static void call(struct thread *caller, struct thread *receiver)
{
    if (!accepts(receiver, caller)) {
        queue_at(caller, receiver, true);
        return;
    }
    deliver(receiver, caller);
    block(caller, THREAD_CALLING);
    caller->partner = receiver;
    run_next(receiver, FL_SWITCH_HANDOVER);
}

void ipc_send_fault(struct thread *thread, struct thread *pager)
{
    call(thread, pager);
}

static struct thread *partner_or_fail(struct thread *thread)
{
    struct thread *partner = thread_find(argument(thread, 0));
    if (partner == NULL || partner == thread) {
        fail(thread, partner, FL_ERROR_NO_THREAD);
        return NULL;
    }
    if (!thread_alive(partner)) {
        fail(thread, partner, FL_ERROR_PARTNER_GONE);
        return NULL;
    }
    return partner;
}

/* Whether the plan has this IPC fail: one to a server, and not of a server's threads among
 * themselves. It has no effect then. */
static bool fails_as_planned(struct thread *thread, const struct thread *partner)
{
    if (!run.fails || !(partner->flags & SYS_THREAD_SERVER) || partner->space == thread->space ||
        !plan_refuses_ipc()) {
        return false;
    }
    trace(FL_EVENT_REFUSE, thread, 0, FL_FAIL_IPC, run.ipcs);
    fail(thread, partner, FL_ERROR_REFUSED);
    return true;
}

void do_ipc_call(struct thread *thread)
{
    struct thread *partner = partner_or_fail(thread);
    if (partner != NULL && !fails_as_planned(thread, partner)) {
        trace(FL_EVENT_IPC_SEND, thread, partner->path, TAG_LABEL(argument(thread, 1)), 1);
        call(thread, partner);
    }
}

void do_ipc_send(struct thread *thread)
{
    struct thread *partner = partner_or_fail(thread);
    if (partner == NULL || fails_as_planned(thread, partner)) {
        return;
    }
    trace(FL_EVENT_IPC_SEND, thread, partner->path, TAG_LABEL(argument(thread, 1)), 0);
    if (!accepts(partner, thread)) {
        queue_at(thread, partner, false);
        return;
    }
    deliver(partner, thread);
    ready(partner);
    give_status(thread, FL_ERROR_OK);
}

/* Takes the message of a queued sender. */
static void take(struct thread *receiver, struct thread *sender)
{
    queue_remove(&receiver->senders, sender);
    deliver(receiver, sender);
    if (sender->calls) {
        block(sender, THREAD_CALLING);
    } else {
        give_status(sender, FL_ERROR_OK);
        ready(sender);
    }
}

static struct thread *first_sender(struct thread *receiver, const struct thread *from)
{
    struct thread *sender = receiver->senders.head;
    while (sender != NULL && from != NULL && sender != from) {
        sender = sender->next;
    }
    return sender;
}

/* What a server said to its last client is not kept in its registers: how it stands is the same
 * after any. */
static void forget_message(struct thread *thread)
{
    for (unsigned i = 0; i < SYS_IPC_REGISTERS; i++) {
        arch_set_result(&thread->frame, i, 0);
    }
}

static void wait(struct thread *thread, struct thread *from)
{
    if (from == NULL) {
        forget_message(thread);
    }
    trace(FL_EVENT_IPC_WAIT, thread, partner_path(from), 0, 0);
    block(thread, THREAD_RECEIVING);
    thread->partner = from;
    if (run.audits && from == NULL && thread->path == FL_PATH_CORE) {
        audit(thread);
    }
}

void do_ipc_receive(struct thread *thread)
{
    struct thread *from = NULL;
    if (argument(thread, 0) != 0) {
        from = partner_or_fail(thread);
        if (from == NULL) {
            return;
        }
    }
    struct thread *sender = first_sender(thread, from);
    if (sender != NULL) {
        take(thread, sender);
    } else {
        wait(thread, from);
    }
}

/* The caller whom `thread` may answer, or NULL. */
static struct thread *caller_of(struct thread *thread)
{
    struct thread *caller = thread_find(argument(thread, 0));
    if (caller == NULL || caller->state != THREAD_CALLING || caller->partner != thread) {
        fail(thread, caller, FL_ERROR_NO_THREAD);
        return NULL;
    }
    return caller;
}

/* Answers; the caller is to run next. */
static void answer(struct thread *thread, struct thread *caller)
{
    if (caller->fault != 0) {
        trace(FL_EVENT_FAULT_REPLY, thread, caller->path, 0, caller->fault);
        caller->fault_resolved = true;
    } else {
        uint32_t words = copy_message(caller, thread);
        trace(FL_EVENT_IPC_REPLY, thread, caller->path, TAG_LABEL(argument(thread, 1)), words);
    }
    caller->state = THREAD_RUNNING;
    run_next(caller, FL_SWITCH_REPLY);
}

void do_ipc_reply(struct thread *thread)
{
    struct thread *caller = caller_of(thread);
    if (caller != NULL) {
        answer(thread, caller);
        give_status(thread, FL_ERROR_OK);
        ready(thread);
    }
}

void do_ipc_reply_wait(struct thread *thread)
{
    struct thread *caller = argument(thread, 0) != 0 ? caller_of(thread) : NULL;
    if (caller != NULL) {
        answer(thread, caller);
    }
    struct thread *sender = thread->senders.head;
    if (sender == NULL) {
        wait(thread, NULL);
        return;
    }
    take(thread, sender);
    if (caller != NULL) {
        ready(thread);
    }
}

void ipc_abandon(struct thread *gone)
{
    while (gone->senders.head != NULL) {
        struct thread *sender = gone->senders.head;
        queue_remove(&gone->senders, sender);
        sender->state = THREAD_CALLING;
        sender->partner = gone;
    }
    for (uint32_t i = 0; i < threads_used(); i++) {
        struct thread *thread = &threads[i];
        bool waits = thread->state == THREAD_CALLING || thread->state == THREAD_RECEIVING;
        if (!waits || thread->partner != gone) {
            continue;
        }
        if (thread->fault != 0) {
            thread_halt(thread, FL_HALT_NO_PAGER);
        } else {
            fail(thread, gone, FL_ERROR_PARTNER_GONE);
            ready(thread);
        }
    }
}
