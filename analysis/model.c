/* The model's frame, and threads: who exists, who runs, who has ended. */
#include "model.h"
#include "model_update.h"
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "trace.h"

struct update {
    model_update *update; /* NULL: changes nothing, the thread must live all the same */
    bool of_kernel;       /* the event may be the kernel's own: thread = kernel */
};

static model_update run_begin, run_end;

static const struct update updates[FL_EVENT_COUNT] = {
    [FL_EVENT_RUN_BEGIN] = {run_begin, true},
    [FL_EVENT_RUN_END] = {run_end, true},
    [FL_EVENT_THREAD_CREATE] = {model_thread_create, true},
    [FL_EVENT_THREAD_EXIT] = {model_thread_exit, false},
    [FL_EVENT_THREAD_HALT] = {model_thread_halt, false},
    [FL_EVENT_ENTRY] = {model_entry, false},
    [FL_EVENT_PREEMPT] = {model_preempt, false},
    [FL_EVENT_SWITCH] = {model_switch, true},
    [FL_EVENT_IPC_SEND] = {model_ipc_send, false},
    [FL_EVENT_IPC_DELIVER] = {model_ipc_deliver, false},
    [FL_EVENT_IPC_WAIT] = {model_ipc_wait, false},
    [FL_EVENT_IPC_REPLY] = {model_ipc_reply, false},
    [FL_EVENT_IPC_ERROR] = {model_ipc_error, false},
    [FL_EVENT_FAULT_RAISE] = {model_fault_raise, false},
    [FL_EVENT_FAULT_DELIVER] = {model_fault_deliver, false},
    [FL_EVENT_FAULT_PARK] = {model_fault_park, false},
    [FL_EVENT_FAULT_DUPLICATE] = {model_fault_duplicate, false},
    [FL_EVENT_FAULT_REPLY] = {model_fault_reply, false},
    [FL_EVENT_FAULT_RESUME] = {model_fault_resume, false},
    [FL_EVENT_FAULT_REPORT] = {model_fault_report, false},
    [FL_EVENT_MAP] = {model_map, true},
    [FL_EVENT_UNMAP] = {model_unmap, true},
    [FL_EVENT_PROTECT] = {model_protect, true},
    [FL_EVENT_FLUSH] = {NULL, true},
    [FL_EVENT_LOCK] = {model_lock, false},
    [FL_EVENT_LOCK_BLOCK] = {model_lock_block, false},
    [FL_EVENT_UNLOCK] = {model_unlock, false},
    [FL_EVENT_JOIN] = {model_join, false},
    [FL_EVENT_JOIN_BLOCK] = {model_join_block, false},
    [FL_EVENT_SUSPEND] = {model_suspend, false},
    [FL_EVENT_SUSPENDED] = {model_suspended, false},
    [FL_EVENT_SUSPEND_END] = {model_suspend_end, false},
    [FL_EVENT_RESUME] = {model_resume, false},
    [FL_EVENT_MARK_RESERVE] = {model_reserve, false},
    [FL_EVENT_MARK_ATTACH] = {model_slot_mark, false},
    [FL_EVENT_MARK_PUBLISH] = {model_slot_mark, false},
    [FL_EVENT_MARK_USE] = {model_slot_mark, false},
    [FL_EVENT_MARK_DETACH] = {model_slot_mark, false},
    [FL_EVENT_MARK_FREE] = {model_slot_mark, false},
    [FL_EVENT_OBJECT_CREATE] = {model_object_create, false},
    [FL_EVENT_OBJECT_DELETE] = {model_object_delete, false},
    [FL_EVENT_OBJECT_BEHIND] = {model_object_behind, false},
    [FL_EVENT_OBJECT_COUNTS] = {model_object_counts, false},
    [FL_EVENT_PAGE_OWN] = {model_page_own, false},
    [FL_EVENT_PAGE_GIVE] = {model_page_give, false},
    [FL_EVENT_PAGE_BACK] = {model_page_back, false},
    [FL_EVENT_AREA_CREATE] = {model_area_create, false},
    [FL_EVENT_AREA_DELETE] = {model_area_delete, false},
    [FL_EVENT_AREA_SHOW] = {model_area_show, false},
    [FL_EVENT_INTERRUPT] = {model_interrupt, false},
    [FL_EVENT_MARK_ERROR] = {model_error, false},
};

