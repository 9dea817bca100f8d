/* A page for long messages is one thread's: who was given it when it asked for one. Nobody else
 * puts words there, and no other is given the same; a forked task inherits the mapping, not the
 * right. */
#include "check.h"
#include "trace.h"

enum { PAGES = 64 };

struct state {
    uint32_t owner[PAGES]; /* path; kernel: nobody */
};

static void on_event(struct check_context *context)
{
    struct state *state = context->state;
    const struct fl_scenario *scenario = context->model->scenario;
    const struct fl_event *event = context->event;
    uint32_t path = (uint32_t)event->addr, page = event->aux;
    char who[TRACE_NAME_MAX], whose[TRACE_NAME_MAX];

    bool obtains = event->arg == FL_DEED_OBTAINS;
    if ((!obtains && event->arg != FL_DEED_USES) || page >= PAGES)
        return;
    uint32_t owner = state->owner[page];
    if (obtains)
        state->owner[page] = path;
    if (owner == FL_PATH_KERNEL && !obtains)
        check_violated(context, "%s uses message page %u, which nobody has asked for",
                       trace_thread_name(scenario, path, who), page);
    else if (owner != FL_PATH_KERNEL && owner != path)
        check_violated(context, "%s %s message page %u, which is %s's",
                       trace_thread_name(scenario, path, who), obtains ? "is given" : "uses", page,
                       trace_thread_name(scenario, owner, whose));
}

const struct check check_message_page_own = {
    .id = "message-page-own",
    .summary = "a page for long messages is used by the one thread that asked for it",
    .source = "Codezero, UTCB PLAN (seed 004)",
    .state_size = sizeof(struct state),
    .on = CHECK_ON(MARK_DEED),
    .event = on_event,
};
