/* plan.json. Unknown keys are refused: a key that this program does not know could change what the
 * plan means. */
#include "plan.h"

#include <jansson.h>
#include <string.h>
#include "trace.h"

static const char *const policy_names[] = {
    [FL_POLICY_FIXED] = "fixed",
    [FL_POLICY_RANDOM] = "random",
    [FL_POLICY_WALK] = "walk",
    [FL_POLICY_PCT] = "pct",
};

static json_t *params_to_json(const struct fl_plan *plan, const struct fl_scenario *scenario)
{
    json_t *params = json_object();
    for (unsigned i = 0; i < scenario->n_params; i++)
        json_object_set_new(params, scenario->params[i].id, json_integer(plan->params[i]));
    return params;
}

static json_t *anchor_to_json(const struct plan_anchor *anchor)
{
    json_t *json =
        json_pack("{s:I, s:s, s:s, s:s, s:I, s:s, s:I, s:I}", "order", (json_int_t)anchor->order,
                  "point", anchor->point, "label", anchor->label, "function", anchor->function,
                  "nth", (json_int_t)anchor->nth, "mark", anchor->mark, "mark_nth",
                  (json_int_t)anchor->mark_nth, "since", (json_int_t)anchor->since);
    if (anchor->at.function[0] != '\0')
        json_object_set_new(json, "at",
                            json_pack("{s:s, s:I, s:I}", "function", anchor->at.function, "line",
                                      (json_int_t)anchor->at.line, "step",
                                      (json_int_t)anchor->at.step));
    return json;
}

static json_t *preemption_to_json(const struct fl_preemption *preemption,
                                  const struct fl_scenario *scenario)
{
    char thread[TRACE_NAME_MAX];
    char target[TRACE_NAME_MAX];
    return json_pack("{s:s, s:I, s:I, s:s}", "thread",
                     trace_thread_name(scenario, preemption->thread, thread), "n",
                     (json_int_t)preemption->n, "k", (json_int_t)preemption->k, "target",
                     trace_thread_name(scenario, preemption->target, target));
}

static json_t *failures_to_json(const struct fl_plan *plan)
{
    json_t *failures = json_array();
    for (uint32_t i = 0; i < plan->n_failures; i++)
        json_array_append_new(failures,
                              json_pack("{s:s, s:i}", "kind",
                                        trace_value_name(TRACE_FAIL, plan->failures[i].kind), "nth",
                                        (int)plan->failures[i].nth));
    return failures;
}

json_t *plan_to_json(const struct fl_plan *plan, const struct fl_scenario *scenario)
{
    json_t *preemptions = json_array();
    for (uint32_t i = 0; i < plan->n_preemptions; i++)
        json_array_append_new(preemptions, preemption_to_json(&plan->preemptions[i], scenario));
    json_t *json = json_pack(
        "{s:s, s:s, s:o, s:s, s:I, s:I, s:s, s:I, s:o}", "scenario", scenario->id, "variant",
        scenario->variants[plan->variant].id, "params", params_to_json(plan, scenario), "policy",
        policy_names[plan->policy], "seed", (json_int_t)plan->seed, "chance",
        (json_int_t)plan->chance, "depth", trace_value_name(TRACE_DEPTH, plan->depth), "budget",
        (json_int_t)plan->budget, "preemptions", preemptions);
    if (plan->mode & FL_MODE_AUDIT)
        json_object_set_new(json, "audit", json_true());
    if (plan->mode & FL_MODE_FAIL)
        json_object_set_new(json, "failures", failures_to_json(plan));
    if (plan->policy == FL_POLICY_PCT)
        json_object_set_new(json, "changes", json_integer((json_int_t)plan->changes));
    return json;
}

char *plan_to_text(const struct fl_plan *plan, const struct fl_scenario *scenario,
                   const struct plan_anchors *anchors)
{
    json_t *json = plan_to_json(plan, scenario);
    json_t *preemptions = json_object_get(json, "preemptions");
    for (uint32_t i = 0; anchors != NULL && i < plan->n_preemptions; i++)
        if (anchors->of[i].given)
            json_object_set_new(json_array_get(preemptions, i), "anchor",
                                anchor_to_json(&anchors->of[i]));
    char *dump = json_dumps(json, JSON_INDENT(2));
    char *text = g_strconcat(dump, "\n", NULL);
    free(dump);
    json_decref(json);
    return text;
}

