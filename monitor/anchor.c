#include "anchor.h"

#include <string.h>
#include "anchor_context.h"
#include "capture.h"

enum { AT_ONCE = 32 };

/* ---- finding a place again ---- */

struct fitting {
    const struct samples *samples;
    const struct image *image;
    const char *check;     /* NULL: the instruction itself is looked for */
    struct fl_plan placed; /* those that have found their place */
    GString *notes;
};

static char *place_text(const struct fitting *fitting, const struct fl_preemption *at)
{
    char *text = plan_schedule(fitting->samples->scenario, at, 1);
    *strstr(text, "->") = '\0';
    return text;
}

static bool gone(const struct fitting *fitting, const struct fl_preemption *at, GError **error,
                 const char *format, ...) G_GNUC_PRINTF(4, 5);

static bool gone(const struct fitting *fitting, const struct fl_preemption *at, GError **error,
                 const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *why = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_autofree char *text = plan_schedule(fitting->samples->scenario, at, 1);
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE, "%s no longer applies: %s; search anew", text,
                why);
    return false;
}

static bool same_mark(const struct plan_anchor *a, const struct plan_anchor *b)
{
    return strcmp(a->mark, b->mark) == 0 && a->mark_nth == b->mark_nth && a->since == b->since;
}

/* An image without line numbers leaves functions out of it. */
static bool same_kind(const struct plan_anchor *a, const struct plan_anchor *b)
{
    return strcmp(a->point, b->point) == 0 && strcmp(a->label, b->label) == 0 &&
           (a->function[0] == '\0' || b->function[0] == '\0' ||
            strcmp(a->function, b->function) == 0);
}

static const struct anchor_context *context_at(const GArray *contexts, guint i)
{
    return &g_array_index(contexts, struct anchor_context, i);
}

/* Entries that may be what entry n was, the likeliest first: itself, if all is as it was; those
 * after the same mark; the one with the same number among its kind. */
static GPtrArray *find_entries(const GArray *contexts, const struct plan_anchor *anchor, uint32_t n)
{
    GPtrArray *found = g_ptr_array_new();
    for (guint i = 0; i < contexts->len; i++) {
        const struct anchor_context *context = context_at(contexts, i);
        if (same_kind(&context->anchor, anchor) && same_mark(&context->anchor, anchor))
            g_ptr_array_insert(found, context->n == n ? 0 : -1, (gpointer)context);
    }
    for (guint i = 0; i < contexts->len; i++) {
        const struct anchor_context *context = context_at(contexts, i);
        if (same_kind(&context->anchor, anchor) && context->anchor.nth == anchor->nth)
            g_ptr_array_add(found, (gpointer)context);
    }
    return found;
}

/* ---- and an instruction after it ---- */

struct hunt {
    const struct fitting *fitting;
    const struct plan_instruction *wanted;
    const struct anchor_context *entry;
    struct fl_preemption at; /* its k is tried */
    const uint32_t *ks;      /* of the plans being run */
    uint32_t exact;          /* k at which the instruction wanted is; 0: none yet */
    uint32_t line;           /* k at which another instruction of its line is; 0: none yet */
};

static bool is_wanted(const struct hunt *hunt, const struct plan_instruction *found,
                      const struct sample *sample)
{
    const char *check = hunt->fitting->check;
    return check != NULL ? sample_violates(sample, check) : found->step == hunt->wanted->step;
}

static bool on_hunt(void *context, size_t i, const struct sample *sample)
{
    struct hunt *hunt = context;
    struct plan_instruction found;
    const uint64_t pc =
        sample_complete(sample)
            ? anchor_standing_pc(sample->events, sample->n_events, &hunt->at, hunt->ks[i])
            : 0;
    if (pc == 0 || !anchor_instruction(hunt->fitting->image, pc, hunt->entry, &found) ||
        strcmp(found.function, hunt->wanted->function) != 0 || found.line != hunt->wanted->line)
        return true;
    if (hunt->line == 0)
        hunt->line = hunt->ks[i];
    if (is_wanted(hunt, &found, sample))
        hunt->exact = hunt->ks[i];
    return hunt->exact == 0;
}

