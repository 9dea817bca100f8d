/* The second access of a race comes first when its thread is run instead of the other one, right
 * before the first access; and what lies between the two is tried by doing so right after it. */
#include "race_trial.h"

#include <string.h>
#include "check.h"
#include "plan.h"

static const char *const names[] = {
    [RACE_UNTRIED] = "untried",
    [RACE_HARMLESS] = "harmless",
    [RACE_HARMFUL] = "harmful",
};

const char *race_effect_name(enum race_effect effect)
{
    return names[effect];
}

struct attempt {
    const struct race *race;
    struct race_trial *trial;
    char seen_violates[48]; /* what the plan that showed the race violates by itself, or "" */
};

static void harmful(struct race_trial *trial, const struct fl_plan *plan, const char *check)
{
    trial->effect = RACE_HARMFUL;
    trial->plan = *plan;
    g_strlcpy(trial->check, check, sizeof(trial->check));
}

/* Whether the second access is made, at least once, before the first is for the first time after
 * the last preemption. */
static bool reversed(const struct race *race, const struct sample *sample, struct engine *engine)
{
    size_t n_spans;
    const struct span *spans = engine_spans(engine, &n_spans);
    size_t preempted = 0;
    for (size_t i = 0; i < sample->n_events; i++)
        if (fl_event_id(&sample->events[i]) == FL_EVENT_PREEMPT)
            preempted = i;
    for (size_t i = 0; i < sample->n_accesses; i++) {
        const struct access *access = &sample->accesses[i];
        if (access->span >= n_spans || spans[access->span].event <= preempted)
            continue;
        const uint32_t thread = spans[access->span].thread;
        if (access->pc == race->first.pc && thread == race->first.thread)
            return false;
        if (access->pc == race->second.pc && thread == race->second.thread)
            return true;
    }
    return false;
}

struct visit {
    struct attempt *attempt;
    const struct samples *samples;
    const struct fl_plan *seen;
};

/* The first is the plan that showed the race. Where that violates a check, the race is to blame
 * when the other order does not. */
static bool on_attempt(void *context, size_t i, const struct sample *sample)
{
    struct visit *visit = context;
    struct attempt *attempt = visit->attempt;
    struct race_trial *trial = attempt->trial;
    const bool violated = sample->verdict->kind == VERDICT_VIOLATION;
    const char *check = violated ? sample->verdict->violations[0].check->id : "";
    trial->runs++;
    if (i == 0) {
        g_strlcpy(attempt->seen_violates, check, sizeof(attempt->seen_violates));
        return true;
    }
    if (!sample_complete(sample))
        return true;
    const bool other_way = reversed(attempt->race, sample, visit->samples->engine);
    if (other_way)
        trial->effect = MAX(trial->effect, RACE_HARMLESS);
    if (violated && attempt->seen_violates[0] == '\0')
        harmful(trial, sample->plan, check);
    else if (!violated && attempt->seen_violates[0] != '\0' && other_way)
        harmful(trial, visit->seen, attempt->seen_violates);
    return trial->effect != RACE_HARMFUL;
}

bool race_try(const struct samples *samples, const struct race *race, const struct fl_plan *seen,
              struct race_trial *trial, GError **error)
{
    g_autofree struct fl_plan *plans = g_new(struct fl_plan, 3);
    const uint32_t ks[] = {race->first.k, race->first.k + 1};
    size_t n = 1;
    plans[0] = *seen;
    for (size_t i = 0; i < G_N_ELEMENTS(ks); i++) {
        const struct fl_preemption between = {.thread = race->first.thread,
                                              .n = race->first.n,
                                              .k = ks[i],
                                              .target = race->second.thread};
        plans[n] = *seen;
        n += plan_insert(&plans[n], samples->scenario, &between, NULL);
    }
    *trial = (struct race_trial){.effect = RACE_UNTRIED};
    struct attempt attempt = {.race = race, .trial = trial};
    struct visit visit = {.attempt = &attempt, .samples = samples, .seen = seen};
    return samples_run(samples, plans, n, on_attempt, &visit, error);
}
