#include "neighbour.h"

#include <string.h>
#include "plan.h"

enum { AT_ONCE = 32, RUNS_MAX = 5000 };

struct hunt {
    const struct samples *samples;
    const char *check;
    struct fl_plan without; /* the finding's plan, less its last preemption */
    struct fl_preemption last;
    GArray *places; /* struct fl_preemption: where the last one could be, in the order of the run */
    GArray *entries; /* guint: those among them with k = 0 */
    guint at;        /* where it is */
    bool passed_it;  /* while they are listed */
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
    const guint at = hunt->places->len;
    if (thread == hunt->last.target)
        return;
    if (plan_compare(&place, &hunt->last) == 0) {
        hunt->at = at;
        hunt->passed_it = true;
    }
    if (k == 0)
        g_array_append_val(hunt->entries, at);
    g_array_append_val(hunt->places, place);
}

/* The target runs by itself. false: that is after where the last preemption is. */
static bool start_again(struct hunt *hunt)
{
    if (hunt->passed_it)
        return false;
    g_array_set_size(hunt->places, 0);
    g_array_set_size(hunt->entries, 0);
    return true;
}

/* The places of the run without the last preemption, around where that would be, from one time that
 * its target runs by itself to the next. */
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
            if (event->thread == hunt->last.target && !start_again(hunt))
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

/* One way from the finding's place, forwards or backwards, until the check passes. */
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
static bool scan_places(struct scan *scan, const GArray *list, GError **error)
{
    const guint *places = (const guint *)(const void *)list->data;
    g_autofree struct fl_plan *plans = g_new(struct fl_plan, AT_ONCE);
    for (guint from = 0; from < list->len && !scan->passed && scan->hunt->runs < RUNS_MAX;
         from += AT_ONCE) {
        const guint count = MIN(list->len - from, AT_ONCE);
        for (guint i = 0; i < count; i++)
            plans[i] = plan_with(scan->hunt, places[from + i]);
        scan->places = places + from;
        if (!samples_run(scan->hunt->samples, plans, count, on_scan, scan, error))
            return false;
    }
    return true;
}

/* Those of the entries that lie after the finding's place, or before it, the nearest first. */
static GArray *entries_from(const struct hunt *hunt, bool forwards)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(guint));
    const guint count = hunt->entries->len;
    for (guint i = 0; i < count; i++) {
        const guint entry = g_array_index(hunt->entries, guint, forwards ? i : count - 1 - i);
        if (forwards ? entry > hunt->at : entry < hunt->at)
            g_array_append_val(list, entry);
    }
    return list;
}

/* The places between two, without them, in the order from the one to the other. */
static GArray *places_between(guint from, guint to)
{
    GArray *list = g_array_new(FALSE, FALSE, sizeof(guint));
    for (guint i = from + 1; i < to; i++)
        g_array_append_val(list, i);
    for (guint i = from; i > to + 1; i--) {
        const guint at = i - 1;
        g_array_append_val(list, at);
    }
    return list;
}

/* Entry by entry first, then through all places before the entry that passes. */
static bool find_change(struct scan *scan, bool forwards, GError **error)
{
    scan->failing = scan->hunt->at;
    g_autoptr(GArray) entries = entries_from(scan->hunt, forwards);
    if (!scan_places(scan, entries, error))
        return false;
    if (!scan->passed && !forwards)
        return true; /* it fails from where the target can first run */
    const guint to = scan->passed ? scan->passing : scan->hunt->places->len;
    g_autoptr(GArray) between = places_between(scan->failing, to);
    const bool at_entry = scan->passed;
    scan->passed = false;
    if (!scan_places(scan, between, error))
        return false;
    scan->passed |= at_entry;
    return true;
}

static enum neighbour_result hunt_down(struct hunt *hunt, struct neighbours *neighbours,
                                       GError **error)
{
    struct scan later = {.hunt = hunt}, earlier = {.hunt = hunt};
    if (!find_change(&later, true, error) || !find_change(&earlier, false, error))
        return NEIGHBOUR_FAILED;
    if (hunt->runs >= RUNS_MAX)
        return NEIGHBOUR_NONE;
    *neighbours = (struct neighbours){
        .failing = plan_with(hunt, later.failing),
        .passing = later.passed ? plan_with(hunt, later.passing) : hunt->without,
        .last = g_array_index(hunt->places, struct fl_preemption, later.failing),
        .opens = earlier.passed,
        .runs = hunt->runs,
    };
    if (earlier.passed) {
        neighbours->opening = plan_with(hunt, earlier.passing);
        neighbours->open = g_array_index(hunt->places, struct fl_preemption, earlier.passing);
    }
    return NEIGHBOUR_FOUND;
}

static enum neighbour_result hunt_with(struct hunt *hunt, const struct fl_plan *finding,
                                       struct neighbours *neighbours, GError **error)
{
    struct sample *failing = sample_keep(hunt->samples, finding, error);
    if (failing == NULL)
        return NEIGHBOUR_FAILED;
    const bool last = find_last(failing, &hunt->last) && sample_violates(failing, hunt->check) &&
                      failing->verdict->outcome != FL_OUTCOME_HUNG;
    sample_free(failing);
    if (!last)
        return NEIGHBOUR_NONE;
    take_out(&hunt->without, &hunt->last);
    struct sample *without = sample_keep(hunt->samples, &hunt->without, error);
    if (without == NULL)
        return NEIGHBOUR_FAILED;
    list_places(hunt, without);
    const bool passes = !sample_violates(without, hunt->check) && hunt->passed_it;
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