/* ---- reading ---- */

static bool fail(GError **error, enum plan_error code, const char *format, ...) G_GNUC_PRINTF(3, 4);

static bool fail(GError **error, enum plan_error code, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    g_autofree char *message = g_strdup_vprintf(format, arguments);
    va_end(arguments);
    g_set_error(error, PLAN_ERROR, (int)code, "plan: %s", message);
    return false;
}

static bool known_keys(const json_t *object, const char *const *keys, GError **error)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) if (!g_strv_contains(keys, key)) return fail(
        error, PLAN_ERROR_NAME, "unknown key \"%s\"", key);
    return true;
}

static bool read_string(const json_t *object, const char *key, const char **value, GError **error)
{
    *value = json_string_value(json_object_get(object, key));
    if (*value == NULL)
        return fail(error, PLAN_ERROR_SYNTAX, "\"%s\" must be a string", key);
    return true;
}

static bool read_number(const json_t *object, const char *key, json_int_t min, json_int_t max,
                        json_int_t *value, GError **error)
{
    const json_t *number = json_object_get(object, key);
    *value = json_integer_value(number);
    if (!json_is_integer(number) || *value < min || *value > max)
        return fail(error, PLAN_ERROR_RANGE,
                    "\"%s\" must be a number from %" JSON_INTEGER_FORMAT
                    " to %" JSON_INTEGER_FORMAT,
                    key, min, max);
    return true;
}

static bool read_word(const json_t *object, const char *key, uint32_t *value, GError **error)
{
    json_int_t number;
    if (!read_number(object, key, 0, UINT32_MAX, &number, error))
        return false;
    *value = (uint32_t)number;
    return true;
}

static bool read_subject(const json_t *json, const struct fl_scenario *scenario,
                         unsigned scenario_index, struct fl_plan *plan, GError **error)
{
    const char *id, *variant;
    if (!read_string(json, "scenario", &id, error) ||
        !read_string(json, "variant", &variant, error))
        return false;
    if (strcmp(id, scenario->id) != 0)
        return fail(error, PLAN_ERROR_NAME, "it is for scenario \"%s\", not for %s", id,
                    scenario->id);
    for (unsigned i = 0; i < scenario->n_variants; i++) {
        if (strcmp(variant, scenario->variants[i].id) == 0) {
            plan_init(plan, scenario, scenario_index, i);
            return true;
        }
    }
    return fail(error, PLAN_ERROR_NAME, "%s has no variant \"%s\"", id, variant);
}

static bool read_params(const json_t *json, const struct fl_scenario *scenario,
                        struct fl_plan *plan, GError **error)
{
    json_t *params = json_object_get(json, "params");
    if (!json_is_object(params))
        return fail(error, PLAN_ERROR_SYNTAX, "\"params\" must be an object");
    const char *id;
    json_t *value;
    json_object_foreach(params, id, value)
    {
        if (!json_is_integer(value))
            return fail(error, PLAN_ERROR_SYNTAX, "parameter \"%s\" must be a number", id);
        g_autofree char *assignment =
            g_strdup_printf("%s=%" JSON_INTEGER_FORMAT, id, json_integer_value(value));
        if (!plan_set_param(plan, scenario, assignment, error)) {
            g_prefix_error(error, "plan: ");
            return false;
        }
    }
    return true;
}

static bool find_policy(const char *name, struct fl_plan *plan, GError **error)
{
    for (size_t i = 0; i < G_N_ELEMENTS(policy_names); i++) {
        if (strcmp(name, policy_names[i]) == 0) {
            plan->policy = (uint8_t)i;
            return true;
        }
    }
    return fail(error, PLAN_ERROR_NAME, "\"policy\" must be fixed, random, walk or pct, not \"%s\"",
                name);
}

/* Of policy pct alone. */
static bool read_changes(const json_t *json, struct fl_plan *plan, GError **error)
{
    json_int_t changes = 0;
    if (json_object_get(json, "changes") != NULL &&
        !read_number(json, "changes", 0, FL_MAX_CHANGES, &changes, error))
        return false;
    plan->changes = (uint8_t)changes;
    return true;
}

