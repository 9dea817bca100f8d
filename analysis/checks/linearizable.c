/* Marked operations on an object come to what they would come to one after another, in some order
 * in which none comes before one that had ended when it began (Herlihy and Wing, "Linearizability",
 * TOPLAS 12(3), 1990).
 *
 * The order is searched as Wing and Gong do ("Testing and verifying concurrent objects", JPDC 17,
 * 1993), by all states that the object can be in; each is worked on as soon as an operation's end
 * forces its turn (Lowe, "Testing for linearizability", 2017), so that the first end without an
 * order is the event told. Objects are independent of each other (Herlihy and Wing, theorem 1).
 */
#include <glib.h>
#include <inttypes.h>
#include <string.h>
#include "check.h"
#include "specs.h"
#include "trace.h"

#define MAX_CALLS   128u
#define MAX_PENDING 64u   /* of one object at a time: bits of a set */
#define MAX_WORLDS  1024u /* states that one history can have come to */

struct call {
    struct spec_call call;
    uint32_t thread;
    uint16_t space;
    uint16_t place; /* bit of the set while it is under way */
    uint32_t object;
    uint64_t end; /* event */
};

struct history {
    uint32_t n_calls, n_steps;
    bool full;
    struct call calls[MAX_CALLS];
    uint16_t steps[2 * MAX_CALLS]; /* begins and ends in their order: call << 1 | end */
};

static bool same_object(const struct call *a, const struct call *b)
{
    return a->object == b->object && a->space == b->space;
}

/* The thread's operation on the object that is under way; NULL: none. */
static struct call *under_way(struct history *history, const struct fl_event *event)
{
    for (uint32_t i = history->n_calls; i-- > 0;) {
        struct call *call = &history->calls[i];
        if (!call->call.ended && call->thread == event->thread && call->object == event->addr &&
            call->space == event->space)
            return call;
    }
    return NULL;
}

static void begin(struct check_context *context, struct history *history)
{
    const struct fl_event *event = context->event;
    char who[TRACE_NAME_MAX];

    if (under_way(history, event)) {
        check_violated(context, "%s begins an operation on 0x%" PRIx64 " while in another",
                       trace_thread_name(context->model->scenario, event->thread, who),
                       event->addr);
        return;
    }
    history->full = history->full || history->n_calls == MAX_CALLS;
    if (history->full)
        return;
    history->steps[history->n_steps++] = (uint16_t)(history->n_calls << 1);
    history->calls[history->n_calls++] = (struct call){
        .call = {.operation = event->aux, .argument = event->arg},
        .thread = event->thread,
        .space = event->space,
        .object = (uint32_t)event->addr,
    };
}

static void end(struct check_context *context, struct history *history)
{
    const struct fl_event *event = context->event;
    struct call *call = under_way(history, event);
    char who[TRACE_NAME_MAX];

    if (history->full)
        return;
    if (!call || call->call.operation != event->aux) {
        check_violated(context, "%s ends an operation on 0x%" PRIx64 " that it has not begun",
                       trace_thread_name(context->model->scenario, event->thread, who),
                       event->addr);
        return;
    }
    call->call.result = event->arg;
    call->call.ended = true;
    call->end = context->index;
    history->steps[history->n_steps++] = (uint16_t)((call - history->calls) << 1 | 1);
}

static void on_event(struct check_context *context)
{
    if (!spec_operation_name(context->event->aux))
        return;
    if (fl_event_id(context->event) == FL_EVENT_MARK_BEGIN)
        begin(context, context->state);
    else
        end(context, context->state);
}

/* ---- The search ---- */

/* What the object may be like by now, and which of the operations under way have had their turn. */
struct world {
    struct spec_state state;
    uint64_t done;
};

struct search {
    const struct history *history;
    GArray *worlds, *next;         /* struct world */
    uint16_t pending[MAX_PENDING]; /* calls, by place */
    uint64_t occupied;
    const struct call *wrong; /* the earliest end without an order */
    bool gave_up;             /* too many worlds, values or operations */
};

static void add(struct search *search, GArray *worlds, const struct world *world)
{
    for (guint i = 0; i < worlds->len; i++) {
        const struct world *known = &g_array_index(worlds, struct world, i);
        if (known->done == world->done &&
            memcmp(&known->state, &world->state, sizeof(world->state)) == 0)
            return;
    }
    if (worlds->len == MAX_WORLDS)
        search->gave_up = true;
    else
        g_array_append_val(worlds, *world);
}

