#include "spans.h"

void spans_init(struct spans *spans)
{
    spans->spans = g_array_new(FALSE, FALSE, sizeof(struct span));
}

void spans_free(struct spans *spans)
{
    g_array_free(spans->spans, TRUE);
}

void spans_clear(struct spans *spans)
{
    g_array_set_size(spans->spans, 0);
    spans->pending = false;
}

void spans_tell(struct spans *spans, const struct model *model, const struct fl_event *event)
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
