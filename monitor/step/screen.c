#include "screen.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "plan.h"
#include "present.h"
#include "report_lanes.h"
#include "report_state.h"
#include "trace.h"
#include "unwind.h"

enum { CALLS_MAX = 24 };

static const char *thread_name(const struct stepper *stepper, uint32_t path)
{
    static char buffers[2][TRACE_NAME_MAX];
    static unsigned next;
    return trace_thread_name(stepper->subject->scenario, path, buffers[next++ % 2]);
}

void screen_lanes(GString *out, const struct stepper *stepper, unsigned before, unsigned after)
{
    const struct lanes_window window = {
        .event = stepper->at.event,
        .thread = rehearsal_place(stepper->run, stepper->at).thread,
        .before = before,
        .after = after,
    };
    report_lanes_around(out, &stepper->run->report, &window);
}

/* ---- source ---- */

/* The file as the image names it, from here or from a folder above the image. NULL: not found. */
static char *source_text(const struct stepper *stepper, const char *file)
{
    char *text = NULL;
    if (g_file_get_contents(file, &text, NULL, NULL))
        return text;
    char *folder = g_path_get_dirname(stepper->subject->image->path);
    for (unsigned up = 0; up < 3 && text == NULL; up++) {
        g_autofree char *path = g_build_filename(folder, file, NULL);
        g_file_get_contents(path, &text, NULL, NULL);
        char *above = g_path_get_dirname(folder);
        g_free(folder);
        folder = above;
    }
    g_free(folder);
    return text;
}

/* "file:line in function", and the line's text when the source is there. */
static void append_source(GString *out, const struct stepper *stepper,
                          const struct source_place *place)
{
    g_string_append_printf(out, "%s:%u in %s\n", place->file, place->line, place->function);
    g_autofree char *text = source_text(stepper, place->file);
    if (text == NULL)
        return;
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    if (place->line < 1 || place->line > g_strv_length(lines))
        return;
    g_autofree char *line = g_strndup(g_strstrip(lines[place->line - 1]), LANES_WIDTH - 8);
    g_string_append_printf(out, "        %s\n", line);
}

/* Where the thread stands, or by which instruction it entered the kernel; 0: not known. */
static uint64_t pc_of(const struct stepper *stepper)
{
    const struct fl_preemption place = rehearsal_place(stepper->run, stepper->at);
    const struct report *report = &stepper->run->report;
    if (stepper->at.k > 0)
        return stepper->pc;
    for (size_t i = stepper->at.event + 1; i-- > 0;) {
        const struct fl_event *event = &report->events[i];
        const uint16_t id = fl_event_id(event);
        if (event->thread == place.thread && (id == FL_EVENT_ENTRY || id == FL_EVENT_INTERRUPT))
            return event->arg;
    }
    return 0;
}

void screen_where(GString *out, const struct stepper *stepper)
{
    struct asker asker = session_asker(stepper->samples.session);
    struct call_frame frames[CALLS_MAX];
    struct source_place place;
    const struct image *image = stepper->subject->image;
    struct call_stack stack = unwind(image, asker.frame, &asker.memory);
    if (stepper->at.k == 0 && stack.n > 0 && pc_of(stepper) != 0)
        stack.pcs[0] = pc_of(stepper); /* its registers stand behind the system call */
    const size_t count = call_stack_frames(image, &stack, frames, CALLS_MAX);
    for (size_t i = 0; i < count; i++) {
        g_string_append_printf(out, "#%zu  ", i);
        append_source(out, stepper, &frames[i].place);
    }
    if (count > 0)
        return;
    if (image_source(image, pc_of(stepper), &place))
        append_source(out, stepper, &place);
    else
        g_string_append(out, "no source is known for where it stands\n");
}

/* ---- the moment ---- */

static void append_entry(GString *out, const struct stepper *stepper,
                         const struct fl_preemption *place)
{
    char nth[16];
    const char *point = trace_point_name(rehearsal_point(stepper->run, stepper->at));
    if (place->n == 0)
        g_string_append(out, "its start");
    else
        g_string_append_printf(out, "its %s entry (%s)", report_ordinal(place->n, nth),
                               point != NULL ? point : "?");
}

