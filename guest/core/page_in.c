#include <stddef.h>
#include "page_in.h"
#include "policy.h"
#include "refusal.h"
#include "vm_error.h"
#include "vm_file.h"

/* ---- The thread that asks ---- */

enum { ASKER_STACK_WORDS = 256 };

static struct {
    tid_t thread;   /* 0: there is none */
    uint32_t frame; /* of its message page; kept for the next attempt when it cannot be made */
    uint32_t stack[ASKER_STACK_WORDS] __attribute__((aligned(16)));
} asker;

/* Touches nothing of core's but the frame that it is told to fill. */
static _Noreturn void ask_for_pages(void)
{
    for (;;) {
        struct msg msg = {0};
        tid_t from = 0;

        if (sys_receive(&from, &msg) != FL_ERROR_OK || from != SYS_CORE)
            continue;
        bool good = vm_file_read(msg.w[0], msg.w[1], msg.w[2]);
        msg = (struct msg){.label = FL_LABEL_PAGE_ARRIVED, .w = {good}};
        sys_send(SYS_CORE, &msg);
    }
}

bool page_in_start(void)
{
    struct sys_thread_args args = {
        .space = FL_SPACE_CORE,
        .ip = (uint32_t)(uintptr_t)ask_for_pages,
        .sp = (uint32_t)(uintptr_t)(asker.stack + ASKER_STACK_WORDS),
        .parent = SYS_CORE,
        .flags = SYS_THREAD_SERVER,
    };

    if (asker.thread)
        return true;
    if (!asker.frame && !(asker.frame = frame_alloc_row(1)))
        return false;
    args.utcb_frame = asker.frame;
    memset(frame_memory(asker.frame), 0, FL_PAGE_SIZE);
    return !refused(FL_FAIL_SLAB) && sys_thread_create(&args, &asker.thread) == FL_ERROR_OK;
}

bool page_in_is(tid_t sender)
{
    return asker.thread && sender == asker.thread;
}

/* ---- Pages on their way: a ring, of which the first is being asked for ---- */

static struct page_in {
    struct vm_object *file;
    uint32_t page;
    uint32_t frame; /* to be filled */
} on_way[FL_MAX_THREADS];

static uint32_t first_on_way, end_on_way; /* numbers, of which those in between are on their way */
static uint32_t fetched_last;             /* number of the page that was fetched last */

static struct page_in *on_way_at(uint32_t number)
{
    return &on_way[number % FL_MAX_THREADS];
}

static void ask_for_first(void)
{
    if (first_on_way == end_on_way)
        return;
    const struct page_in *first = on_way_at(first_on_way);
    struct msg msg = {.label = FL_LABEL_FILE_READ,
                      .w = {first->file->file, first->page, first->frame}};
    sys_send(asker.thread, &msg);
}

uint32_t page_in_fetch_unseen(struct vm_object *file, uint32_t page)
{
    bool room = end_on_way - first_on_way < FL_MAX_THREADS && !refused(FL_FAIL_SLAB);
    uint32_t frame = room ? frame_alloc() : 0;

    if (!frame)
        return 0;
    vm_object_open(file); /* it must be there when the page comes */
    fetched_last = end_on_way++;
    *on_way_at(fetched_last) = (struct page_in){file, page, frame};
    if (fetched_last == first_on_way)
        ask_for_first();
    return VM_PAGE_COMES;
}

uint32_t page_in_fetch(struct vm_object *file, uint32_t page)
{
    for (uint32_t number = first_on_way; number != end_on_way; number++)
        if (on_way_at(number)->file == file && on_way_at(number)->page == page) {
            fetched_last = number;
            return VM_PAGE_COMES;
        }
    return page_in_fetch_unseen(file, page);
}

uint32_t page_in_fetch_waiting(struct vm_object *file, uint32_t page)
{
    uint32_t frame = frame_alloc();

    if (!frame)
        return 0;
    if (vm_file_read(file->file, page, frame)) {
        vm_object_own(file, page, frame);
        return frame;
    }
    vm_object_refuse(file, page, frame);
    return 0;
}

/* ---- Who waits for them, in the order in which they came ---- */

static struct waiter {
    void (*serve_again)(const struct waiter *waiter, bool arrived); /* NULL: this entry is free */
    union {
        struct fault fault;
        struct vm_read read;
    };
    uint32_t number; /* of the page in */
    uint32_t turn;
} waiters[FL_MAX_THREADS];

static uint32_t turns;

static void wait_for_last(struct waiter like)
{
    struct waiter *waiter = waiters;

    while (waiter->serve_again) /* there is an entry for each thread that there can be */
        waiter++;
    like.number = fetched_last;
    like.turn = turns++;
    *waiter = like;
}

static void serve_fault_again(const struct waiter *waiter, bool arrived)
{
    fault_serve_again(&waiter->fault, arrived);
}

static void serve_read_again(const struct waiter *waiter, bool arrived)
{
    vm_read_serve_again(&waiter->read, arrived);
}

/* Does a fault wait for the page? A call may, but that is no fault that another repeats. */
static bool is_faulted_for(uint32_t number)
{
    const struct waiter *waiter = waiters;

    while (waiter < waiters + FL_MAX_THREADS &&
           (waiter->serve_again != serve_fault_again || waiter->number != number))
        waiter++;
    return waiter < waiters + FL_MAX_THREADS;
}

void page_in_wait_fault(const struct fault *fault)
{
    if (is_faulted_for(fetched_last))
        sys_fault_duplicate(fault->thread);
    sys_fault_park(fault->thread);
    wait_for_last((struct waiter){.serve_again = serve_fault_again, .fault = *fault});
}

void page_in_wait_read(const struct vm_read *read)
{
    wait_for_last((struct waiter){.serve_again = serve_read_again, .read = *read});
}

/* Takes out who waits longest for the page. false: nobody does. */
static bool take_waiter(uint32_t number, struct waiter *taken)
{
    struct waiter *longest = NULL;

    for (struct waiter *waiter = waiters; waiter < waiters + FL_MAX_THREADS; waiter++)
        if (waiter->serve_again && waiter->number == number &&
            (!longest || waiter->turn < longest->turn))
            longest = waiter;
    if (!longest)
        return false;
    *taken = *longest;
    longest->serve_again = NULL;
    return true;
}

void page_in_own(struct vm_object *file, uint32_t page, uint32_t frame)
{
    vm_object_own(file, page, frame);
}

void page_in_arrived(bool good)
{
    uint32_t number = first_on_way++;
    struct page_in come = *on_way_at(number);
    struct waiter waiter;

    if (good)
        policy()->arrived(come.file, come.page, come.frame);
    else
        vm_object_refuse(come.file, come.page, come.frame);
    ask_for_first();
    while (take_waiter(number, &waiter))
        waiter.serve_again(&waiter, good);
    vm_object_close(come.file);
}