static bool hunt_among(struct hunt *hunt, const uint32_t *ks, size_t n, GError **error)
{
    g_autofree struct fl_plan *plans = g_new(struct fl_plan, AT_ONCE);
    for (size_t from = 0; from < n && hunt->exact == 0; from += AT_ONCE) {
        const size_t count = MIN(n - from, AT_ONCE);
        for (size_t i = 0; i < count; i++) {
            plans[i] = hunt->fitting->placed;
            hunt->at.k = ks[from + i];
            plan_insert(&plans[i], hunt->fitting->samples->scenario, &hunt->at, NULL);
        }
        hunt->ks = ks + from;
        if (!samples_run(hunt->fitting->samples, plans, count, on_hunt, hunt, error))
            return false;
    }
    return true;
}

/* k of the instruction, in the stretch of user mode after the entry; 0 and no error: it is not
 * there. */
static uint32_t find_instruction(const struct fitting *fitting, const struct sample *sample,
                                 const struct fl_preemption *at, const struct anchor_context *entry,
                                 const struct plan_instruction *wanted, GError **error)
{
    struct hunt hunt = {.fitting = fitting, .wanted = wanted, .entry = entry, .at = *at};
    const uint32_t length = anchor_stretch(sample->events, sample->n_events, at);
    g_autofree uint32_t *ks = g_new(uint32_t, length + 1);
    for (uint32_t k = 1; k <= length; k++)
        ks[k - 1] = k;
    if (!hunt_among(&hunt, &at->k, 1, error) || !hunt_among(&hunt, ks, length, error))
        return 0;
    return hunt.exact != 0 ? hunt.exact : hunt.line;
}

/* ---- one preemption after the other ---- */

/* Tries one entry after the other. false and no error: at none of them. */
static bool fit_to(const struct fitting *fitting, const struct sample *sample,
                   const GPtrArray *entries, const struct plan_anchor *anchor,
                   struct fl_preemption *at, GError **error)
{
    for (guint i = 0; i < entries->len; i++) {
        const struct anchor_context *entry = g_ptr_array_index(entries, i);
        at->n = entry->n;
        if (!fl_k_in_user(at->k) || anchor->at.function[0] == '\0')
            return true;
        GError *failed = NULL;
        const uint32_t k = find_instruction(fitting, sample, at, entry, &anchor->at, &failed);
        if (failed != NULL)
            g_propagate_error(error, failed);
        else if (k > 0)
            at->k = k;
        if (failed != NULL || k > 0)
            return failed == NULL;
    }
    return false;
}

static bool fit_in(const struct fitting *fitting, const struct sample *sample,
                   const struct plan_anchor *anchor, struct fl_preemption *at, GError **error)
{
    const struct fl_preemption was = *at;
    g_autoptr(GArray) contexts =
        anchor_contexts(fitting->image, sample->events, sample->n_events, at->thread);
    g_autoptr(GPtrArray) entries = find_entries(contexts, anchor, at->n);
    if (entries->len == 0)
        return gone(fitting, &was, error, "the thread makes no %s%s%s any more that would be it",
                    anchor->point, anchor->function[0] != '\0' ? " in " : "", anchor->function);
    GError *failed = NULL;
    if (fit_to(fitting, sample, entries, anchor, at, &failed))
        return true;
    if (failed == NULL)
        return gone(fitting, &was, error,
                    "after its %s in %s the thread does not come to that line of %s any more, or "
                    "nobody else can run there",
                    anchor->point, anchor->function, anchor->at.function);
    g_propagate_error(error, failed);
    return false;
}

