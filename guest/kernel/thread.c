/* Threads: made by core, named by creation path, ended by themselves or put on halt. */

#include "kernel.h"

struct thread threads[FL_MAX_THREADS] __attribute__((section(".bss.threads")));

/* Not how a place of the thread is named, nor when it came there; how it stands is said in
 * standing.c. */
STATE_KEEP_FIRST(threads, run.blocks_used);
STATE_DROP_MEMBER(threads, state, struct thread, state);
STATE_DROP_MEMBER(threads, next, struct thread, next);
STATE_DROP_MEMBER(threads, previous, struct thread, previous);
STATE_DROP_MEMBER(threads, deferred, struct thread, deferred);
STATE_DROP_MEMBER(threads, fault, struct thread, fault);
STATE_DROP_MEMBER(threads, n, struct thread, n);
STATE_DROP_MEMBER(threads, plan, struct thread, plan);
STATE_DROP_MEMBER(threads, priority, struct thread, priority);
STATE_DROP_MEMBER(threads, trap_time, struct thread, trap.time);
STATE_DROP_MEMBER(threads, trap_instructions, struct thread, trap.instructions);
STATE_DROP_MEMBER(threads, fault_time, struct thread, fault_trap.time);
STATE_DROP_MEMBER(threads, fault_instructions, struct thread, fault_trap.instructions);

#define ID_SHIFT 8u

bool thread_alive(const struct thread *thread)
{
    return thread->state != THREAD_NONE && thread->state != THREAD_ENDED &&
           thread->state != THREAD_HALTED;
}

uint32_t threads_used(void)
{
    return run.blocks_used;
}

struct thread *thread_find(uint32_t id)
{
    uint32_t index = id & ((1u << ID_SHIFT) - 1);
    if (index >= FL_MAX_THREADS || threads[index].id != id || id == 0) {
        return NULL;
    }
    return threads[index].state == THREAD_ENDED ? NULL : &threads[index];
}

/* A block is looked for from one on that is of the path's own: which one a thread gets, and so its
 * id, depends on who its parent is and how many children that had, not on what others made
 * meanwhile. Brothers are apart, so that an ended thread's block stays readable for as long as
 * possible; the first threads are close together (HOT). */
static uint32_t first_block(uint32_t path)
{
    return ((path >> 24) - 1 + 2 * (path >> 16 & 0xffu) + 5 * (path >> 8 & 0xffu) +
            7 * (path & 0xffu)) %
           FL_MAX_THREADS;
}

static struct thread *free_block(uint32_t path)
{
    for (uint32_t i = 0; i < FL_MAX_THREADS; i++) {
        struct thread *thread = &threads[(first_block(path) + i) % FL_MAX_THREADS];
        if (!thread_alive(thread)) {
            return thread;
        }
    }
    return NULL;
}

/* Blocks that are passed over are as a run before left them. */
static void use_up_to(uint32_t index)
{
    for (; run.blocks_used <= index; run.blocks_used++) {
        threads[run.blocks_used] = (struct thread){.state = THREAD_NONE};
    }
}

static uint32_t main_path(uint32_t space)
{
    return space == FL_SPACE_CORE ? FL_PATH_CORE : FL_PATH_DOMAIN(space - FL_SPACE_DOMAIN(0));
}

/* Of the parent's next child; 0 when it can have no further one. */
static uint32_t child_path(const struct thread *parent)
{
    for (uint32_t shift = 16; shift < 32; shift -= 8) {
        if ((parent->path >> shift & 0xffu) == 0) {
            return parent->children < FL_MAX_CHILDREN
                       ? parent->path | (parent->children + 1) << shift
                       : 0;
        }
    }
    return 0;
}

