/* Which objects each kind of event is about, and how it touches them. An event that is not listed
 * is about its thread alone. */
#include "depend_parts.h"

static void add_everybody(struct depend *depend, enum object_kind kind, bool writes)
{
    for (guint i = 0; i < depend->threads->len; i++)
        depend_add(depend, kind, g_array_index(depend->threads, uint32_t, i), writes);
}

typedef void teller(struct depend *depend, const struct fl_event *event);

static void on_switch(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, event->thread, true);
}

static void on_create(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, (uint32_t)event->addr, true);
    depend_add(depend, OBJECT_LIFE, (uint32_t)event->addr, true);
    depend_add(depend, OBJECT_THREAD, event->thread, true);
}

/* Who waits for it is woken, or fails. */
static void on_gone(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, event->thread, true);
    depend_add(depend, OBJECT_LIFE, event->thread, true);
    depend_add(depend, OBJECT_RECEIVER, event->thread, true);
}

/* It is taken out of whatever queue it was in. */
static void on_halt(struct depend *depend, const struct fl_event *event)
{
    on_gone(depend, event);
    add_everybody(depend, OBJECT_RECEIVER, true);
}

static void on_join(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, event->thread, true);
    if (event->addr != FL_PATH_KERNEL)
        depend_add(depend, OBJECT_LIFE, (uint32_t)event->addr, false);
    else
        add_everybody(depend, OBJECT_LIFE, false);
}

static void on_offer(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_RECEIVER, (uint32_t)event->addr, true);
    depend_add(depend, OBJECT_LIFE, (uint32_t)event->addr, false);
}

static void on_receive(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, event->thread, true);
    depend_add(depend, OBJECT_RECEIVER, event->thread, true);
}

static void on_wait(struct depend *depend, const struct fl_event *event)
{
    on_receive(depend, event);
    if (event->addr != FL_PATH_KERNEL)
        depend_add(depend, OBJECT_LIFE, (uint32_t)event->addr, false);
}

/* The sender waits no longer to be heard, and may go on. */
static void on_deliver(struct depend *depend, const struct fl_event *event)
{
    on_receive(depend, event);
    depend_add(depend, OBJECT_THREAD, (uint32_t)event->addr, true);
}

static void on_answer(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, (uint32_t)event->addr, true);
}

/* The partner has gone, or never was. */
static void on_error(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, event->thread, true);
    if (event->addr != FL_PATH_KERNEL)
        depend_add(depend, OBJECT_LIFE, (uint32_t)event->addr, false);
    else
        add_everybody(depend, OBJECT_LIFE, false);
}

/* To whom it goes is told when it is taken. */
static void on_fault(struct depend *depend, const struct fl_event *event)
{
    const uint32_t taker = event->aux < depend->takers->len
                               ? g_array_index(depend->takers, uint32_t, event->aux)
                               : FL_PATH_KERNEL;
    depend_add(depend, OBJECT_PAGE, depend_in_space(event, event->addr >> FL_PAGE_SHIFT), false);
    if (taker != FL_PATH_KERNEL)
        depend_add(depend, OBJECT_RECEIVER, taker, true);
    else
        add_everybody(depend, OBJECT_RECEIVER, true);
}

static void on_mapping(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_PAGE, depend_in_space(event, event->addr >> FL_PAGE_SHIFT), true);
    depend_add(depend, OBJECT_FRAME, event->aux, true);
}

static void on_lock(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_LOCK, depend_in_space(event, event->addr), true);
    depend_add(depend, OBJECT_THREAD, event->thread, true);
}

static void on_unlock(struct depend *depend, const struct fl_event *event)
{
    on_lock(depend, event);
    if (event->arg != FL_PATH_KERNEL)
        depend_add(depend, OBJECT_THREAD, event->arg, true);
}

static void on_slot(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_SLOT, depend_in_space(event, event->addr), true);
}

static void on_begin(struct depend *depend, const struct fl_event *event)
{
    (void)event;
    depend_add(depend, OBJECT_OPERATIONS, 0, false);
}

static void on_finish(struct depend *depend, const struct fl_event *event)
{
    (void)event;
    depend_add(depend, OBJECT_OPERATIONS, 0, true);
}

/* Wherever the other is: each of its transitions looks whether it is to stand. */
static void on_suspend(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, event->thread, true);
    depend_add(depend, OBJECT_LIFE, (uint32_t)event->addr, true);
    add_everybody(depend, OBJECT_RECEIVER, true);
}

/* Taken out of whatever queue it was in. */
static void on_suspended(struct depend *depend, const struct fl_event *event)
{
    depend_add(depend, OBJECT_THREAD, event->thread, true);
    add_everybody(depend, OBJECT_RECEIVER, true);
}

static teller *const tellers[FL_EVENT_COUNT] = {
    [FL_EVENT_SWITCH] = on_switch,       [FL_EVENT_THREAD_CREATE] = on_create,
    [FL_EVENT_THREAD_EXIT] = on_gone,    [FL_EVENT_THREAD_HALT] = on_halt,
    [FL_EVENT_JOIN] = on_join,           [FL_EVENT_JOIN_BLOCK] = on_join,
    [FL_EVENT_IPC_SEND] = on_offer,      [FL_EVENT_IPC_WAIT] = on_wait,
    [FL_EVENT_IPC_DELIVER] = on_deliver, [FL_EVENT_FAULT_DELIVER] = on_deliver,
    [FL_EVENT_IPC_REPLY] = on_answer,    [FL_EVENT_FAULT_REPLY] = on_answer,
    [FL_EVENT_FAULT_REPORT] = on_answer, [FL_EVENT_IPC_ERROR] = on_error,
    [FL_EVENT_FAULT_RAISE] = on_fault,   [FL_EVENT_MAP] = on_mapping,
    [FL_EVENT_UNMAP] = on_mapping,       [FL_EVENT_PROTECT] = on_mapping,
    [FL_EVENT_LOCK] = on_lock,           [FL_EVENT_LOCK_BLOCK] = on_lock,
    [FL_EVENT_UNLOCK] = on_unlock,       [FL_EVENT_LOCK_ERROR] = on_lock,
    [FL_EVENT_MARK_RESERVE] = on_slot,   [FL_EVENT_MARK_ATTACH] = on_slot,
    [FL_EVENT_MARK_PUBLISH] = on_slot,   [FL_EVENT_MARK_USE] = on_slot,
    [FL_EVENT_MARK_DETACH] = on_slot,    [FL_EVENT_MARK_FREE] = on_slot,
    [FL_EVENT_MARK_BEGIN] = on_begin,    [FL_EVENT_MARK_END] = on_finish,
    [FL_EVENT_MARK_DEED] = on_finish,    [FL_EVENT_MARK_ERROR] = on_finish,
    [FL_EVENT_SUSPEND] = on_suspend,     [FL_EVENT_SUSPENDED] = on_suspended,
    [FL_EVENT_SUSPEND_END] = on_join,    [FL_EVENT_RESUME] = on_answer,
};

void depend_tell(struct depend *depend, const struct fl_event *event)
{
    const uint16_t id = fl_event_id(event);
    if (id < FL_EVENT_COUNT && tellers[id] != NULL)
        tellers[id](depend, event);
}