/* The world in which that operation under way had its turn next joins `worlds`, if it can be. */
static void turn(struct search *search, GArray *worlds, struct world world, unsigned place)
{
    const struct call *call = &search->history->calls[search->pending[place]];
    enum spec_step step = spec_apply(&world.state, &call->call);

    world.done |= UINT64_C(1) << place;
    if (step == SPEC_FULL)
        search->gave_up = true;
    else if (step == SPEC_DONE)
        add(search, worlds, &world);
}

static void open_call(struct search *search, struct call *call)
{
    call->place = (uint16_t)__builtin_ctzll(~search->occupied);
    search->occupied |= UINT64_C(1) << call->place;
    search->pending[call->place] = (uint16_t)(call - search->history->calls);
}

/* The operation at that place has ended: it has had its turn, after any number of the others. */
static bool close_call(struct search *search, unsigned place)
{
    const uint64_t bit = UINT64_C(1) << place;

    g_array_set_size(search->next, 0);
    for (guint i = 0; i < search->worlds->len && !search->gave_up; i++) {
        struct world world = g_array_index(search->worlds, struct world, i);
        if (world.done & bit) {
            world.done &= ~bit;
            add(search, search->next, &world);
            continue;
        }
        for (uint64_t left = search->occupied & ~world.done; left; left &= left - 1)
            turn(search, search->worlds, world, (unsigned)__builtin_ctzll(left));
    }
    search->occupied &= ~bit;
    GArray *worlds = search->worlds;
    search->worlds = search->next;
    search->next = worlds;
    return search->worlds->len > 0;
}

static void tell(struct check_context *context, const struct call *call)
{
    const struct spec_call *seen = &call->call;
    char who[TRACE_NAME_MAX], result[32] = "none";

    if (seen->result != FL_SPEC_NONE)
        g_snprintf(result, sizeof(result), "%u", seen->result);
    context->index = call->end;
    check_violated(
        context, "%s of %s 0x%" PRIx32 " (%u) by %s comes to %s, as in no order of the operations",
        spec_operation_name(seen->operation), spec_name(seen->operation), call->object,
        seen->argument, trace_thread_name(context->model->scenario, call->thread, who), result);
}

/* All operations on the object of the first call. */
static void judge_object(struct search *search, struct history *history, const struct call *first)
{
    const struct world empty = {.done = 0};

    search->occupied = 0;
    g_array_set_size(search->worlds, 0);
    g_array_append_val(search->worlds, empty);
    for (uint32_t i = 0; i < history->n_steps && !search->gave_up; i++) {
        struct call *call = &history->calls[history->steps[i] >> 1];
        if (!same_object(call, first))
            continue;
        if (history->steps[i] & 1) {
            if (close_call(search, call->place) || search->gave_up)
                continue;
            if (!search->wrong || call->end < search->wrong->end)
                search->wrong = call;
            return;
        }
        search->gave_up = search->occupied == UINT64_MAX;
        if (!search->gave_up)
            open_call(search, call);
    }
}

static void judge(struct check_context *context, struct history *history)
{
    struct search search = {
        .history = history,
        .worlds = g_array_new(FALSE, FALSE, sizeof(struct world)),
        .next = g_array_new(FALSE, FALSE, sizeof(struct world)),
        .gave_up = history->full,
    };

    for (uint32_t i = 0; i < history->n_calls; i++) {
        uint32_t earlier = 0;
        while (!same_object(&history->calls[earlier], &history->calls[i]))
            earlier++;
        if (earlier == i)
            judge_object(&search, history, &history->calls[i]);
    }
    if (search.wrong)
        tell(context, search.wrong);
    else if (search.gave_up)
        check_inconclusive(context, "the marked operations are too many to be put in order");
    g_array_free(search.worlds, TRUE);
    g_array_free(search.next, TRUE);
}

/* With events lost, an operation that looks unfinished may have ended. */
static void on_end(struct check_context *context)
{
    struct history *history = context->state;

    if (history->n_calls > 0 && !context->damaged)
        judge(context, history);
}

const struct check check_linearizable = {
    .id = "linearizable",
    .summary = "marked operations come to what they would come to one after another",
    .source = "Herlihy and Wing, Linearizability (TOPLAS 1990); Wing and Gong (JPDC 1993)",
    .state_size = sizeof(struct history),
    .on = CHECK_ON(MARK_BEGIN) | CHECK_ON(MARK_END),
    .event = on_event,
    .end = on_end,
};
