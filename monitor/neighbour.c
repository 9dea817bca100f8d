#include "neighbour.h"

#include <string.h>
#include "plan.h"

enum { AT_ONCE = 32, RUNS_MAX = 5000 };

struct hunt {
    const struct samples *samples;
    const char *check;
    struct fl_plan without; /* the finding's plan, less its last preemption */
    struct fl_preemption last;
    GArray *places;  /* struct fl_preemption: where the last one could be instead, in the order of
                        the run; the first is where it is */
    GArray *entries; /* guint: those among them with k = 0 */
    unsigned runs;
};

/* ---- places ---- */

/* The preemption that took place last. */
static bool find_last(const struct sample *finding, struct fl_preemption *last)
{
    bool found = false;
    for (size_t i = 0; i < finding->n_events; i++) {
        const struct fl_event *event = &finding->events[i];
        if (fl_event_id(event) != FL_EVENT_PREEMPT)
            continue;
        *last = (struct fl_preemption){.thread = event->thread,
                                       .n = event->arg,
                                       .k = event->aux,
                                       .target = (uint32_t)event->addr};
        found = true;
    }
    return found;
}

static void take_out(struct fl_plan *plan, const struct fl_preemption *gone)
{
    uint32_t left = 0;
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        if (plan_compare(&plan->preemptions[i], gone) != 0)
            plan->preemptions[left++] = plan->preemptions[i];
    memset(&plan->preemptions[left], 0,
           (plan->n_preemptions - left) * sizeof(plan->preemptions[0]));
    plan->n_preemptions = left;
}

static void add_place(struct hunt *hunt, uint32_t thread, uint32_t n, uint32_t k)
{
    const struct fl_preemption place = {
        .thread = thread, .n = n, .k = k, .target = hunt->last.target};
    const bool first = plan_compare(&place, &hunt->last) == 0;
    if ((hunt->places->len == 0 && !first) || thread == hunt->last.target)
        return;
    const guint at = hunt->places->len;
    if (k == 0)
        g_array_append_val(hunt->entries, at);
    g_array_append_val(hunt->places, place);
}

/* The places of the run without the last preemption, from where that would be to where its target
 * runs by itself. */
static void list_places(struct hunt *hunt, const struct sample *without)
{
    g_autoptr(GHashTable) entries = g_hash_table_new(NULL, NULL); /* path -> n */
    for (size_t i = 0; i < without->n_events; i++) {
        const struct fl_event *event = &without->events[i];
        gpointer thread = GUINT_TO_POINTER(event->thread);
        const uint32_t n = GPOINTER_TO_UINT(g_hash_table_lookup(entries, thread));
        switch (fl_event_id(event)) {
        case FL_EVENT_SPAN:
            for (uint32_t k = 0; k < event->arg; k++)
                add_place(hunt, event->thread, n, event->aux + k);
            break;
        case FL_EVENT_ENTRY:
            g_hash_table_insert(entries, thread, GUINT_TO_POINTER(event->aux));
            add_place(hunt, event->thread, event->aux, 0);
            break;
        case FL_EVENT_SWITCH:
            if (event->thread == hunt->last.target && hunt->places->len > 0)
                return;
            break;
        default:
            break;
        }
    }
}

static struct fl_plan plan_with(const struct hunt *hunt, guint place)
{
    struct fl_plan plan = hunt->without;
    plan_insert(&plan, hunt->samples->scenario,
                &g_array_index(hunt->places, struct fl_preemption, place), NULL);
    return plan;
}

/* ---- the search ---- */

struct scan {
    struct hunt *hunt;
    const guint *places; /* to be tried, in this order */
    guint failing;       /* the last that failed */
    guint passing;       /* the first that passed */
    bool passed;
};