static bool fit(struct fitting *fitting, const struct fl_preemption *preemption,
                const struct plan_anchor *anchor, GError **error)
{
    struct fl_preemption at = *preemption;
    if (anchor->given) {
        struct sample *sample = sample_keep(fitting->samples, &fitting->placed, error);
        if (sample == NULL)
            return false;
        const bool found = fit_in(fitting, sample, anchor, &at, error);
        sample_free(sample);
        if (!found)
            return false;
    }
    if (plan_compare(&at, preemption) != 0) {
        g_autofree char *before = place_text(fitting, preemption);
        g_autofree char *after = place_text(fitting, &at);
        g_string_append_printf(fitting->notes, "anchored anew: %s -> %s\n", before, after);
    }
    return plan_insert(&fitting->placed, fitting->samples->scenario, &at, error);
}

/* The plan's preemption that took place as the order-th when it was recorded; those of which
 * nothing is known come first. */
static bool fit_all(struct fitting *fitting, const struct fl_plan *plan,
                    const struct plan_anchors *anchors, GError **error)
{
    for (uint32_t order = 0; order <= plan->n_preemptions; order++)
        for (uint32_t i = 0; i < plan->n_preemptions; i++)
            if (anchors->of[i].order == order &&
                !fit(fitting, &plan->preemptions[i], &anchors->of[i], error))
                return false;
    if (fitting->placed.n_preemptions == plan->n_preemptions)
        return true;
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                "plan: the order of its anchors does not count from 1 to %u", plan->n_preemptions);
    return false;
}

bool anchors_know(const struct plan_anchors *anchors, const struct fl_plan *plan)
{
    bool know = true;
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        know = know && (plan->preemptions[i].k == 0 || anchors->of[i].at.function[0] != '\0');
    return know;
}

bool anchors_apply(const struct samples *samples, const struct image *image, const char *check,
                   struct fl_plan *plan, const struct plan_anchors *anchors, GString *notes,
                   GError **error)
{
    bool any = false;
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        any |= anchors->of[i].given;
    if (!any || plan->policy != FL_POLICY_FIXED)
        return true;
    struct fitting fitting = {
        .samples = samples, .image = image, .check = check, .placed = *plan, .notes = notes};
    memset(fitting.placed.preemptions, 0, sizeof(fitting.placed.preemptions));
    fitting.placed.n_preemptions = 0;
    fitting.placed.mode = (uint8_t)(FL_MODE_SPANS | (plan->mode & FL_MODE_FAIL));
    if (!fit_all(&fitting, plan, anchors, error))
        return false;
    fitting.placed.mode = plan->mode;
    *plan = fitting.placed;
    return true;
}

/* ---- when it is recorded ---- */

static void take(struct plan_anchor *anchor, const struct fl_preemption *at, uint32_t order,
                 const struct image *image, const struct fl_event *events, size_t n_events)
{
    g_autoptr(GArray) contexts = anchor_contexts(image, events, n_events, at->thread);
    const struct anchor_context *entry = context_at(contexts, 0);
    for (guint i = 1; i < contexts->len && entry->n != at->n; i++)
        entry = context_at(contexts, i);
    *anchor = entry->anchor;
    anchor->order = order;
    if (fl_k_in_user(at->k))
        anchor_instruction(image, anchor_standing_pc(events, n_events, at, at->k), entry,
                           &anchor->at);
}

void anchors_take(struct plan_anchors *anchors, const struct fl_plan *plan,
                  const struct image *image, const struct fl_event *events, size_t n_events)
{
    g_autoptr(GArray) taken = g_array_new(FALSE, FALSE, sizeof(struct fl_preemption));
    events_preemptions(events, n_events, 0, taken, NULL);
    memset(anchors, 0, sizeof(*anchors));
    if (taken->len != plan->n_preemptions)
        return; /* a plan that does not fit its own run is not worth being kept alive */
    for (guint i = 0; i < taken->len; i++) {
        const struct fl_preemption *at = &g_array_index(taken, struct fl_preemption, i);
        for (uint32_t j = 0; j < plan->n_preemptions; j++)
            if (plan_compare(&plan->preemptions[j], at) == 0)
                take(&anchors->of[j], at, i + 1, image, events, n_events);
    }
}
