/* A thread may fault on a page that an earlier fault of its space has brought in by now, or is
 * bringing in: it became runnable while the first was handled (Codezero's pager, seed 004). Nothing
 * is to be allocated for it then, not even to be given back at once; and it must be answered.
 *
 * Whether a fault is a duplicate is found out here, from what is mapped and who else waits, when a
 * page is allocated. When core says so itself, that must be true. */
#include <inttypes.h>
#include "check.h"
#include "trace.h"

/* The last message that went over before a fault was taken. */
struct between {
    uint64_t event;
    uint32_t from, to;
    uint32_t label; /* FL_LABEL_*; FAULT: the answer to a fault */
};

struct state {
    struct between last;
    struct between before[FL_MAX_THREADS]; /* by number of the thread that faults */
};

/* ---- which faults are duplicates ---- */

static uint32_t needed(const struct model_fault *fault)
{
    static const uint32_t rights[] = {
        [FL_ACCESS_READ] = FL_RIGHTS_R,
        [FL_ACCESS_WRITE] = FL_RIGHTS_RW,
        [FL_ACCESS_EXEC] = FL_RIGHTS_RX,
    };

    return fault->access < G_N_ELEMENTS(rights) ? rights[fault->access] : FL_RIGHTS_RWX;
}

static bool is_mapped(const struct model *model, const struct model_fault *fault)
{
    return (model_rights(model, fault->space, fault->address) & needed(fault)) == needed(fault);
}

static bool same_address(const struct model_fault *one, const struct model_fault *other)
{
    return one->space == other->space &&
           one->address >> FL_PAGE_SHIFT == other->address >> FL_PAGE_SHIFT;
}

/* Whether the fault is about that page of the object: it is in its area's chain. */
static bool is_about(const struct model *model, const struct model_fault *fault, uint32_t object,
                     uint64_t page)
{
    uint32_t index = model_find_area(model, fault->space, fault->address);
    if (index == MODEL_NONE)
        return false;
    const struct model_area *area = model_area(model, index);
    if (area->offset + ((fault->address - area->address) >> FL_PAGE_SHIFT) != page)
        return false;
    uint32_t at = area->object;
    for (uint32_t steps = 0; at != MODEL_NONE && at != object && steps <= model->objects->len;
         steps++)
        at = model_object(model, at)->behind;
    return at != MODEL_NONE && at == object;
}

/* Whether the page of one may be on its way for the other: it is a page of an object of both. */
static bool same_page(const struct model *model, const struct model_fault *one,
                      const struct model_fault *other)
{
    uint32_t index = model_find_area(model, one->space, one->address);
    if (same_address(one, other))
        return true;
    if (index == MODEL_NONE)
        return false;
    const struct model_area *area = model_area(model, index);
    uint64_t page = area->offset + ((one->address - area->address) >> FL_PAGE_SHIFT);
    uint32_t at = area->object;
    for (uint32_t steps = 0; at != MODEL_NONE && steps <= model->objects->len; steps++) {
        if (is_about(model, other, at, page))
            return true;
        at = model_object(model, at)->behind;
    }
    return false;
}

/* A fault taken before this one, and not yet answered, that `fits`; NULL: there is none. */
static const struct model_fault *earlier(const struct model *model, const struct model_fault *fault,
                                         bool (*fits)(const struct model *model,
                                                      const struct model_fault *fault,
                                                      const struct model_fault *other))
{
    for (guint i = 0; i < model->in_flight->len; i++) {
        const struct model_fault *other =
            model_fault(model, g_array_index(model->in_flight, uint32_t, i));
        if (other != fault && other->delivers > 0 && other->replies == 0 &&
            other->taken < fault->taken && fits(model, fault, other))
            return other;
    }
    return NULL;
}

static bool will_do(const struct model *model, const struct model_fault *fault,
                    const struct model_fault *other)
{
    (void)model;
    return same_address(fault, other) && (needed(other) & needed(fault)) == needed(fault);
}

static bool is_duplicate(const struct model *model, const struct model_fault *fault)
{
    return is_mapped(model, fault) || earlier(model, fault, will_do);
}

/* The fault that the duplicate repeats: the last one on that page that was taken before. */
static const struct model_fault *first_of(const struct model *model,
                                          const struct model_fault *duplicate)
{
    const struct model_fault *first = NULL;

    for (guint i = 0; i < model->faults->len; i++) {
        const struct model_fault *fault = model_fault(model, i);
        if (fault != duplicate && fault->delivers > 0 && fault->taken < duplicate->taken &&
            same_address(fault, duplicate) && (!first || fault->taken > first->taken))
            first = fault;
    }
    return first;
}

/* ---- telling ---- */

static const char *faulter(const struct model *model, const struct model_fault *fault, char *text)
{
    return trace_thread_name(model->scenario, model_thread(model, fault->thread)->path, text);
}

static void describe_between(const struct model *model, const struct between *between,
                             GString *text)
{
    char from[TRACE_NAME_MAX], to[TRACE_NAME_MAX];
    const char *label = trace_value_name(TRACE_LABEL, between->label);

    trace_thread_name(model->scenario, between->from, from);
    trace_thread_name(model->scenario, between->to, to);
    if (between->label == FL_LABEL_FAULT)
        g_string_append_printf(text, ", after %s answered %s", from, to);
    else
        g_string_append_printf(text, ", after %s sent %s %s", from, to,
                               label ? label : "a message");
    g_string_append_printf(text, " (event %" PRIu64 ")", between->event);
}

