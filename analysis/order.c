#include "order.h"

#include <glib.h>

struct thread {
    uint32_t path;
    GArray *clock;   /* uint32_t by thread number; missing ones are 0 */
    GArray *sent;    /* clock of the message or the fault that it waits with */
    GArray *stopped; /* clock of its end */
};

struct order {
    GPtrArray *threads;  /* of struct thread */
    GHashTable *numbers; /* path -> number, from 1 */
    GHashTable *locks;   /* (space, address) -> clock of who gave it up last */
    uint32_t running;    /* path */
};

/* ---- clocks ---- */

static GArray *clock_new(void)
{
    return g_array_new(FALSE, TRUE, sizeof(uint32_t));
}

static uint32_t clock_get(const GArray *clock, uint32_t thread)
{
    return thread < clock->len ? g_array_index(clock, uint32_t, thread) : 0;
}

static void clock_set(GArray *clock, uint32_t thread, uint32_t value)
{
    if (thread >= clock->len)
        g_array_set_size(clock, thread + 1);
    g_array_index(clock, uint32_t, thread) = value;
}

static void clock_join(GArray *into, const GArray *from)
{
    for (uint32_t i = 0; i < from->len; i++)
        if (clock_get(from, i) > clock_get(into, i))
            clock_set(into, i, clock_get(from, i));
}

static void free_clock(gpointer clock)
{
    g_array_free(clock, TRUE);
}

/* ---- threads and locks ---- */

static void free_thread(gpointer thread)
{
    struct thread *gone = thread;
    free_clock(gone->clock);
    free_clock(gone->sent);
    free_clock(gone->stopped);
    g_free(gone);
}

struct order *order_new(void)
{
    struct order *order = g_new0(struct order, 1);
    order->threads = g_ptr_array_new_with_free_func(free_thread);
    order->numbers = g_hash_table_new(NULL, NULL);
    order->locks = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, free_clock);
    return order;
}

void order_free(struct order *order)
{
    if (order == NULL)
        return;
    g_ptr_array_free(order->threads, TRUE);
    g_hash_table_destroy(order->numbers);
    g_hash_table_destroy(order->locks);
    g_free(order);
}

void order_begin(struct order *order)
{
    g_ptr_array_set_size(order->threads, 0);
    g_hash_table_remove_all(order->numbers);
    g_hash_table_remove_all(order->locks);
    order->running = FL_PATH_KERNEL;
}

uint32_t order_thread(struct order *order, uint32_t path)
{
    gpointer key = GUINT_TO_POINTER(path);
    const guint known = GPOINTER_TO_UINT(g_hash_table_lookup(order->numbers, key));
    if (known > 0)
        return known - 1;
    struct thread *thread = g_new0(struct thread, 1);
    const uint32_t number = order->threads->len;
    *thread = (struct thread){
        .path = path, .clock = clock_new(), .sent = clock_new(), .stopped = clock_new()};
    clock_set(thread->clock, number, 1);
    g_ptr_array_add(order->threads, thread);
    g_hash_table_insert(order->numbers, key, GUINT_TO_POINTER(number + 1));
    return number;
}

static struct thread *thread_of(struct order *order, uint32_t path)
{
    const uint32_t number = order_thread(order, path); /* may move the array */
    return g_ptr_array_index(order->threads, number);
}

static const struct thread *thread_at(const struct order *order, uint32_t number)
{
    return g_ptr_array_index(order->threads, number);
}

uint32_t order_path(const struct order *order, uint32_t thread)
{
    return thread_at(order, thread)->path;
}

uint32_t order_clock(const struct order *order, uint32_t thread)
{
    return clock_get(thread_at(order, thread)->clock, thread);
}

bool order_before(const struct order *order, uint32_t thread, uint32_t clock, uint32_t later)
{
    return clock <= clock_get(thread_at(order, later)->clock, thread);
}

static GArray *lock_of(struct order *order, const struct fl_event *event)
{
    const gint64 key = (gint64)event->space << 48 | (gint64)event->addr;
    GArray *clock = g_hash_table_lookup(order->locks, &key);
    if (clock == NULL) {
        clock = clock_new();
        g_hash_table_insert(order->locks, g_memdup2(&key, sizeof(key)), clock);
    }
    return clock;
}

