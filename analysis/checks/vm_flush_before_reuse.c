/* An address whose translation was taken away or changed is flushed before anybody in its space
 * goes on, and a switch of spaces flushes all: the TLB knows no spaces here. A flush that is
 * missing shows itself by chance only (QEMU resizes its TLB by the clock), so it is checked from
 * events. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

#define MAX_STALE 16u

/* Translations that may still be in the TLB. */
struct state {
    struct stale {
        uint64_t page;
        uint16_t space;
    } stale[MAX_STALE];
    uint32_t n_stale;
};

/* A new frame, or fewer rights: who used the old ones would do wrong. */
static bool takes_away(const struct model *model, const struct fl_event *event)
{
    uint32_t rights = model_rights(model, event->space, event->addr);

    return model->now.rights_was != FL_RIGHTS_NONE &&
           ((model->now.rights_was & ~rights) != 0 || model->now.frame_was != event->aux);
}

/* More than there is room for is as good as one that is never flushed: it is reported when that
 * space goes on, if it is not flushed whole before. */
static void add(struct state *state, const struct fl_event *event)
{
    struct stale *stale = &state->stale[MIN(state->n_stale, MAX_STALE - 1)];

    stale->page = event->addr >> FL_PAGE_SHIFT;
    stale->space = event->space;
    state->n_stale = MIN(state->n_stale + 1, MAX_STALE);
}

static void flushed(struct state *state, const struct fl_event *event)
{
    for (uint32_t i = state->n_stale; i-- > 0;)
        if (state->stale[i].space == event->space &&
            state->stale[i].page == event->addr >> FL_PAGE_SHIFT)
            state->stale[i] = state->stale[--state->n_stale];
}

static void on_unflushed_switch(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_thread *from = model_find(model, (uint32_t)context->event->addr);
    const struct model_thread *to = model_find(model, context->event->thread);
    char who[TRACE_NAME_MAX], whom[TRACE_NAME_MAX];

    if (from && to && from->space != to->space)
        check_violated(context, "%s goes on after %s, in another space, and nothing is flushed",
                       trace_thread_name(model->scenario, to->path, who),
                       trace_thread_name(model->scenario, from->path, whom));
}

/* The thread was in user mode just now. */
static void on_entry(struct check_context *context, const struct state *state)
{
    const struct model *model = context->model;
    const struct fl_event *event = context->event;
    char who[TRACE_NAME_MAX];

    for (uint32_t i = 0; i < state->n_stale; i++)
        if (state->stale[i].space == event->space)
            check_violated(context, "%s went on before 0x%" PRIx64 " of its space was flushed",
                           trace_thread_name(model->scenario, event->thread, who),
                           state->stale[i].page << FL_PAGE_SHIFT);
}

static void on_event(struct check_context *context)
{
    struct state *state = context->state;
    const struct fl_event *event = context->event;

    switch (fl_event_id(event)) {
    case FL_EVENT_SWITCH:
        if (event->aux)
            state->n_stale = 0;
        else
            on_unflushed_switch(context);
        break;
    case FL_EVENT_FLUSH:
        flushed(state, event);
        break;
    case FL_EVENT_ENTRY:
    case FL_EVENT_INTERRUPT:
        on_entry(context, state);
        break;
    default:
        if (takes_away(context->model, event))
            add(state, event);
    }
}

static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    for (uint32_t i = 0; i < state->n_stale; i++)
        FINGERPRINT_FACT(facts, 0, state->stale[i].space, state->stale[i].page);
}

const struct check check_vm_flush_before_reuse = {
    .id = "vm-flush-before-reuse",
    .summary = "a translation that was taken away is flushed before its space goes on",
    .source = "design.md, Preemption, measured; ARM DDI 0406C B3.10",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(MAP) | CHECK_ON(UNMAP) | CHECK_ON(PROTECT) | CHECK_ON(FLUSH) | CHECK_ON(SWITCH) |
          CHECK_ON(ENTRY) | CHECK_ON(INTERRUPT),
    .event = on_event,
};
