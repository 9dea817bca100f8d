/* Page faults in flight, and which pages are mapped. */
#include "model_update.h"
#include "trace.h"

uint32_t model_rights(const struct model *model, uint16_t space, uint64_t address)
{
    const uint32_t *rights =
        table_find(&model->rights_of, model_key(space, address >> FL_PAGE_SHIFT));

    return rights ? *rights : FL_RIGHTS_NONE;
}

uint32_t model_frame(const struct model *model, uint16_t space, uint64_t address)
{
    const uint32_t *frame =
        table_find(&model->frame_of, model_key(space, address >> FL_PAGE_SHIFT));

    return frame ? *frame : 0;
}

static void set_rights(struct model *model, const struct fl_event *event, uint32_t rights)
{
    uint64_t key = model_key(event->space, event->addr >> FL_PAGE_SHIFT);
    uint32_t *now = table_put(&model->rights_of, key);
    uint32_t *frame = table_put(&model->frame_of, key);

    model->now.rights_was = *now;
    model->now.frame_was = *frame;
    model->vm_changes++;
    *now = rights;
    *frame = event->aux;
}

void model_map(struct model *model, const struct fl_event *event)
{
    if (!trace_value_name(TRACE_RIGHTS, event->arg))
        model_complain(model, "map with rights %u, which do not exist", event->arg);
    set_rights(model, event, event->arg);
}

void model_unmap(struct model *model, const struct fl_event *event)
{
    set_rights(model, event, FL_RIGHTS_NONE);
}

void model_protect(struct model *model, const struct fl_event *event)
{
    model_map(model, event);
}

void model_fault_raise(struct model *model, const struct fl_event *event)
{
    struct model_thread *thread = model_thread(model, model->now.thread);
    uint32_t index = model->faults->len;
    char who[TRACE_NAME_MAX];

    if (table_find(&model->fault_of, event->aux)) {
        model_complain(model, "fault %u is raised a second time", event->aux);
        return;
    }
    if (thread->fault != MODEL_NONE) {
        model_complain(model, "%s raises fault %u while it waits for fault %u",
                       trace_thread_name(model->scenario, thread->path, who), event->aux,
                       model_fault(model, thread->fault)->number);
        return;
    }
    if (!trace_value_name(TRACE_ACCESS, event->arg))
        model_complain(model, "fault %u by access %u, which does not exist", event->aux,
                       event->arg);
    struct model_fault fault = {.number = event->aux,
                                .thread = model->now.thread,
                                .address = event->addr,
                                .space = thread->space,
                                .access = (uint8_t)event->arg};
    g_array_append_val(model->faults, fault);
    g_array_append_val(model->in_flight, index);
    *table_put(&model->fault_of, event->aux) = index;
    thread->fault = model->now.fault = index;
    thread->waits = WAIT_FAULT;
    thread->waits_for = FL_PATH_KERNEL;
    thread->waits_at = event->addr;
}

/* The fault that the event names; complains when it is none, or another thread's. */
static struct model_fault *named_fault(struct model *model, const struct fl_event *event,
                                       uint32_t faulter)
{
    const char *name = trace_event_info(fl_event_id(event))->name;
    const uint32_t *index = table_find(&model->fault_of, event->aux);
    char who[TRACE_NAME_MAX];

    if (!index) {
        model_complain(model, "%s of fault %u, which was never raised", name, event->aux);
        return NULL;
    }
    struct model_fault *fault = model_fault(model, *index);
    if (model_thread(model, fault->thread)->path != faulter) {
        model_complain(model, "%s of fault %u, which is not a fault of %s", name, event->aux,
                       trace_thread_name(model->scenario, faulter, who));
        return NULL;
    }
    model->now.fault = *index;
    return fault;
}

static void end_fault(struct model *model, uint32_t index)
{
    struct model_thread *thread = model_thread(model, model_fault(model, index)->thread);

    if (thread->fault == index)
        thread->fault = MODEL_NONE;
    for (unsigned i = 0; i < model->in_flight->len; i++)
        if (g_array_index(model->in_flight, uint32_t, i) == index) {
            g_array_remove_index_fast(model->in_flight, i);
            return;
        }
}

void model_fault_deliver(struct model *model, const struct fl_event *event)
{
    struct model_fault *fault = named_fault(model, event, (uint32_t)event->addr);

    if (!fault)
        return;
    model_thread(model, model->now.thread)->waits = WAIT_NOTHING;
    fault->delivers++;
    fault->pager = event->thread;
    fault->taken = ++model->taken;
    if (model_thread(model, fault->thread)->waits == WAIT_FAULT)
        model_thread(model, fault->thread)->waits_for = event->thread;
}

void model_fault_park(struct model *model, const struct fl_event *event)
{
    struct model_fault *fault = named_fault(model, event, (uint32_t)event->addr);

    if (fault)
        fault->parked = true;
}

void model_fault_duplicate(struct model *model, const struct fl_event *event)
{
    struct model_fault *fault = named_fault(model, event, (uint32_t)event->addr);

    if (fault)
        fault->duplicate = true;
}

void model_fault_reply(struct model *model, const struct fl_event *event)
{
    struct model_fault *fault = named_fault(model, event, (uint32_t)event->addr);

    if (!fault)
        return;
    fault->replies++;
    if (model_thread(model, fault->thread)->waits == WAIT_FAULT)
        model_thread(model, fault->thread)->waits = WAIT_NOTHING;
}

void model_fault_report(struct model *model, const struct fl_event *event)
{
    struct model_fault *fault = named_fault(model, event, (uint32_t)event->addr);

    if (fault)
        fault->reports++;
}

void model_fault_resume(struct model *model, const struct fl_event *event)
{
    struct model_fault *fault = named_fault(model, event, event->thread);

    if (!fault)
        return;
    fault->resumes++;
    if (model_thread(model, fault->thread)->waits == WAIT_FAULT)
        model_thread(model, fault->thread)->waits = WAIT_NOTHING;
    end_fault(model, model->now.fault);
}

void model_fault_halted(struct model *model, struct model_thread *thread)
{
    if (thread->fault == MODEL_NONE)
        return;
    model->now.fault = thread->fault;
    model_fault(model, thread->fault)->halted = true;
    end_fault(model, thread->fault);
}