static const size_t tables[] = {
    offsetof(struct model, thread_of), offsetof(struct model, fault_of),
    offsetof(struct model, slot_of),   offsetof(struct model, rights_of),
    offsetof(struct model, holder_of), offsetof(struct model, frame_of),
    offsetof(struct model, object_of), offsetof(struct model, page_of),
    offsetof(struct model, owner_of),
};

static struct table *table_at(struct model *model, size_t i)
{
    return (struct table *)(void *)((char *)model + tables[i]);
}

void model_init(struct model *model)
{
    *model = (struct model){
        .threads = g_array_new(FALSE, FALSE, sizeof(struct model_thread)),
        .faults = g_array_new(FALSE, FALSE, sizeof(struct model_fault)),
        .in_flight = g_array_new(FALSE, FALSE, sizeof(uint32_t)),
        .slots = g_array_new(FALSE, FALSE, sizeof(struct model_slot)),
        .holds = g_array_new(FALSE, FALSE, sizeof(struct model_hold)),
        .objects = g_array_new(FALSE, FALSE, sizeof(struct model_object)),
        .areas = g_array_new(FALSE, FALSE, sizeof(struct model_area)),
    };
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        table_init(table_at(model, i));
}

void model_free(struct model *model)
{
    g_array_free(model->threads, TRUE);
    g_array_free(model->faults, TRUE);
    g_array_free(model->in_flight, TRUE);
    g_array_free(model->slots, TRUE);
    g_array_free(model->holds, TRUE);
    g_array_free(model->objects, TRUE);
    g_array_free(model->areas, TRUE);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        table_free(table_at(model, i));
}

static uint32_t add_thread(struct model *model, uint32_t path, uint32_t tid, uint16_t space)
{
    uint32_t index = model->threads->len;
    struct model_thread thread = {.path = path,
                                  .tid = tid,
                                  .space = space,
                                  .fault = MODEL_NONE,
                                  .reserved = MODEL_NONE,
                                  .state = THREAD_ALIVE};

    g_array_append_val(model->threads, thread);
    *table_put(&model->thread_of, path) = index;
    model->by_tid[tid] = index;
    return index;
}

void model_begin(struct model *model, const struct fl_scenario *scenario, unsigned variant)
{
    model->scenario = scenario;
    model->variant = NULL;
    if (scenario && variant < MIN(scenario->n_variants, FL_MAX_VARIANTS))
        model->variant = &scenario->variants[variant];
    g_array_set_size(model->threads, 0);
    g_array_set_size(model->faults, 0);
    g_array_set_size(model->in_flight, 0);
    g_array_set_size(model->slots, 0);
    g_array_set_size(model->holds, 0);
    g_array_set_size(model->objects, 0);
    g_array_set_size(model->areas, 0);
    for (size_t i = 0; i < G_N_ELEMENTS(tables); i++)
        table_clear(table_at(model, i));
    model->vm_changes = 0;
    memset(model->by_tid, 0xff, sizeof(model->by_tid));
    model->running = FL_PATH_KERNEL;
    model->taken = 0;
    model->time = 0;
    model->event = UINT64_MAX;
    model->begun = model->ended = false;
    model->outcome = FL_OUTCOME_NONE;
    /* The pager is there before anything happens, as thread number 0. */
    add_thread(model, FL_PATH_CORE, 0, FL_SPACE_CORE);
}

void model_complain(struct model *model, const char *format, ...)
{
    va_list arguments;

    if (model->now.complained)
        return;
    model->now.complained = true;
    va_start(arguments, format);
    vsnprintf(model->complaint, sizeof(model->complaint), format, arguments);
    va_end(arguments);
}