static bool read_policy(const json_t *json, struct fl_plan *plan, GError **error)
{
    const char *policy, *depth;
    json_int_t budget;
    if (!read_string(json, "policy", &policy, error) || !find_policy(policy, plan, error) ||
        !read_changes(json, plan, error) || !read_string(json, "depth", &depth, error) ||
        !read_word(json, "seed", &plan->seed, error) ||
        !read_word(json, "chance", &plan->chance, error) ||
        !read_number(json, "budget", 1, INT64_MAX, &budget, error))
        return false;
    plan->budget = (uint64_t)budget;

    int found = trace_depth_of(depth);
    if (found < FL_DEPTH_IPC || found > FL_DEPTH_INSN)
        return fail(error, PLAN_ERROR_NAME,
                    "\"depth\" must be ipc, sync, access or insn, not \"%s\"", depth);
    plan->depth = (uint8_t)found;
    return true;
}

/* Left out: no. */
static bool read_audit(const json_t *json, struct fl_plan *plan, GError **error)
{
    const json_t *audit = json_object_get(json, "audit");
    if (audit != NULL && !json_is_boolean(audit))
        return fail(error, PLAN_ERROR_SYNTAX, "\"audit\" must be true or false");
    if (json_is_true(audit))
        plan->mode |= FL_MODE_AUDIT;
    return true;
}

static bool read_thread(const json_t *json, const char *key, const struct fl_scenario *scenario,
                        uint32_t *path, GError **error)
{
    const char *name;
    if (!read_string(json, key, &name, error))
        return false;
    *path = trace_thread_path(scenario, name);
    if (*path == 0)
        return fail(error, PLAN_ERROR_NAME, "%s has no thread that could be called \"%s\"",
                    scenario->id, name);
    return true;
}

static bool read_text(const json_t *object, const char *key, char *text, size_t size,
                      GError **error)
{
    const char *value;
    if (!read_string(object, key, &value, error))
        return false;
    if (g_strlcpy(text, value, size) >= size)
        return fail(error, PLAN_ERROR_RANGE, "\"%s\" must be shorter than %zu bytes", key, size);
    return true;
}

static bool read_instruction(const json_t *json, struct plan_instruction *at, GError **error)
{
    static const char *const keys[] = {"function", "line", "step", NULL};
    if (!json_is_object(json))
        return fail(error, PLAN_ERROR_SYNTAX, "\"at\" must be an object");
    json_int_t line;
    if (!known_keys(json, keys, error) ||
        !read_text(json, "function", at->function, sizeof(at->function), error) ||
        !read_number(json, "line", INT32_MIN, INT32_MAX, &line, error) ||
        !read_word(json, "step", &at->step, error))
        return false;
    at->line = (int32_t)line;
    return true;
}

static bool read_anchor(const json_t *json, struct plan_anchor *anchor, GError **error)
{
    static const char *const keys[] = {"order", "point",    "label", "function", "nth",
                                       "mark",  "mark_nth", "since", "at",       NULL};
    if (!json_is_object(json))
        return fail(error, PLAN_ERROR_SYNTAX, "\"anchor\" must be an object");
    const json_t *at = json_object_get(json, "at");
    anchor->given = true;
    return known_keys(json, keys, error) && read_word(json, "order", &anchor->order, error) &&
           read_text(json, "point", anchor->point, sizeof(anchor->point), error) &&
           read_text(json, "label", anchor->label, sizeof(anchor->label), error) &&
           read_text(json, "function", anchor->function, sizeof(anchor->function), error) &&
           read_word(json, "nth", &anchor->nth, error) &&
           read_text(json, "mark", anchor->mark, sizeof(anchor->mark), error) &&
           read_word(json, "mark_nth", &anchor->mark_nth, error) &&
           read_word(json, "since", &anchor->since, error) &&
           (at == NULL || read_instruction(at, &anchor->at, error));
}

