/* An operation of core's that failed leaves what core has in use as it was: no frame more or less,
 * no entry of a table. Core tells both counts when an operation has failed, in runs in which
 * something may be refused (mode fail). */
#include "check.h"
#include "trace.h"

struct state {
    uint64_t frames; /* before the operation */
    uint32_t entries;
    uint32_t label; /* of what core's thread took last, and whose it was */
    uint32_t caller;
    bool told;
};

static void append_change(GString *text, const char *what, uint64_t before, uint64_t after)
{
    if (before != after)
        g_string_append_printf(text, "%s%" G_GUINT64_FORMAT " %s instead of %" G_GUINT64_FORMAT,
                               text->len > 0 ? ", " : "", after, what, before);
}

static void compare(struct check_context *context, const struct state *state)
{
    const struct fl_event *after = context->event;
    const char *label = trace_value_name(TRACE_LABEL, state->label);
    char who[TRACE_NAME_MAX];
    g_autoptr(GString) text = g_string_new(NULL);

    append_change(text, "frames", state->frames, after->addr);
    append_change(text, "table entries", state->entries, after->arg);
    if (text->len > 0)
        check_violated(context, "%s of %s failed, and core has %s in use",
                       label ? label : "an operation",
                       trace_thread_name(context->model->scenario, state->caller, who), text->str);
}

static void on_event(struct check_context *context)
{
    const struct fl_event *event = context->event;
    struct state *state = context->state;

    if (event->thread != FL_PATH_CORE)
        return;
    if (fl_event_id(event) == FL_EVENT_IPC_DELIVER) {
        *state = (struct state){.label = event->arg, .caller = (uint32_t)event->addr};
    } else if (event->aux == 0) {
        state->frames = event->addr;
        state->entries = event->arg;
        state->told = true;
    } else if (state->told) {
        compare(context, state);
        state->told = false;
    }
}

/* Not who asked for what. */
static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    const struct state *state = context->state;

    if (state->told)
        FINGERPRINT_FACT(facts, 0, state->frames, state->entries);
}

const struct check check_nothing_leaked = {
    .id = "nothing-leaked",
    .summary = "an operation of core's that failed leaves no frame and no table entry behind",
    .source = "Codezero mm0 and Genode's core: what is half done when memory runs out",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(IPC_DELIVER) | CHECK_ON(TOTALS),
    .event = on_event,
};
