/* The failures of a plan: what the run asks for and is refused. As text they stand with the
 * preemptions: "fail:frame@7". */
#include <string.h>
#include "plan.h"
#include "trace.h"

#define PREFIX "fail:"

static int compare(const struct fl_failure *a, const struct fl_failure *b)
{
    return a->kind != b->kind ? a->kind - b->kind : a->nth - b->nth;
}

static void append(GString *text, const struct fl_failure *failure)
{
    g_string_append_printf(text, PREFIX "%s@%u", trace_value_name(TRACE_FAIL, failure->kind),
                           failure->nth);
}

static bool refuse(const struct fl_failure *failure, const char *why, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    append(text, failure);
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE, "failure %s: %s", text->str, why);
    return false;
}

bool plan_fail(struct fl_plan *plan, const struct fl_failure *failure, GError **error)
{
    if (failure->nth == 0)
        return refuse(failure, "they count from 1", error);
    if (plan->n_failures == FL_MAX_FAILURES)
        return refuse(failure, "the plan is full (6 failures)", error);
    uint32_t at = plan->n_failures;
    while (at > 0 && compare(failure, &plan->failures[at - 1]) < 0)
        at--;
    if (at > 0 && compare(failure, &plan->failures[at - 1]) == 0)
        return refuse(failure, "the plan has it already", error);
    memmove(&plan->failures[at + 1], &plan->failures[at],
            (plan->n_failures - at) * sizeof(*failure));
    plan->failures[at] = *failure;
    plan->n_failures++;
    plan->mode |= FL_MODE_FAIL;
    return true;
}

void plan_fail_nothing(struct fl_plan *plan)
{
    memset(plan->failures, 0, sizeof(plan->failures));
    plan->n_failures = 0;
    plan->mode &= (uint8_t)~FL_MODE_FAIL;
}

int plan_failure_kind(const char *name)
{
    for (unsigned kind = 0; kind < FL_FAIL_KINDS; kind++)
        if (strcmp(trace_value_name(TRACE_FAIL, kind), name) == 0)
            return (int)kind;
    return -1;
}

bool plan_is_failure(const char *entry)
{
    return g_str_has_prefix(entry, PREFIX);
}

bool plan_parse_failure(struct fl_plan *plan, const char *entry, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(entry + strlen(PREFIX), "@", 2);
    const int kind = parts[0] != NULL ? plan_failure_kind(g_strstrip(parts[0])) : -1;
    guint64 nth;
    if (kind < 0 || parts[1] == NULL ||
        !g_ascii_string_to_unsigned(g_strstrip(parts[1]), 10, 0, UINT16_MAX, &nth, NULL)) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_SYNTAX,
                    "schedule entry \"%s\": expected fail:frame@n, fail:slab@n or fail:ipc@n, with "
                    "n from 1 to %u",
                    entry, UINT16_MAX);
        return false;
    }
    return plan_fail(plan, &(struct fl_failure){(uint16_t)kind, (uint16_t)nth}, error);
}

char *plan_failures(const struct fl_failure *failures, size_t n)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            g_string_append(text, ", ");
        append(text, &failures[i]);
    }
    return g_string_free(text, FALSE);
}

char *plan_whole_schedule(const struct fl_scenario *scenario, const struct fl_plan *plan)
{
    g_autofree char *failures = plan_failures(plan->failures, plan->n_failures);
    g_autofree char *preemptions = plan_schedule(scenario, plan->preemptions, plan->n_preemptions);
    const bool both = failures[0] != '\0' && preemptions[0] != '\0';
    return g_strconcat(failures, both ? ", " : "", preemptions, NULL);
}
