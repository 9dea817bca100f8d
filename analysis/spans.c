#include "spans.h"

void spans_init(struct spans *spans)
{
    spans->spans = g_array_new(FALSE, FALSE, sizeof(struct span));
    spans->births = g_array_new(FALSE, FALSE, sizeof(struct thread_birth));
}

void spans_free(struct spans *spans)
{
    g_array_free(spans->spans, TRUE);
    g_array_free(spans->births, TRUE);
}

void spans_clear(struct spans *spans)
{
    g_array_set_size(spans->spans, 0);
    g_array_set_size(spans->births, 0);
    spans->request = 0;
    spans->pending = false;
}

static void tell(struct spans *spans, const struct model *model, const struct fl_event *event)
{
    if (model->now.thread == MODEL_NONE)
        return;
    const struct model_thread *thread = model_thread(model, model->now.thread);
    spans->told = (struct span){.thread = thread->path,
                                .n = thread->entries,
                                .k = event->aux,
                                .instructions = event->arg,
                                .resumed = thread->k != 0,
                                .space = thread->space};
    spans->pending = true;
}

static void born(struct spans *spans, const struct fl_event *event)
{
    const struct thread_birth birth = {
        .thread = (uint32_t)event->addr, .request = spans->request, .span = spans->spans->len};

    g_array_append_val(spans->births, birth);
}

void spans_event(struct spans *spans, const struct model *model, const struct fl_event *event)
{
    switch (fl_event_id(event)) {
    case FL_EVENT_SPAN:
        tell(spans, model, event);
        break;
    case FL_EVENT_THREAD_CREATE:
        born(spans, event);
        break;
    case FL_EVENT_IPC_DELIVER:
    case FL_EVENT_FAULT_DELIVER:
        if (event->thread == FL_PATH_CORE)
            spans->request = spans->spans->len;
        break;
    default:
        break;
    }
}

void spans_end(struct spans *spans, const struct place *place)
{
    struct span *span = &spans->told;

    if (!spans->pending || span->thread != place->thread)
        return;
    spans->pending = false;
    span->interrupted = place->k != 0;
    span->n_ready = place->n_ready;
    span->ready = place->ready;
    span->event = place->event;
    g_array_append_val(spans->spans, *span);
}