static bool read_preemption(const json_t *json, const struct fl_scenario *scenario,
                            struct fl_plan *plan, struct plan_anchors *anchors, GError **error)
{
    static const char *const keys[] = {"thread", "n", "k", "target", "anchor", NULL};
    if (!json_is_object(json))
        return fail(error, PLAN_ERROR_SYNTAX, "each of \"preemptions\" must be an object");
    struct fl_preemption preemption;
    struct plan_anchor anchor = {.given = false};
    const json_t *anchored = json_object_get(json, "anchor");
    if (!known_keys(json, keys, error) ||
        !read_thread(json, "thread", scenario, &preemption.thread, error) ||
        !read_word(json, "n", &preemption.n, error) ||
        !read_word(json, "k", &preemption.k, error) ||
        !read_thread(json, "target", scenario, &preemption.target, error) ||
        (anchored != NULL && !read_anchor(anchored, &anchor, error)))
        return false;
    if (!plan_insert(plan, scenario, &preemption, error)) {
        g_prefix_error(error, "plan: ");
        return false;
    }
    if (anchors == NULL)
        return true;
    uint32_t at = plan->n_preemptions - 1;
    for (; plan_compare(&plan->preemptions[at], &preemption) != 0; at--)
        anchors->of[at] = anchors->of[at - 1];
    anchors->of[at] = anchor;
    return true;
}

static bool read_preemptions(const json_t *json, const struct fl_scenario *scenario,
                             struct fl_plan *plan, struct plan_anchors *anchors, GError **error)
{
    const json_t *list = json_object_get(json, "preemptions");
    if (!json_is_array(list))
        return fail(error, PLAN_ERROR_SYNTAX, "\"preemptions\" must be an array");
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!read_preemption(json_array_get(list, i), scenario, plan, anchors, error))
            return false;
    return true;
}

static bool read_failure(const json_t *json, struct fl_plan *plan, GError **error)
{
    static const char *const keys[] = {"kind", "nth", NULL};
    const char *kind;
    json_int_t nth;
    if (!json_is_object(json))
        return fail(error, PLAN_ERROR_SYNTAX, "each of \"failures\" must be an object");
    if (!known_keys(json, keys, error) || !read_string(json, "kind", &kind, error) ||
        !read_number(json, "nth", 1, UINT16_MAX, &nth, error))
        return false;
    const int found = plan_failure_kind(kind);
    if (found < 0)
        return fail(error, PLAN_ERROR_NAME, "\"kind\" must be frame, slab or ipc, not \"%s\"",
                    kind);
    if (plan_fail(plan, &(struct fl_failure){(uint16_t)found, (uint16_t)nth}, error))
        return true;
    g_prefix_error(error, "plan: ");
    return false;
}

/* Left out: not of mode fail. An empty list is of that mode, and has nothing fail. */
static bool read_failures(const json_t *json, struct fl_plan *plan, GError **error)
{
    const json_t *list = json_object_get(json, "failures");
    if (list == NULL)
        return true;
    if (!json_is_array(list))
        return fail(error, PLAN_ERROR_SYNTAX, "\"failures\" must be an array");
    plan->mode |= FL_MODE_FAIL;
    for (size_t i = 0; i < json_array_size(list); i++)
        if (!read_failure(json_array_get(list, i), plan, error))
            return false;
    return true;
}

static bool read_plan(const json_t *json, const struct fl_scenario *scenario,
                      unsigned scenario_index, struct fl_plan *plan, struct plan_anchors *anchors,
                      GError **error)
{
    static const char *const keys[] = {"scenario",    "variant",  "params", "policy", "seed",
                                       "chance",      "changes",  "depth",  "budget", "audit",
                                       "preemptions", "failures", NULL};
    if (!json_is_object(json))
        return fail(error, PLAN_ERROR_SYNTAX, "expected a JSON object");
    return known_keys(json, keys, error) &&
           read_subject(json, scenario, scenario_index, plan, error) &&
           read_params(json, scenario, plan, error) && read_policy(json, plan, error) &&
           read_audit(json, plan, error) && read_failures(json, plan, error) &&
           read_preemptions(json, scenario, plan, anchors, error);
}

bool plan_from_text(const char *text, size_t size, const struct fl_scenario *scenario,
                    unsigned scenario_index, struct fl_plan *plan, struct plan_anchors *anchors,
                    GError **error)
{
    json_error_t problem;
    if (anchors != NULL)
        memset(anchors, 0, sizeof(*anchors));
    json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &problem);
    if (json == NULL)
        return fail(error, PLAN_ERROR_SYNTAX, "no JSON (line %d: %s)", problem.line, problem.text);
    bool good = read_plan(json, scenario, scenario_index, plan, anchors, error);
    json_decref(json);
    return good;
}