static bool at_entry(const struct stepper *stepper)
{
    const struct fl_event *event = &stepper->run->report.events[stepper->at.event];
    return stepper->at.k == 0 && fl_event_id(event) == FL_EVENT_ENTRY;
}

static void append_moment(GString *out, const struct stepper *stepper)
{
    const struct fl_preemption place = rehearsal_place(stepper->run, stepper->at);
    const struct moment at = stepper->at;
    char nth[16];
    g_string_append_printf(out, "event %zu of %zu", at.event, rehearsal_last(stepper->run).event);
    if (at.k > 0) {
        g_string_append_printf(out, ", k %u: %s before the %s instruction after ", at.k,
                               thread_name(stepper, place.thread), report_ordinal(at.k, nth));
        append_entry(out, stepper, &place);
        g_string_append_printf(out, ", pc 0x%" PRIx64, stepper->pc);
    } else if (at_entry(stepper)) {
        g_string_append_printf(out, ": %s at ", thread_name(stepper, place.thread));
        append_entry(out, stepper, &place);
    } else {
        g_string_append(out, ": ");
        report_event(out, stepper->subject->scenario, &stepper->run->report.events[at.event]);
    }
}

static void append_violations(GString *out, const struct stepper *stepper)
{
    const struct verdict *verdict = stepper->run->report.verdict;
    for (size_t i = 0; stepper->at.k == 0 && i < verdict->n_violations; i++) {
        const struct violation *violation = &verdict->violations[i];
        if (violation->event != stepper->at.event)
            continue;
        g_autofree char *text =
            g_strdup_printf("    violates %s: %s", violation->check->id, violation->message);
        report_wrap(out, text, LANES_WIDTH, "        ");
        g_string_append_c(out, '\n');
    }
}

static void append_ready(GString *out, const struct stepper *stepper, const struct model *model)
{
    const char *separator = "could run instead: ";
    for (unsigned tid = 0; tid < FL_MAX_THREADS; tid++) {
        if ((stepper->ready >> tid & 1) == 0 || model->by_tid[tid] == MODEL_NONE)
            continue;
        const struct model_thread *thread = model_thread(model, model->by_tid[tid]);
        g_string_append_printf(out, "%s%s", separator, thread_name(stepper, thread->path));
        separator = ", ";
    }
    if (stepper->ready != 0)
        g_string_append_c(out, '\n');
}

void screen_moment(GString *out, const struct stepper *stepper, struct model *model)
{
    struct source_place place;
    g_autoptr(GString) text = g_string_new(NULL);
    append_moment(text, stepper);
    report_wrap(out, text->str, LANES_WIDTH, "    ");
    g_string_append_c(out, '\n');
    if (image_source(stepper->subject->image, pc_of(stepper), &place)) {
        g_string_append(out, "    ");
        append_source(out, stepper, &place);
    }
    append_violations(out, stepper);
    if (stepper->at.k == 0 && !at_entry(stepper))
        return;
    report_state_at(model, &stepper->run->report, stepper->run->plan.variant, stepper->at.event);
    g_autoptr(GString) ready = g_string_new(NULL);
    append_ready(ready, stepper, model);
    if (ready->len == 0)
        return;
    g_string_append(out, "    ");
    report_wrap(out, ready->str, LANES_WIDTH - 4, "        ");
}

void screen_end(GString *out, const struct stepper *stepper)
{
    const struct fl_plan *plan = &stepper->run->plan;
    const struct fl_scenario *scenario = stepper->subject->scenario;
    g_autofree char *name =
        g_strdup_printf("%s/%s", scenario->id, scenario->variants[plan->variant].id);
    const struct report *report = &stepper->run->report;
    g_autofree char *schedule = plan_schedule(scenario, report->taken, report->n_taken);
    g_autofree char *text = g_strdup_printf("the end of the run, schedule '%s'", schedule);
    report_wrap(out, text, LANES_WIDTH, "    ");
    g_string_append_c(out, '\n');
    present_checks(out, name, report->verdict);
}
