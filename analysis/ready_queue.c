/* What each event of guest/kernel says of who joins the queue's tail or leaves it. */
#include "ready_queue.h"

#include <glib.h>

struct known {
    uint32_t path;
    uint32_t tid;
    bool calls; /* its last message, or fault, waits for an answer */
};

struct ready_queue {
    GArray *threads; /* struct known: in the order in which they were made */
    GArray *queue;   /* uint32_t: paths */
    uint32_t running;
    bool waits; /* the running thread has been put to wait for messages */
    bool named; /* a plan said who comes next */
    bool sure;
};

struct ready_queue *ready_queue_new(void)
{
    struct ready_queue *queue = g_new0(struct ready_queue, 1);
    queue->threads = g_array_new(FALSE, FALSE, sizeof(struct known));
    queue->queue = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    ready_queue_begin(queue);
    return queue;
}

void ready_queue_free(struct ready_queue *queue)
{
    if (queue == NULL)
        return;
    g_array_free(queue->threads, TRUE);
    g_array_free(queue->queue, TRUE);
    g_free(queue);
}

void ready_queue_begin(struct ready_queue *queue)
{
    g_array_set_size(queue->threads, 0);
    g_array_set_size(queue->queue, 0);
    queue->running = FL_PATH_KERNEL;
    queue->waits = queue->named = false;
    queue->sure = true;
}

static struct known *find(const struct ready_queue *queue, uint32_t path)
{
    for (guint i = queue->threads->len; i-- > 0;) {
        struct known *known = &g_array_index(queue->threads, struct known, i);
        if (known->path == path)
            return known;
    }
    return NULL;
}

static void join(struct ready_queue *queue, uint32_t path)
{
    g_array_append_val(queue->queue, path);
}

static void leave(struct ready_queue *queue, uint32_t path)
{
    for (guint i = 0; i < queue->queue->len; i++)
        if (g_array_index(queue->queue, uint32_t, i) == path) {
            g_array_remove_index(queue->queue, i);
            return;
        }
}

static void hold_to(struct ready_queue *queue, bool holds)
{
    queue->sure = queue->sure && holds;
}

/* ---- events ---- */

typedef void rule(struct ready_queue *queue, const struct fl_event *event);

static void on_create(struct ready_queue *queue, const struct fl_event *event)
{
    const struct known known = {.path = (uint32_t)event->addr, .tid = event->arg};
    g_array_append_val(queue->threads, known);
    join(queue, (uint32_t)event->addr);
}

static void on_entry(struct ready_queue *queue, const struct fl_event *event)
{
    uint64_t set = 0;
    for (guint i = 0; i < queue->queue->len; i++) {
        const struct known *known = find(queue, g_array_index(queue->queue, uint32_t, i));
        set |= known != NULL && known->tid < FL_MAX_THREADS ? UINT64_C(1) << known->tid : 0;
    }
    hold_to(queue, set == event->addr && event->thread == queue->running);
    queue->waits = false;
}

static void on_preempt(struct ready_queue *queue, const struct fl_event *event)
{
    queue->named = event->aux == FL_K_GIVES_UP;
}

/* Whether the one that gives way is ready: a server that answers is unless it waits again. */
static bool goes_to_the_tail(const struct ready_queue *queue, const struct fl_event *event)
{
    switch (event->arg) {
    case FL_SWITCH_PREEMPT:
    case FL_SWITCH_YIELD:
        return true;
    case FL_SWITCH_REPLY:
        return !queue->waits;
    default:
        return false;
    }
}

static bool takes_the_head(const struct fl_event *event)
{
    return event->arg == FL_SWITCH_BLOCK || event->arg == FL_SWITCH_EXIT ||
           event->arg == FL_SWITCH_YIELD;
}

