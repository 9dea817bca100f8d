#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "trace.h"

#define GIVES_UP "gives-up"

void plan_init(struct fl_plan *plan, const struct fl_scenario *scenario, unsigned scenario_index,
               unsigned variant)
{
    *plan = (struct fl_plan){
        .scenario = (uint16_t)scenario_index,
        .variant = (uint16_t)variant,
        .policy = FL_POLICY_FIXED,
        .mode = FL_MODE_POSTED,
        .depth = FL_DEPTH_IPC,
        .max_packets = PLAN_DEFAULT_PACKETS,
        .budget = PLAN_DEFAULT_BUDGET,
    };
    for (unsigned i = 0; i < scenario->n_params; i++)
        plan->params[i] = scenario->params[i].preset;
}

/* Digits only, so that neither a sign nor a blank nor "0x" slips through. */
static bool parse_number(const char *text, uint32_t *value)
{
    size_t digits = strspn(text, "0123456789");
    if (digits == 0 || digits > 10 || text[digits] != '\0')
        return false;
    unsigned long long number = strtoull(text, NULL, 10);
    *value = (uint32_t)number;
    return number <= UINT32_MAX;
}

static const struct fl_param *find_param(const struct fl_scenario *scenario, const char *id)
{
    for (unsigned i = 0; i < scenario->n_params; i++)
        if (strcmp(scenario->params[i].id, id) == 0)
            return &scenario->params[i];
    return NULL;
}

static char *param_ids(const struct fl_scenario *scenario)
{
    if (scenario->n_params == 0)
        return g_strdup("none");
    GString *ids = g_string_new(NULL);
    for (unsigned i = 0; i < scenario->n_params; i++)
        g_string_append_printf(ids, "%s%s", i == 0 ? "" : ", ", scenario->params[i].id);
    return g_string_free(ids, FALSE);
}

static bool assign_param(struct fl_plan *plan, const struct fl_scenario *scenario, const char *id,
                         const char *text, GError **error)
{
    const struct fl_param *param = find_param(scenario, id);
    if (param == NULL) {
        g_autofree char *ids = param_ids(scenario);
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_NAME,
                    "%s has no parameter \"%s\"; its parameters: %s", scenario->id, id, ids);
        return false;
    }
    uint32_t value;
    if (!parse_number(text, &value) || value < param->min || value > param->max) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE,
                    "parameter %s must be a number from %u to %u, not \"%s\"", id, param->min,
                    param->max, text);
        return false;
    }
    plan->params[param - scenario->params] = value;
    return true;
}

bool plan_set_param(struct fl_plan *plan, const struct fl_scenario *scenario,
                    const char *assignment, GError **error)
{
    g_auto(GStrv) parts = g_strsplit(assignment, "=", 2);
    if (g_strv_length(parts) != 2) {
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_SYNTAX, "parameter \"%s\": expected name=value",
                    assignment);
        return false;
    }
    return assign_param(plan, scenario, parts[0], parts[1], error);
}

int plan_compare(const struct fl_preemption *a, const struct fl_preemption *b)
{
    if (a->thread != b->thread)
        return a->thread < b->thread ? -1 : 1;
    if (a->n != b->n)
        return a->n < b->n ? -1 : 1;
    return a->k < b->k ? -1 : a->k > b->k;
}

static void append_preemption(GString *text, const struct fl_scenario *scenario,
                              const struct fl_preemption *preemption)
{
    char name[TRACE_NAME_MAX];
    g_string_append_printf(text, "%s@%u", trace_thread_name(scenario, preemption->thread, name),
                           preemption->n);
    if (preemption->k == FL_K_GIVES_UP)
        g_string_append(text, "+" GIVES_UP);
    else if (preemption->k > 0)
        g_string_append_printf(text, "+%u", preemption->k);
    g_string_append_printf(text, "->%s", trace_thread_name(scenario, preemption->target, name));
}

static bool refuse(const struct fl_scenario *scenario, const struct fl_preemption *preemption,
                   const char *why, GError **error)
{
    g_autofree char *text = plan_schedule(scenario, preemption, 1);
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_RANGE, "preemption %s: %s", text, why);
    return false;
}

