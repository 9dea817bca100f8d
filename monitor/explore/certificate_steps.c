#include "certificate_steps.h"

#include <inttypes.h>
#include "trace.h"

struct step_lines {
    const struct fl_scenario *scenario;
    GArray *path;           /* uint32_t: threads of the steps of the run before */
    GHashTable *footprints; /* text -> number + 1 */
    GString *touched;       /* room */
};

struct step_lines *step_lines_new(const struct fl_scenario *scenario)
{
    struct step_lines *lines = g_new0(struct step_lines, 1);
    lines->scenario = scenario;
    lines->path = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    lines->footprints = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    lines->touched = g_string_new(NULL);
    return lines;
}

void step_lines_free(struct step_lines *lines)
{
    if (lines == NULL)
        return;
    g_array_free(lines->path, TRUE);
    g_hash_table_unref(lines->footprints);
    g_string_free(lines->touched, TRUE);
    g_free(lines);
}

/* ---- a step ---- */

static const struct transition *transition_at(const struct run_report *report, size_t i)
{
    return &report->steps->transitions[i];
}

/* The first step begins where nobody chooses. */
static bool is_listed(const struct run_report *report, size_t i)
{
    if (i == 0)
        return false;
    const struct choice *at = &transition_at(report, i - 1)->end;
    for (uint32_t j = 0; j < report->plan->n_preemptions; j++) {
        const struct fl_preemption *listed = &report->plan->preemptions[j];
        if (listed->thread == at->thread && listed->n == at->n && listed->k == at->k)
            return true;
    }
    return false;
}

/* Its last event is the entry that is the place. NULL: nobody else could have gone on, or it is not
 * told. */
static const struct place *place_after(const struct run_report *report,
                                       const struct transition *transition)
{
    const uint64_t last = (uint64_t)transition->first_event + transition->events - 1;
    for (size_t i = 0; transition->end.k == 0 && i < report->n_places; i++)
        if (report->places[i].event == last)
            return &report->places[i];
    return NULL;
}

static void append_end(GString *text, const struct fl_scenario *scenario,
                       const struct choice *choice)
{
    char name[TRACE_NAME_MAX];
    if (choice->thread == FL_PATH_KERNEL) {
        g_string_append(text, " end");
        return;
    }
    g_string_append_printf(text, " %s@%u%s", trace_thread_name(scenario, choice->thread, name),
                           choice->n, choice->k == FL_K_GIVES_UP ? "+gives-up" : "");
}

static void append_ready(GString *text, const struct fl_scenario *scenario,
                         const struct run_report *report, const struct place *place)
{
    char name[TRACE_NAME_MAX];
    if (place == NULL)
        g_string_append(text, " -");
    for (unsigned i = 0; place != NULL && i < place->n_ready; i++)
        g_string_append_printf(text, "%c%s", i == 0 ? ' ' : ',',
                               trace_thread_name(scenario, report->ready[place->ready + i], name));
}

void certificate_step(GString *text, const struct fl_scenario *scenario,
                      const struct run_report *report, size_t i)
{
    const struct transition *transition = transition_at(report, i);
    char name[TRACE_NAME_MAX];
    g_string_append_printf(text, "%s%s", is_listed(report, i) ? "->" : "",
                           trace_thread_name(scenario, transition->thread, name));
    append_end(text, scenario, &transition->end);
    append_ready(text, scenario, report, place_after(report, transition));
}

/* ---- what it touched ---- */

static const struct {
    const char *name;
    bool of_thread;
} kinds[OBJECT_KINDS] = {
    [OBJECT_THREAD] = {"thread", true},
    [OBJECT_RECEIVER] = {"receiver", true},
    [OBJECT_LIFE] = {"life", true},
    [OBJECT_MEMORY] = {"memory", false},
    [OBJECT_FRAME] = {"frame", false},
    [OBJECT_PAGE] = {"page", false},
    [OBJECT_LOCK] = {"lock", false},
    [OBJECT_SLOT] = {"slot", false},
    [OBJECT_OPERATIONS] = {"operations", false},
};

void certificate_footprint(GString *text, const struct fl_scenario *scenario,
                           const struct footprint *footprint)
{
    char name[TRACE_NAME_MAX];
    for (uint32_t i = 0; i < footprint->n; i++) {
        const touch touched = footprint->touches[i];
        const uint64_t id = touch_id(touched);
        g_string_append_printf(text, " %s.", kinds[touch_kind(touched)].name);
        if (kinds[touch_kind(touched)].of_thread)
            g_string_append(text, trace_thread_name(scenario, (uint32_t)id, name));
        else
            g_string_append_printf(text, "%" PRIx64, id);
        if (touch_writes(touched))
            g_string_append_c(text, '!');
    }
}

/* ---- a run ---- */

static size_t in_common(const struct step_lines *lines, const struct run_steps *steps)
{
    size_t i = 0;
    while (i < lines->path->len && i < steps->n &&
           g_array_index(lines->path, uint32_t, i) == steps->transitions[i].thread)
        i++;
    return i;
}

/* Its number; a line says what it is when it is met first. */
static guint number_of(struct step_lines *lines, const struct run_steps *steps, size_t i,
                       GString *text)
{
    struct footprint *footprint = steps->footprint(steps->context, i);
    g_string_truncate(lines->touched, 0);
    certificate_footprint(lines->touched, lines->scenario, footprint);
    footprint_unref(footprint);
    const guint known =
        GPOINTER_TO_UINT(g_hash_table_lookup(lines->footprints, lines->touched->str));
    if (known != 0)
        return known - 1;
    const guint number = g_hash_table_size(lines->footprints);
    g_string_append_printf(text, "touched%s\n", lines->touched->str);
    g_hash_table_insert(lines->footprints, g_strdup(lines->touched->str),
                        GUINT_TO_POINTER(number + 1));
    return number;
}

void step_lines_run(struct step_lines *lines, const struct run_report *report, GString *text)
{
    const struct run_steps *steps = report->steps;
    const size_t common = in_common(lines, steps);
    g_string_append_printf(text, " %zu", common);
    g_array_set_size(lines->path, (guint)common);
    g_string_append_c(text, '\n');
    for (size_t i = common; i < steps->n; i++) {
        const guint touched = number_of(lines, steps, i, text);
        g_string_append(text, "step ");
        certificate_step(text, lines->scenario, report, i);
        g_string_append_printf(text, " %u\n", touched);
        g_array_append_val(lines->path, steps->transitions[i].thread);
    }
}