static void allocated(struct check_context *context, const struct model_fault *fault)
{
    const struct model *model = context->model;
    const struct fl_event *event = context->event;
    const struct model_fault *first = first_of(model, fault);
    const struct state *state = context->state;
    uint32_t tid = model_thread(model, fault->thread)->tid;
    g_autoptr(GString) text = g_string_new(NULL);
    char who[TRACE_NAME_MAX];

    g_string_append_printf(text, "fault %u of %s", fault->number, faulter(model, fault, who));
    if (first)
        g_string_append_printf(text, " repeats fault %u of %s", first->number,
                               faulter(model, first, who));
    if (tid < FL_MAX_THREADS && state->before[tid].event != 0)
        describe_between(model, &state->before[tid], text);
    bool given_back = fl_event_id(event) == FL_EVENT_PAGE_BACK;
    uint32_t there = given_back ? model_page(model, model->now.object, (uint32_t)event->addr)
                                : model->now.frame_was;
    check_violated(context, "%s: page %" PRIu64 " of object %u, frame 0x%x, is frame 0x%x too%s",
                   text->str, event->addr, model_object(model, model->now.object)->number, there,
                   event->arg, given_back ? ", which is given back" : "");
}

/* ---- events ---- */

/* Core took a frame to be the page. It is for nobody when all who wait for it are duplicates. */
static void on_allocation(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_fault *in_vain = NULL;

    for (guint i = 0; i < model->in_flight->len; i++) {
        const struct model_fault *fault =
            model_fault(model, g_array_index(model->in_flight, uint32_t, i));
        if (fault->delivers == 0 || fault->replies > 0 ||
            !is_about(model, fault, model->now.object, context->event->addr))
            continue;
        if (!is_duplicate(model, fault))
            return;
        in_vain = fault;
    }
    if (in_vain)
        allocated(context, in_vain);
}

static void on_said(struct check_context *context)
{
    const struct model *model = context->model;
    const struct model_fault *fault = model_fault(model, model->now.fault);
    char who[TRACE_NAME_MAX];

    if (!is_mapped(model, fault) && !earlier(model, fault, same_page))
        check_violated(context,
                       "core says that fault %u of %s is a duplicate, but 0x%" PRIx64
                       " is not mapped, and on its way for nobody",
                       fault->number, faulter(model, fault, who), fault->address);
}

static void on_message(struct check_context *context)
{
    const struct fl_event *event = context->event;
    struct state *state = context->state;

    state->last = (struct between){
        .event = context->index,
        .from = event->thread,
        .to = (uint32_t)event->addr,
        .label = fl_event_id(event) == FL_EVENT_FAULT_REPLY ? FL_LABEL_FAULT : event->arg,
    };
}

static void on_taken(struct check_context *context)
{
    const struct model *model = context->model;
    struct state *state = context->state;
    uint32_t tid = model_thread(model, model_fault(model, model->now.fault)->thread)->tid;

    if (tid < FL_MAX_THREADS)
        state->before[tid] = state->last;
}

static void on_event(struct check_context *context)
{
    const struct model *model = context->model;

    switch (fl_event_id(context->event)) {
    case FL_EVENT_IPC_SEND:
    case FL_EVENT_FAULT_REPLY:
        on_message(context);
        break;
    case FL_EVENT_FAULT_DELIVER:
        if (model->now.fault != MODEL_NONE)
            on_taken(context);
        break;
    case FL_EVENT_FAULT_DUPLICATE:
        if (model->now.fault != MODEL_NONE)
            on_said(context);
        break;
    default:
        if (model->now.object != MODEL_NONE)
            on_allocation(context);
    }
}

static void on_end(struct check_context *context)
{
    const struct model *model = context->model;
    char who[TRACE_NAME_MAX];

    if (context->outcome != FL_OUTCOME_EXITED || context->damaged)
        return;
    for (guint i = 0; i < model->faults->len; i++) {
        const struct model_fault *fault = model_fault(model, i);
        if (fault->duplicate && fault->replies + fault->reports == 0 && !fault->halted)
            check_violated(context, "fault %u of %s, a duplicate, is never answered", fault->number,
                           faulter(model, fault, who));
    }
}

/* Messages are remembered to be told of, not to judge by. */
static void fingerprint(const struct check_context *context, struct fingerprint *facts)
{
    (void)context;
    (void)facts;
}

const struct check check_duplicate_fault_harmless = {
    .id = "duplicate-fault-harmless",
    .summary = "a fault on a page that is there or on its way allocates nothing and is answered",
    .source = "Codezero mm0, duplicate faults (seed 004)",
    .state_size = sizeof(struct state),
    .fingerprint = fingerprint,
    .on = CHECK_ON(IPC_SEND) | CHECK_ON(FAULT_REPLY) | CHECK_ON(FAULT_DELIVER) |
          CHECK_ON(FAULT_DUPLICATE) | CHECK_ON(PAGE_OWN) | CHECK_ON(PAGE_BACK),
    .event = on_event,
    .end = on_end,
};