static void on_switch(struct ready_queue *queue, const struct fl_event *event)
{
    if (takes_the_head(event) && !queue->named)
        hold_to(queue,
                queue->queue->len > 0 && g_array_index(queue->queue, uint32_t, 0) == event->thread);
    leave(queue, event->thread);
    if (goes_to_the_tail(queue, event))
        join(queue, (uint32_t)event->addr);
    queue->running = event->thread;
    queue->waits = queue->named = false;
}

static void on_send(struct ready_queue *queue, const struct fl_event *event)
{
    struct known *sender = find(queue, event->thread);
    if (sender != NULL)
        sender->calls = event->aux != 0;
}

static void on_fault(struct ready_queue *queue, const struct fl_event *event)
{
    struct known *faulter = find(queue, event->thread);
    if (faulter != NULL)
        faulter->calls = true;
}

/* Of a sender and a receiver one was waiting for the other. Who calls goes on waiting, and whom a
 * caller was heard by is handed the processor. */
static void on_deliver(struct ready_queue *queue, const struct fl_event *event)
{
    const struct known *sender = find(queue, (uint32_t)event->addr);
    if (sender != NULL && !sender->calls)
        join(queue, event->thread == queue->running ? sender->path : event->thread);
}

static void on_wait(struct ready_queue *queue, const struct fl_event *event)
{
    queue->waits |= event->thread == queue->running;
}

/* Something that a thread waited for has come to an end, if it did not find it so itself. */
static void on_woken(struct ready_queue *queue, const struct fl_event *event)
{
    if (event->thread != queue->running)
        join(queue, event->thread);
}

static void on_unlock(struct ready_queue *queue, const struct fl_event *event)
{
    if (event->arg != FL_PATH_KERNEL)
        join(queue, event->arg);
}

static void on_resume(struct ready_queue *queue, const struct fl_event *event)
{
    join(queue, (uint32_t)event->addr);
}

static void on_gone(struct ready_queue *queue, const struct fl_event *event)
{
    leave(queue, event->thread);
}

static rule *const rules[FL_EVENT_COUNT] = {
    [FL_EVENT_THREAD_CREATE] = on_create, [FL_EVENT_ENTRY] = on_entry,
    [FL_EVENT_PREEMPT] = on_preempt,      [FL_EVENT_SWITCH] = on_switch,
    [FL_EVENT_IPC_SEND] = on_send,        [FL_EVENT_FAULT_RAISE] = on_fault,
    [FL_EVENT_IPC_DELIVER] = on_deliver,  [FL_EVENT_IPC_WAIT] = on_wait,
    [FL_EVENT_IPC_ERROR] = on_woken,      [FL_EVENT_JOIN] = on_woken,
    [FL_EVENT_SUSPEND_END] = on_woken,    [FL_EVENT_UNLOCK] = on_unlock,
    [FL_EVENT_RESUME] = on_resume,        [FL_EVENT_THREAD_EXIT] = on_gone,
    [FL_EVENT_THREAD_HALT] = on_gone,     [FL_EVENT_SUSPENDED] = on_gone,
};

void ready_queue_event(struct ready_queue *queue, const struct fl_event *event)
{
    const uint16_t id = fl_event_id(event);
    if (id < FL_EVENT_COUNT && rules[id] != NULL)
        rules[id](queue, event);
}

/* ---- what is told ---- */

bool ready_queue_is_sure(const struct ready_queue *queue)
{
    return queue->sure;
}

const uint32_t *ready_queue_threads(const struct ready_queue *queue, size_t *n)
{
    *n = queue->queue->len;
    return (const uint32_t *)(void *)queue->queue->data;
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 29;
}

uint64_t ready_queue_hash(const struct ready_queue *queue)
{
    uint64_t hash = mixed(0, queue->queue->len);
    for (guint i = 0; i < queue->queue->len; i++)
        hash = mixed(hash, g_array_index(queue->queue, uint32_t, i));
    for (guint i = 0; i < queue->threads->len; i++) {
        const struct known *known = &g_array_index(queue->threads, struct known, i);
        hash = mixed(hash, (uint64_t)known->path << 32 | known->tid);
    }
    return hash;
}