struct thread *thread_new(struct thread *parent, const struct sys_thread_args *args)
{
    uint32_t path = parent != NULL ? child_path(parent) : main_path(args->space);
    struct thread *thread = free_block(path);
    if (thread == NULL || path == 0) {
        return NULL;
    }
    uint32_t index = (uint32_t)(thread - threads);
    struct arch_mapping page = {args->utcb_frame, FL_RIGHTS_RW};
    if (!arch_map(args->space, FL_UTCB_BASE + index * FL_PAGE_SIZE, page)) {
        return NULL;
    }
    if (parent != NULL) {
        parent->children++;
    }
    use_up_to(index);
    *thread = (struct thread){
        .id = index | ((thread->id >> ID_SHIFT) + 1) << ID_SHIFT,
        .path = path,
        .index = index,
        .space = args->space,
        .flags = args->flags,
        .utcb = arch_frame_address(args->utcb_frame),
        .pager = args->pager,
    };
    thread->utcb->self = thread->id;
    thread->utcb->path = path;
    thread->utcb->parent = parent != NULL ? parent->id : 0;
    thread->utcb->space = args->space;
    arch_frame_init(&thread->frame, args->ip, args->sp, args->arg);
    plan_attach(thread);
    ready(thread);
    return thread;
}

void thread_withdraw(struct thread *thread)
{
    switch (thread->state) {
    case THREAD_READY:
        unready(thread);
        break;
    case THREAD_SENDING:
        queue_remove(&thread->partner->senders, thread);
        break;
    case THREAD_LOCKING:
        queue_remove(&run.lock_waiters, thread);
        break;
    default:
        break;
    }
}

static void end(struct thread *thread, enum thread_state state)
{
    thread_withdraw(thread);
    thread->state = state;
    thread->deferred = false;
    thread->suspend = 0;
    ipc_abandon(thread);
    join_finish(thread);
    suspend_refuse(thread);
}

void thread_halt(struct thread *thread, uint32_t reason)
{
    uint32_t address = thread->fault != 0 ? thread->fault_trap.address : 0;
    trace(FL_EVENT_THREAD_HALT, thread, address, reason, thread->fault);
    thread->fault = 0;
    end(thread, THREAD_HALTED);
}

void do_thread_exit(struct thread *thread)
{
    trace(FL_EVENT_THREAD_EXIT, thread, 0, argument(thread, 0), thread->index);
    end(thread, THREAD_ENDED);
}

void do_thread_create(struct thread *thread)
{
    uint32_t frame_and_flags = argument(thread, 6);
    struct sys_thread_args args = {
        .space = argument(thread, 0),
        .ip = argument(thread, 1),
        .sp = argument(thread, 2),
        .arg = argument(thread, 3),
        .parent = argument(thread, 4),
        .pager = argument(thread, 5),
        .utcb_frame = frame_and_flags & 0xffffffu,
        .flags = frame_and_flags >> 24,
    };
    if (thread->space != FL_SPACE_CORE) {
        give_status(thread, FL_ERROR_NO_RIGHTS);
        return;
    }
    struct thread *parent = thread_find(args.parent);
    if (args.space >= ARCH_MAX_SPACES || args.utcb_frame >= FL_RAM_SIZE >> FL_PAGE_SHIFT ||
        (args.parent != 0 && parent == NULL)) {
        give_status(thread, FL_ERROR_INVALID);
        return;
    }
    struct thread *child = thread_new(parent, &args);
    if (child == NULL) {
        give_status(thread, FL_ERROR_NO_MEMORY);
        return;
    }
    uint32_t namer = parent != NULL ? parent->path : FL_PATH_KERNEL;
    trace_space(FL_EVENT_THREAD_CREATE, namer, thread->space, child->path, child->index,
                child->space);
    arch_set_result(&thread->frame, 1, child->id);
    give_status(thread, FL_ERROR_OK);
}

void do_thread_halt(struct thread *thread)
{
    uint32_t id = argument(thread, 0);
    uint32_t reason = argument(thread, 1);
    struct thread *victim = id == 0 ? thread : thread_find(id);
    if (victim == NULL || !thread_alive(victim)) {
        give_status(thread, FL_ERROR_NO_THREAD);
        return;
    }
    if (victim != thread && thread->space != FL_SPACE_CORE) {
        give_status(thread, FL_ERROR_NO_RIGHTS);
        return;
    }
    give_status(thread, FL_ERROR_OK);
    if (victim->fault != 0 && victim != thread) {
        trace(FL_EVENT_FAULT_REPORT, thread, victim->path, reason, victim->fault);
    }
    thread_halt(victim, reason);
}
