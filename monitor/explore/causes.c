/* What was met, told by cause: two runs have the same cause when they violate the same check and
 * their smallest plans preempt the same threads at the same points and source lines, and have the
 * same refused to the same operations.
 *
 * Shrinking takes some dozen runs. A plan that holds every preemption of a smallest plan already
 * found, and violates the same check, is counted with it and not shrunk.
 */
#include <string.h>
#include "plan.h"
#include "search.h"
#include "trace.h"

/* ---- the cause of a finding ---- */

static void append_line(GString *text, const struct image *image, uint32_t pc)
{
    struct source_place place;
    if (image != NULL && image_source(image, pc, &place))
        g_string_append_printf(text, "%s:%u", place.file, place.line);
    else
        g_string_append_printf(text, "0x%x", pc);
}

/* What was refused, and in which operation of the thread that the event is about. */
static void append_refusal(GString *text, const struct fl_event *events, size_t at)
{
    const struct fl_event *refusal = &events[at];
    const struct fl_event *asked = refusal;
    for (size_t i = at; i > 0 && asked == refusal; i--) {
        const uint16_t id = fl_event_id(&events[i]);
        if (events[i].thread == refusal->thread &&
            (id == FL_EVENT_IPC_DELIVER || id == FL_EVENT_FAULT_DELIVER))
            asked = &events[i];
    }
    const bool named = fl_event_id(asked) == FL_EVENT_IPC_DELIVER;
    const char *label = named ? trace_value_name(TRACE_LABEL, asked->arg) : NULL;
    g_string_append_printf(text, ", %s refused%s%s",
                           trace_value_name(TRACE_FAIL, refusal->arg) ?: "unknown",
                           label != NULL ? " " : "", label ?: "");
}

/* A preemption is told right after the entry or the interruption at which it came. */
static char *cause_of(const struct finding *finding, const struct explore_options *options)
{
    size_t count;
    g_autofree struct fl_event *events = capture_events(finding->capture, &count);
    GString *text = g_string_new(finding->check);
    for (size_t i = 1; i < count; i++) {
        const struct fl_event *event = &events[i];
        if (fl_event_id(event) == FL_EVENT_REFUSE)
            append_refusal(text, events, i);
        if (fl_event_id(event) != FL_EVENT_PREEMPT)
            continue;
        char name[TRACE_NAME_MAX];
        const struct fl_event *stands = event - 1;
        g_string_append_printf(text, ", %s ",
                               trace_thread_name(options->scenario, event->thread, name));
        if (fl_event_id(stands) == FL_EVENT_ENTRY)
            g_string_append_printf(text, "%s ", trace_point_name(stands->point));
        append_line(text, options->image, stands->arg);
    }
    return g_string_free(text, FALSE);
}

/* ---- known causes ---- */

static bool has(const struct met *met, const struct fl_preemption *preemption)
{
    for (uint32_t i = 0; i < met->n; i++)
        if (memcmp(&met->preemptions[i], preemption, sizeof(*preemption)) == 0)
            return true;
    return false;
}

static bool fails(const struct met *met, const struct fl_failure *failure)
{
    for (uint32_t i = 0; i < met->n_failures; i++)
        if (memcmp(&met->failures[i], failure, sizeof(*failure)) == 0)
            return true;
    return false;
}

static bool contains(const struct met *met, const struct fl_plan *plan)
{
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        if (!has(met, &plan->preemptions[i]))
            return false;
    for (uint32_t i = 0; i < plan->n_failures; i++)
        if (!fails(met, &plan->failures[i]))
            return false;
    return true;
}

static struct finding *explained_by(const struct search *search, const struct met *met)
{
    for (guint i = 0; i < search->result->findings->len; i++) {
        struct finding *finding = g_ptr_array_index(search->result->findings, i);
        if (strcmp(finding->check, met->check) == 0 &&
            (met->cut_short || contains(met, &finding->capture->plan)))
            return finding;
    }
    return NULL;
}

static struct finding *same_cause(const struct search *search, const char *cause)
{
    for (guint i = 0; i < search->result->findings->len; i++) {
        struct finding *finding = g_ptr_array_index(search->result->findings, i);
        if (strcmp(finding->cause, cause) == 0)
            return finding;
    }
    return NULL;
}

static void keep(struct search *search, struct finding *finding)
{
    finding->cause = cause_of(finding, search->options);
    struct finding *known = same_cause(search, finding->cause);
    if (known == NULL) {
        g_ptr_array_add(search->result->findings, finding);
        return;
    }
    known->count++;
    known->runs_minimising += finding->runs_minimising;
    finding_free(finding);
}

void causes_find(struct search *search)
{
    for (guint i = 0; i < search->met->len && search->result->error == NULL; i++) {
        struct met *met = g_ptr_array_index(search->met, i);
        struct finding *known = explained_by(search, met);
        struct finding *finding = known == NULL ? settle(search, met) : NULL;
        if (known != NULL)
            known->count++;
        else if (finding != NULL)
            keep(search, finding);
        else
            search->result->not_grouped++;
    }
}
