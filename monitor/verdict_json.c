#include "verdict_json.h"

#include "cli.h"
#include "main.h"
#include "trace.h"

static const struct {
    const char *name;
    int exit;
} kinds[] = {
    [VERDICT_CLEAN] = {"clean", EXIT_CLEAN},
    [VERDICT_VIOLATION] = {"violation", EXIT_FOUND},
    [VERDICT_INCONCLUSIVE] = {"inconclusive", EXIT_INCOMPLETE},
};

const char *verdict_name(enum verdict_kind kind)
{
    return kinds[kind].name;
}

int verdict_exit(enum verdict_kind kind)
{
    return kinds[kind].exit;
}

enum verdict_kind verdict_of_trace(const struct verdict *verdict)
{
    return verdict->reason[0] != '\0' ? VERDICT_INCONCLUSIVE : verdict->kind;
}

const struct violation *verdict_violation(const struct verdict *verdict, const struct check *check)
{
    for (size_t i = 0; i < verdict->n_violations; i++)
        if (verdict->violations[i].check == check)
            return &verdict->violations[i];
    return NULL;
}

/* What a check has not seen violated is clean only when the check has seen everything. */
enum verdict_kind verdict_of_check(const struct verdict *verdict, const struct check *check)
{
    if (verdict_violation(verdict, check) != NULL)
        return VERDICT_VIOLATION;
    return verdict->reason[0] != '\0' ? VERDICT_INCONCLUSIVE : VERDICT_CLEAN;
}

static json_t *check_to_json(const struct verdict *verdict, const struct check *check)
{
    const struct violation *violation = verdict_violation(verdict, check);
    json_t *json = json_pack("{s:s, s:s, s:n, s:n}", "id", check->id, "verdict",
                             verdict_name(verdict_of_check(verdict, check)), "message", "event");
    if (violation != NULL) {
        json_object_set_new(json, "message", json_string(violation->message));
        json_object_set_new(json, "event", json_integer((json_int_t)violation->event));
    }
    return json;
}

json_t *verdict_to_json(const struct verdict *verdict)
{
    json_t *list = json_array();
    for (size_t i = 0; checks[i] != NULL; i++)
        json_array_append_new(list, check_to_json(verdict, checks[i]));
    return json_pack("{s:s, s:s, s:s, s:I, s:o, s:o}", "verdict", verdict_name(verdict->kind),
                     "outcome", trace_value_name(TRACE_OUTCOME, verdict->outcome), "reason",
                     verdict->reason, "events", (json_int_t)verdict->events, "event_hash",
                     cli_json_hash(verdict->event_hash), "checks", list);
}

json_t *audits_to_json(const struct audit_totals *audits)
{
    return json_pack("{s:I, s:I, s:I}", "audits", (json_int_t)audits->audits, "objects_walked",
                     (json_int_t)audits->walked, "audits_off", (json_int_t)audits->differ);
}
