#include "anchor_context.h"

#include <string.h>
#include "trace.h"

/* What the thread's entry at `entry` sends, or which lock it is about; "": neither. */
static void find_label(const struct image *image, const struct fl_event *events, size_t n_events,
                       size_t entry, char *label, size_t size)
{
    const uint32_t thread = events[entry].thread;
    for (size_t i = entry + 1; i < n_events; i++) {
        if (events[i].thread != thread)
            continue;
        const char *name = trace_value_name(TRACE_LABEL, events[i].arg);
        switch (fl_event_id(&events[i])) {
        case FL_EVENT_IPC_SEND:
            g_strlcpy(label, name != NULL ? name : "own", size);
            return;
        case FL_EVENT_LOCK:
        case FL_EVENT_LOCK_BLOCK:
        case FL_EVENT_UNLOCK:
        case FL_EVENT_LOCK_ERROR:
            image_object(image, events[i].addr, label, size);
            return;
        case FL_EVENT_ENTRY:
            return;
        default:
            break;
        }
    }
}

static bool is_mark(const struct fl_event *event)
{
    const uint16_t id = fl_event_id(event);
    return id >= FL_EVENT_MARK_RESERVE && id <= FL_EVENT_MARK_ERROR;
}

static uint32_t count_marks(const struct fl_event *events, size_t to, uint32_t thread, uint16_t id)
{
    uint32_t count = 0;
    for (size_t i = 0; i < to; i++)
        count += events[i].thread == thread && fl_event_id(&events[i]) == id;
    return count;
}

static bool same_kind(const struct plan_anchor *a, const struct plan_anchor *b)
{
    return strcmp(a->point, b->point) == 0 && strcmp(a->label, b->label) == 0 &&
           strcmp(a->function, b->function) == 0;
}

/* nth and since: how many of its kind there were already. */
static void count_kin(const GArray *contexts, struct plan_anchor *anchor)
{
    anchor->nth = anchor->since = 1;
    for (guint i = 0; i < contexts->len; i++) {
        const struct plan_anchor *other = &g_array_index(contexts, struct anchor_context, i).anchor;
        if (!same_kind(anchor, other))
            continue;
        anchor->nth++;
        anchor->since +=
            strcmp(anchor->mark, other->mark) == 0 && anchor->mark_nth == other->mark_nth;
    }
}

static struct anchor_context describe(const struct image *image, const struct fl_event *events,
                                      size_t n_events, size_t entry)
{
    struct anchor_context context = {.n = events[entry].aux, .anchor = {.given = true}};
    struct plan_anchor *anchor = &context.anchor;
    struct source_place place;
    const char *point = trace_point_name(events[entry].point);
    g_strlcpy(anchor->point, point != NULL ? point : "none", sizeof(anchor->point));
    find_label(image, events, n_events, entry, anchor->label, sizeof(anchor->label));
    if (image_source(image, events[entry].arg, &place)) {
        g_strlcpy(anchor->function, place.function, sizeof(anchor->function));
        context.line = place.line;
    }
    return context;
}

GArray *anchor_contexts(const struct image *image, const struct fl_event *events, size_t n_events,
                        uint32_t thread)
{
    GArray *contexts = g_array_new(FALSE, FALSE, sizeof(struct anchor_context));
    const struct anchor_context start = {.anchor = {.given = true, .point = "none", .nth = 1}};
    const struct fl_event *mark = NULL;
    uint32_t mark_nth = 0;
    g_array_append_val(contexts, start);
    for (size_t i = 0; i < n_events; i++) {
        if (events[i].thread != thread)
            continue;
        if (is_mark(&events[i])) {
            mark = &events[i];
            mark_nth = count_marks(events, i + 1, thread, fl_event_id(mark));
        }
        if (fl_event_id(&events[i]) != FL_EVENT_ENTRY)
            continue;
        struct anchor_context context = describe(image, events, n_events, i);
        if (mark != NULL)
            g_strlcpy(context.anchor.mark, trace_event_info(fl_event_id(mark))->name,
                      sizeof(context.anchor.mark));
        context.anchor.mark_nth = mark_nth;
        count_kin(contexts, &context.anchor);
        g_array_append_val(contexts, context);
    }
    return contexts;
}

uint64_t anchor_standing_pc(const struct fl_event *events, size_t n_events,
                            const struct fl_preemption *at, uint32_t k)
{
    uint32_t n = 0;
    for (size_t i = 0; i < n_events; i++) {
        if (events[i].thread != at->thread)
            continue;
        if (fl_event_id(&events[i]) == FL_EVENT_ENTRY)
            n = events[i].aux;
        if (fl_event_id(&events[i]) == FL_EVENT_INTERRUPT && n == at->n && events[i].aux == k)
            return events[i].arg;
    }
    return 0;
}

uint32_t anchor_stretch(const struct fl_event *events, size_t n_events,
                        const struct fl_preemption *at)
{
    uint32_t n = 0, length = 0;
    for (size_t i = 0; i < n_events; i++) {
        if (events[i].thread != at->thread)
            continue;
        if (fl_event_id(&events[i]) == FL_EVENT_ENTRY)
            n = events[i].aux;
        if (fl_event_id(&events[i]) == FL_EVENT_SPAN && n == at->n && events[i].arg > 0)
            length = events[i].aux + events[i].arg - 1;
    }
    return length;
}

bool anchor_instruction(const struct image *image, uint64_t pc, const struct anchor_context *entry,
                        struct plan_instruction *found)
{
    struct source_frame frames[16];
    const size_t count = image_frames(image, pc, frames, G_N_ELEMENTS(frames));
    size_t at = 0;
    while (at < count && !g_str_has_suffix(frames[at].place.file, ".c"))
        at++;
    if (at == count || !image_line_step(image, pc, &found->step))
        return false;
    const struct source_place *place = &frames[at].place;
    const bool same = entry->line != 0 && strcmp(place->function, entry->anchor.function) == 0;
    g_strlcpy(found->function, place->function, sizeof(found->function));
    found->line = (int32_t)place->line - (int32_t)(same ? entry->line : frames[at].declared);
    return true;
}