/* What the thread does from now on is not part of what it gave away. */
static void step(struct order *order, uint32_t path)
{
    const uint32_t number = order_thread(order, path);
    GArray *clock = thread_of(order, path)->clock;
    clock_set(clock, number, clock_get(clock, number) + 1);
}

/* All that `from` knows passes to `to`. */
static void pass(struct order *order, uint32_t from, uint32_t to)
{
    clock_join(thread_of(order, to)->clock, thread_of(order, from)->clock);
    step(order, from);
}

/* ---- events ---- */

typedef void teacher(struct order *order, const struct fl_event *event);

/* The pager makes it on the parent's behalf. */
static void on_create(struct order *order, const struct fl_event *event)
{
    const uint32_t child = (uint32_t)event->addr;
    if (event->thread != FL_PATH_KERNEL)
        pass(order, event->thread, child);
    if (order->running != FL_PATH_KERNEL && order->running != event->thread)
        pass(order, order->running, child);
}

static void on_switch(struct order *order, const struct fl_event *event)
{
    order->running = event->thread;
}

static void on_end(struct order *order, const struct fl_event *event)
{
    clock_join(thread_of(order, event->thread)->stopped, thread_of(order, event->thread)->clock);
}

/* It stops, for whoever suspends it, and may go on later. */
static void on_stand(struct order *order, const struct fl_event *event)
{
    on_end(order, event);
    step(order, event->thread);
}

static void on_join(struct order *order, const struct fl_event *event)
{
    clock_join(thread_of(order, event->thread)->clock,
               thread_of(order, (uint32_t)event->addr)->stopped);
}

static void on_offer(struct order *order, const struct fl_event *event)
{
    clock_join(thread_of(order, event->thread)->sent, thread_of(order, event->thread)->clock);
    step(order, event->thread);
}

static void on_take(struct order *order, const struct fl_event *event)
{
    clock_join(thread_of(order, event->thread)->clock,
               thread_of(order, (uint32_t)event->addr)->sent);
}

static void on_answer(struct order *order, const struct fl_event *event)
{
    pass(order, event->thread, (uint32_t)event->addr);
}

static void on_lock(struct order *order, const struct fl_event *event)
{
    clock_join(thread_of(order, event->thread)->clock, lock_of(order, event));
}

static void on_unlock(struct order *order, const struct fl_event *event)
{
    GArray *lock = lock_of(order, event);
    clock_join(lock, thread_of(order, event->thread)->clock);
    step(order, event->thread);
    if (event->arg != FL_PATH_KERNEL)
        clock_join(thread_of(order, event->arg)->clock, lock);
}

static teacher *const teachers[FL_EVENT_COUNT] = {
    [FL_EVENT_THREAD_CREATE] = on_create,
    [FL_EVENT_THREAD_EXIT] = on_end,
    [FL_EVENT_THREAD_HALT] = on_end,
    [FL_EVENT_SWITCH] = on_switch,
    [FL_EVENT_IPC_SEND] = on_offer,
    [FL_EVENT_IPC_DELIVER] = on_take,
    [FL_EVENT_IPC_REPLY] = on_answer,
    [FL_EVENT_FAULT_RAISE] = on_offer,
    [FL_EVENT_FAULT_DELIVER] = on_take,
    [FL_EVENT_FAULT_REPLY] = on_answer,
    [FL_EVENT_LOCK] = on_lock,
    [FL_EVENT_UNLOCK] = on_unlock,
    [FL_EVENT_JOIN] = on_join,
    [FL_EVENT_SUSPENDED] = on_stand,
    [FL_EVENT_SUSPEND_END] = on_join,
    [FL_EVENT_RESUME] = on_answer,
};

void order_event(struct order *order, const struct fl_event *event)
{
    const uint16_t id = fl_event_id(event);
    if (id < FL_EVENT_COUNT && teachers[id] != NULL)
        teachers[id](order, event);
}