bool plan_insert(struct fl_plan *plan, const struct fl_scenario *scenario,
                 const struct fl_preemption *preemption, GError **error)
{
    if (preemption->n == 0 && !fl_k_in_user(preemption->k))
        return refuse(scenario, preemption, "kernel entries count from 1", error);
    if (preemption->thread == preemption->target && preemption->k != FL_K_GIVES_UP)
        return refuse(scenario, preemption, "a thread cannot be preempted for itself", error);
    if (plan->n_preemptions >= FL_MAX_PREEMPTIONS)
        return refuse(scenario, preemption, "the plan is full (250 preemptions)", error);

    uint32_t at = plan->n_preemptions;
    while (at > 0 && plan_compare(preemption, &plan->preemptions[at - 1]) < 0)
        at--;
    if (at > 0 && plan_compare(preemption, &plan->preemptions[at - 1]) == 0)
        return refuse(scenario, preemption, "the plan has a preemption at that place", error);
    memmove(&plan->preemptions[at + 1], &plan->preemptions[at],
            (plan->n_preemptions - at) * sizeof(*preemption));
    plan->preemptions[at] = *preemption;
    plan->n_preemptions++;
    return true;
}

void plan_make_online(struct fl_plan *plan)
{
    plan->mode |= FL_MODE_ONLINE;
    plan->depth = FL_DEPTH_INSN;
    uint32_t kept = 0;
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        if (fl_k_in_user(plan->preemptions[i].k))
            plan->preemptions[kept++] = plan->preemptions[i];
    plan->n_preemptions = kept;
}

uint32_t plan_answer(const struct fl_plan *plan, const struct fl_decision *ask)
{
    uint32_t target = FL_PATH_KERNEL;
    for (uint32_t i = 0; i < plan->n_preemptions; i++) {
        const struct fl_preemption *preemption = &plan->preemptions[i];
        if (preemption->thread == ask->thread && preemption->n == ask->n && preemption->k == ask->k)
            target = preemption->target;
    }
    return target;
}

char *plan_schedule(const struct fl_scenario *scenario, const struct fl_preemption *preemptions,
                    size_t n)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < n; i++) {
        if (i > 0)
            g_string_append(text, ", ");
        append_preemption(text, scenario, &preemptions[i]);
    }
    return g_string_free(text, FALSE);
}

static bool bad_entry(const char *entry, GError **error)
{
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_SYNTAX,
                "schedule entry \"%s\": expected thread@n->target or thread@n+k->target, for "
                "example main@4->t1",
                entry);
    return false;
}

static bool parse_thread(const struct fl_scenario *scenario, const char *entry, char *name,
                         uint32_t *path, GError **error)
{
    *path = trace_thread_path(scenario, g_strstrip(name));
    if (*path == 0)
        g_set_error(error, PLAN_ERROR, PLAN_ERROR_NAME,
                    "schedule entry \"%s\": %s has no thread that could be called \"%s\"", entry,
                    scenario->id, name);
    return *path != 0;
}

static bool parse_entry(struct fl_plan *plan, const struct fl_scenario *scenario, const char *entry,
                        GError **error)
{
    if (plan_is_failure(entry))
        return plan_parse_failure(plan, entry, error);
    g_autofree char *copy = g_strdup(entry);
    char *at = strrchr(copy, '@');
    char *arrow = at == NULL ? NULL : strstr(at, "->");
    if (arrow == NULL)
        return bad_entry(entry, error);
    *at++ = '\0';
    *arrow = '\0';

    struct fl_preemption preemption = {.k = 0};
    char *plus = strchr(at, '+');
    if (plus != NULL) {
        *plus++ = '\0';
        if (strcmp(g_strstrip(plus), GIVES_UP) == 0)
            preemption.k = FL_K_GIVES_UP;
        else if (!parse_number(plus, &preemption.k) || !fl_k_in_user(preemption.k))
            return bad_entry(entry, error);
    }
    if (!parse_number(g_strstrip(at), &preemption.n))
        return bad_entry(entry, error);
    return parse_thread(scenario, entry, copy, &preemption.thread, error) &&
           parse_thread(scenario, entry, arrow + 2, &preemption.target, error) &&
           plan_insert(plan, scenario, &preemption, error);
}

bool plan_parse_schedule(struct fl_plan *plan, const struct fl_scenario *scenario, const char *text,
                         GError **error)
{
    memset(plan->preemptions, 0, sizeof(plan->preemptions));
    plan->n_preemptions = 0;
    plan_fail_nothing(plan);
    if (text[strspn(text, " \t\n")] == '\0')
        return true;
    g_auto(GStrv) entries = g_strsplit(text, ",", -1);
    for (char **entry = entries; *entry != NULL; entry++)
        if (!parse_entry(plan, scenario, g_strstrip(*entry), error))
            return false;
    return true;
}
