/* Any bytes as plan.json and as a schedule: refused in one line, or a plan that says of itself what
 * was read. Run by libFuzzer (`make fuzz`), and with fixed mutations by test_plan.c. */
#include <assert.h>
#include <stdint.h>
#include <string.h>
#include "plan.h"
#include "toy.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void assert_sound(const struct fl_plan *plan)
{
    assert(plan->n_preemptions <= FL_MAX_PREEMPTIONS);
    assert(plan->variant < toy_scenario.n_variants);
    for (uint32_t i = 0; i < toy_scenario.n_params; i++)
        assert(plan->params[i] >= toy_scenario.params[i].min &&
               plan->params[i] <= toy_scenario.params[i].max);
    for (uint32_t i = 0; i < plan->n_preemptions; i++) {
        const struct fl_preemption *preemption = &plan->preemptions[i];
        assert(preemption->thread != 0 && preemption->target != 0);
        assert(preemption->n > 0 || preemption->k > 0);
        assert(i == 0 || plan_compare(&plan->preemptions[i - 1], preemption) < 0);
    }
    assert(plan->n_failures <= FL_MAX_FAILURES);
    assert(plan->n_failures == 0 || (plan->mode & FL_MODE_FAIL));
    for (uint32_t i = 0; i < plan->n_failures; i++) {
        assert(plan->failures[i].kind < FL_FAIL_KINDS && plan->failures[i].nth > 0);
        const struct fl_failure *before = i > 0 ? &plan->failures[i - 1] : NULL;
        assert(before == NULL || before->kind < plan->failures[i].kind ||
               (before->kind == plan->failures[i].kind && before->nth < plan->failures[i].nth));
    }
}

static bool same_anchor(const struct plan_anchor *a, const struct plan_anchor *b)
{
    return a->given == b->given && a->order == b->order && a->nth == b->nth &&
           a->mark_nth == b->mark_nth && a->since == b->since && a->at.line == b->at.line &&
           a->at.step == b->at.step && strcmp(a->point, b->point) == 0 &&
           strcmp(a->label, b->label) == 0 && strcmp(a->function, b->function) == 0 &&
           strcmp(a->mark, b->mark) == 0 && strcmp(a->at.function, b->at.function) == 0;
}

static void as_json(const char *text, size_t size)
{
    struct fl_plan plan, again;
    static struct plan_anchors anchors, anchors_again;
    GError *error = NULL;
    if (!plan_from_text(text, size, &toy_scenario, 0, &plan, &anchors, &error)) {
        assert(error != NULL && error->message[0] != '\0');
        g_error_free(error);
        return;
    }
    assert_sound(&plan);
    g_autofree char *written = plan_to_text(&plan, &toy_scenario, &anchors);
    assert(
        plan_from_text(written, strlen(written), &toy_scenario, 0, &again, &anchors_again, NULL));
    assert(memcmp(&plan, &again, sizeof(plan)) == 0);
    for (uint32_t i = 0; i < plan.n_preemptions; i++)
        assert(same_anchor(&anchors.of[i], &anchors_again.of[i]));
}

static void as_schedule(const char *text)
{
    struct fl_plan plan, again;
    plan_init(&plan, &toy_scenario, 0, 0);
    again = plan;
    GError *error = NULL;
    if (!plan_parse_schedule(&plan, &toy_scenario, text, &error)) {
        assert(error != NULL && error->message[0] != '\0');
        g_error_free(error);
        return;
    }
    assert_sound(&plan);
    g_autofree char *written = plan_whole_schedule(&toy_scenario, &plan);
    assert(plan_parse_schedule(&again, &toy_scenario, written, NULL));
    assert(memcmp(&plan, &again, sizeof(plan)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    g_autofree char *text = g_strndup((const char *)data, size);
    as_json((const char *)data, size);
    as_schedule(text);
    return 0;
}