/* Whether the event's thread lives, or is the kernel where that makes sense. */
static bool find_thread(struct model *model, const struct fl_event *event)
{
    char who[TRACE_NAME_MAX];
    uint32_t *index;

    if (event->thread == FL_PATH_KERNEL && updates[fl_event_id(event)].of_kernel)
        return true;
    index = table_find(&model->thread_of, event->thread);
    if (!index) {
        model_complain(model, "%s of %s (0x%08x), which was never created",
                       trace_event_info(fl_event_id(event))->name,
                       trace_thread_name(model->scenario, event->thread, who), event->thread);
        return false;
    }
    const bool last_words = fl_event_id(event) == FL_EVENT_PREEMPT && event->aux == FL_K_GIVES_UP;
    if (model_thread(model, *index)->state != THREAD_ALIVE && !last_words) {
        model_complain(model, "%s of %s, which has ended",
                       trace_event_info(fl_event_id(event))->name,
                       trace_thread_name(model->scenario, event->thread, who));
        return false;
    }
    model->now.thread = *index;
    return true;
}

static void check_frame(struct model *model, const struct fl_event *event)
{
    uint64_t time = fl_event_time(event);

    if (time < model->time)
        model_complain(model, "time goes back from %" PRIu64 " to %" PRIu64 " ns", model->time,
                       time);
    model->time = time;
    if (model->ended)
        model_complain(model, "an event after run_end");
    if (!model->begun && fl_event_id(event) != FL_EVENT_RUN_BEGIN)
        model_complain(model, "the run does not start with run_begin");
    model->begun = true;
}

void model_event(struct model *model, const struct fl_event *event)
{
    uint16_t id = fl_event_id(event);

    model->event++;
    model->now.thread = model->now.fault = model->now.slot = model->now.hold = MODEL_NONE;
    model->now.object = model->now.area = MODEL_NONE;
    model->now.complained = false;
    if (id >= FL_EVENT_COUNT) {
        model_complain(model, "unknown event %u", id);
        return;
    }
    check_frame(model, event);
    if (find_thread(model, event) && updates[id].update)
        updates[id].update(model, event);
}

static void run_begin(struct model *model, const struct fl_event *event)
{
    (void)event;
    if (model->event != 0)
        model_complain(model, "a second run_begin");
}

static void run_end(struct model *model, const struct fl_event *event)
{
    model->ended = true;
    if (event->arg != FL_OUTCOME_NONE && trace_value_name(TRACE_OUTCOME, event->arg))
        model->outcome = event->arg;
    else
        model_complain(model, "run_end with outcome %u, which no run has", event->arg);
}

struct model_thread *model_find(const struct model *model, uint32_t path)
{
    const uint32_t *index = table_find(&model->thread_of, path);

    return index ? model_thread(model, *index) : NULL;
}

static unsigned path_levels(uint32_t path)
{
    unsigned levels = 0;

    while (levels < FL_MAX_PATH_LEVELS && path << 8 * levels >> 24)
        levels++;
    return levels;
}

uint32_t model_child_path(uint32_t parent, uint32_t n)
{
    unsigned levels = path_levels(parent);

    return levels < FL_MAX_PATH_LEVELS ? parent | (n & 0xff) << (24 - 8 * levels) : parent;
}

uint32_t model_parent_path(uint32_t path)
{
    unsigned levels = path_levels(path);

    return levels < 2 ? FL_PATH_KERNEL : path & ~(0xffu << (32 - 8 * levels));
}

/* What is wrong with the new thread, in words; NULL: nothing. */
static const char *wrong_child(const struct model *model, const struct fl_event *event)
{
    uint32_t child = (uint32_t)event->addr;
    uint32_t parent = model_parent_path(child);

    if (child == FL_PATH_KERNEL || model_find(model, child))
        return "which was created before";
    if (event->arg >= FL_MAX_THREADS)
        return "with a thread number that no ready set has room for";
    if (model->by_tid[event->arg] != MODEL_NONE)
        return "with the thread number of another that lives";
    if (parent != FL_PATH_KERNEL && parent != event->thread)
        return "as the child of another thread than its parent";
    return NULL;
}

void model_thread_create(struct model *model, const struct fl_event *event)
{
    uint32_t child = (uint32_t)event->addr;
    uint32_t parent = model_parent_path(child);
    char who[TRACE_NAME_MAX];

    if (child == FL_PATH_CORE && event->arg == 0 && model_find(model, child)->entries == 0)
        return;
    const char *wrong = wrong_child(model, event);
    if (wrong) {
        model_complain(model, "%s is created as thread number %u, %s",
                       trace_thread_name(model->scenario, child, who), event->arg, wrong);
        return;
    }
    add_thread(model, child, event->arg, (uint16_t)event->aux);
    if (parent != FL_PATH_KERNEL)
        model_find(model, parent)->children++;
}