static bool on_scan(void *context, size_t i, const struct sample *sample)
{
    struct scan *scan = context;
    scan->hunt->runs++;
    if (!sample_complete(sample))
        return true; /* the target cannot run there */
    scan->passed = !sample_violates(sample, scan->hunt->check);
    if (scan->passed)
        scan->passing = scan->places[i];
    else
        scan->failing = scan->places[i];
    return !scan->passed;
}

/* Goes through these places until one passes. */
static bool scan_places(struct scan *scan, const guint *places, guint n, GError **error)
{
    g_autofree struct fl_plan *plans = g_new(struct fl_plan, AT_ONCE);
    for (guint from = 0; from < n && !scan->passed && scan->hunt->runs < RUNS_MAX;
         from += AT_ONCE) {
        const guint count = MIN(n - from, AT_ONCE);
        for (guint i = 0; i < count; i++)
            plans[i] = plan_with(scan->hunt, places[from + i]);
        scan->places = places + from;
        if (!samples_run(scan->hunt->samples, plans, count, on_scan, scan, error))
            return false;
    }
    return true;
}

/* Entry by entry first, then through all places before the entry that passes. */
static bool find_change(struct hunt *hunt, struct scan *scan, GError **error)
{
    const guint *entries = (const guint *)(const void *)hunt->entries->data;
    if (!scan_places(scan, entries, hunt->entries->len, error))
        return false;
    const guint to = scan->passed ? scan->passing : hunt->places->len;
    g_autoptr(GArray) between = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = scan->failing + 1; i < to; i++)
        g_array_append_val(between, i);
    const bool at_entry = scan->passed;
    scan->passed = false;
    if (!scan_places(scan, (const guint *)(const void *)between->data, between->len, error))
        return false;
    scan->passed |= at_entry;
    return true;
}

static enum neighbour_result hunt_down(struct hunt *hunt, struct neighbours *neighbours,
                                       GError **error)
{
    struct scan scan = {.hunt = hunt};
    if (!find_change(hunt, &scan, error))
        return NEIGHBOUR_FAILED;
    if (hunt->runs >= RUNS_MAX)
        return NEIGHBOUR_NONE;
    *neighbours = (struct neighbours){
        .failing = plan_with(hunt, scan.failing),
        .passing = scan.passed ? plan_with(hunt, scan.passing) : hunt->without,
        .last = g_array_index(hunt->places, struct fl_preemption, scan.failing),
        .runs = hunt->runs,
    };
    return NEIGHBOUR_FOUND;
}

static enum neighbour_result hunt_with(struct hunt *hunt, const struct fl_plan *finding,
                                       struct neighbours *neighbours, GError **error)
{
    struct sample *failing = sample_keep(hunt->samples, finding, error);
    if (failing == NULL)
        return NEIGHBOUR_FAILED;
    const bool last = find_last(failing, &hunt->last) && sample_violates(failing, hunt->check);
    sample_free(failing);
    if (!last)
        return NEIGHBOUR_NONE;
    take_out(&hunt->without, &hunt->last);
    struct sample *without = sample_keep(hunt->samples, &hunt->without, error);
    if (without == NULL)
        return NEIGHBOUR_FAILED;
    list_places(hunt, without);
    const bool passes = !sample_violates(without, hunt->check) && hunt->places->len > 0;
    sample_free(without);
    return passes ? hunt_down(hunt, neighbours, error) : NEIGHBOUR_NONE;
}

enum neighbour_result neighbour_find(const struct samples *samples, const struct fl_plan *finding,
                                     const char *check, struct neighbours *neighbours,
                                     GError **error)
{
    struct hunt hunt = {
        .samples = samples,
        .check = check,
        .without = *finding,
        .places = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption)),
        .entries = g_array_new(FALSE, FALSE, sizeof(guint)),
        .runs = 2,
    };
    hunt.without.mode |= FL_MODE_SPANS;
    const enum neighbour_result result = hunt_with(&hunt, finding, neighbours, error);
    g_array_free(hunt.places, TRUE);
    g_array_free(hunt.entries, TRUE);
    return result;
}