static void end_thread(struct model *model, enum thread_state state)
{
    struct model_thread *thread = model_thread(model, model->now.thread);

    thread->state = (uint8_t)state;
    thread->waits = WAIT_NOTHING;
    model->by_tid[thread->tid] = MODEL_NONE;
}

void model_thread_exit(struct model *model, const struct fl_event *event)
{
    (void)event;
    end_thread(model, THREAD_EXITED);
}

void model_thread_halt(struct model *model, const struct fl_event *event)
{
    struct model_thread *thread = model_thread(model, model->now.thread);

    thread->halt_reason = event->arg;
    model_fault_halted(model, thread);
    end_thread(model, THREAD_HALTED);
}

/* Only the thread that was dispatched last can enter the kernel, or be preempted. */
static void must_run(struct model *model, const struct fl_event *event)
{
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (model->running != event->thread)
        model_complain(model, "%s of %s while %s runs", trace_event_info(fl_event_id(event))->name,
                       trace_thread_name(model->scenario, event->thread, who),
                       trace_thread_name(model->scenario, model->running, other));
}

static void check_ready_set(struct model *model, const struct model_thread *thread, uint64_t set)
{
    char who[TRACE_NAME_MAX];

    for (; set; set &= set - 1) {
        uint32_t tid = (uint32_t)__builtin_ctzll(set);
        if (model->by_tid[tid] == MODEL_NONE || tid == thread->tid)
            model_complain(model, "thread number %u is in the ready set at entry %u of %s: %s", tid,
                           thread->entries, trace_thread_name(model->scenario, thread->path, who),
                           tid == thread->tid ? "itself" : "no such thread lives");
    }
}

void model_entry(struct model *model, const struct fl_event *event)
{
    struct model_thread *thread = model_thread(model, model->now.thread);
    char who[TRACE_NAME_MAX];

    must_run(model, event);
    if (event->aux != thread->entries + 1)
        model_complain(model, "entry %u of %s follows entry %u", event->aux,
                       trace_thread_name(model->scenario, thread->path, who), thread->entries);
    if (event->point == FL_POINT_NONE || !trace_point_name(event->point))
        model_complain(model, "entry at point %u, which does not exist", event->point);
    thread->entries = event->aux;
    thread->k = 0;
    thread->point = event->point;
    check_ready_set(model, thread, event->addr);
}

void model_interrupt(struct model *model, const struct fl_event *event)
{
    struct model_thread *thread = model_thread(model, model->now.thread);
    char who[TRACE_NAME_MAX];

    must_run(model, event);
    if (event->aux <= thread->k)
        model_complain(
            model, "%s stands before instruction %u after it stood before instruction %u",
            trace_thread_name(model->scenario, thread->path, who), event->aux, thread->k);
    thread->k = event->aux;
    check_ready_set(model, thread, event->addr);
}

void model_preempt(struct model *model, const struct fl_event *event)
{
    struct model_thread *thread = model_thread(model, model->now.thread);
    struct model_thread *target = model_find(model, (uint32_t)event->addr);
    char who[TRACE_NAME_MAX];

    must_run(model, event);
    if (event->arg != thread->entries || (event->aux != thread->k && event->aux != FL_K_GIVES_UP))
        model_complain(model, "preemption of %s at (%u, %u), but it stands at (%u, %u)",
                       trace_thread_name(model->scenario, thread->path, who), event->arg,
                       event->aux, thread->entries, thread->k);
    if (!target || target->state != THREAD_ALIVE)
        model_complain(model, "preemption in favour of %s, which does not live",
                       trace_thread_name(model->scenario, (uint32_t)event->addr, who));
}

void model_switch(struct model *model, const struct fl_event *event)
{
    char who[TRACE_NAME_MAX], other[TRACE_NAME_MAX];

    if (event->addr != model->running)
        model_complain(model, "switch from %s while %s runs",
                       trace_thread_name(model->scenario, (uint32_t)event->addr, who),
                       trace_thread_name(model->scenario, model->running, other));
    if (event->thread == model->running)
        model_complain(model, "switch of %s to itself",
                       trace_thread_name(model->scenario, event->thread, who));
    model->running = event->thread;
}
