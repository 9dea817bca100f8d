/* The engine: each event goes to the model, to the checks, to the hash and to the list of places.
 */
#include "engine.h"
#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include "check.h"
#include "frames.h"
#include "hash.h"
#include "places.h"
#include "spans.h"
#include "trace.h"

#define STATE_ALIGN 16u

struct engine {
    struct model model;
    struct places places;
    struct spans spans;
    struct frames frames;
    struct verdict verdict;
    struct violation *violations; /* one of each check at most: its earliest */
    struct check_context context;
    uint8_t *states;
    size_t states_size;
    size_t *state_offsets;
    size_t n_checks;
    uint64_t listeners[FL_EVENT_COUNT + 1]; /* checks, as bits, by event; last: unknown ones */
    uint64_t events, hash;
    uint32_t sees; /* id of the event that is counted; of no event: none is */
    char damage[sizeof(((struct verdict *)0)->reason)]; /* "" while the verdict can be known */
};

_Static_assert(FL_EVENT_COUNT < 64, "a set of events fits struct check");

static void find_listeners(struct engine *engine)
{
    assert(engine->n_checks <= 64);
    for (unsigned id = 0; id <= FL_EVENT_COUNT; id++)
        for (size_t i = 0; i < engine->n_checks; i++)
            if (checks[i]->event && checks[i]->on >> id & 1)
                engine->listeners[id] |= UINT64_C(1) << i;
}

struct engine *engine_new(void)
{
    struct engine *engine = g_new0(struct engine, 1);

    model_init(&engine->model);
    places_init(&engine->places);
    spans_init(&engine->spans);
    frames_init(&engine->frames);
    while (checks[engine->n_checks])
        engine->n_checks++;
    engine->violations = g_new0(struct violation, engine->n_checks);
    engine->state_offsets = g_new0(size_t, engine->n_checks);
    for (size_t i = 0; i < engine->n_checks; i++) {
        engine->state_offsets[i] = engine->states_size;
        engine->states_size +=
            (checks[i]->state_size + STATE_ALIGN - 1) / STATE_ALIGN * STATE_ALIGN;
    }
    engine->states = g_malloc0(MAX(engine->states_size, STATE_ALIGN));
    find_listeners(engine);
    engine->context = (struct check_context){.model = &engine->model, .engine = engine};
    engine_begin(engine, NULL, 0);
    return engine;
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    model_free(&engine->model);
    places_free(&engine->places);
    spans_free(&engine->spans);
    frames_free(&engine->frames);
    g_free(engine->violations);
    g_free(engine->state_offsets);
    g_free(engine->states);
    g_free(engine);
}

void engine_begin(struct engine *engine, const struct fl_scenario *scenario, unsigned variant)
{
    model_begin(&engine->model, scenario, variant);
    places_clear(&engine->places);
    spans_clear(&engine->spans);
    frames_clear(&engine->frames);
    memset(engine->states, 0, engine->states_size);
    engine->verdict = (struct verdict){.violations = engine->violations};
    engine->sees = engine->model.variant && engine->model.variant->sees
                       ? engine->model.variant->sees
                       : UINT32_MAX;
    engine->events = 0;
    engine->hash = HASH_START;
    engine->damage[0] = '\0';
    engine->context.damaged = false;
}

void engine_damage(struct engine *engine, const char *reason)
{
    if (engine->context.damaged)
        return;
    engine->context.damaged = true;
    g_strlcpy(engine->damage, reason, sizeof(engine->damage));
}

static void run_check(struct engine *engine, size_t i, void (*function)(struct check_context *))
{
    engine->context.check = checks[i];
    engine->context.state = engine->states + engine->state_offsets[i];
    function(&engine->context);
}

static void add_place(struct engine *engine, const struct fl_event *event)
{
    const struct place *place = places_add(&engine->places, &engine->model, event);

    if (place)
        spans_end(&engine->spans, place);
}

static void check_event(struct engine *engine, const struct fl_event *event)
{
    uint16_t id = fl_event_id(event);

    model_event(&engine->model, event);
    engine->context.event = event;
    engine->context.index = engine->events;
    for (uint64_t left = engine->listeners[MIN(id, FL_EVENT_COUNT)]; left; left &= left - 1) {
        size_t i = (size_t)__builtin_ctzll(left);
        run_check(engine, i, checks[i]->event);
    }
    frames_event(&engine->frames, event, engine->spans.spans->len);
    spans_event(&engine->spans, &engine->model, event);
    if (id == FL_EVENT_ENTRY || id == FL_EVENT_INTERRUPT)
        add_place(engine, event);
}

/* After a loss the model no longer knows what is true: events are still counted and hashed. Each is
 * copied: in the live ring it can change while it is looked at, and its id leads into tables. */
void engine_events(struct engine *engine, const struct fl_event *events, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct fl_event event = events[i];
        if (fl_event_id(&event) == FL_EVENT_RUN_END && event.aux > 0)
            engine_damage(engine, "the guest had no room for all events");
        if (!engine->context.damaged)
            check_event(engine, &event);
        if (fl_event_id(&event) == engine->sees)
            engine->verdict.seen++;
        engine->verdict.refused += fl_event_id(&event) == FL_EVENT_REFUSE;
        engine->hash = hash_event(engine->hash, &event);
        engine->events++;
    }
}

static bool in_order(const struct violation *first, const struct violation *second)
{
    return first->event < second->event ||
           (first->event == second->event && strcmp(first->check->id, second->check->id) < 0);
}

/* Most come in order: only those of one event, and what a check says at the end of events before.
 */
static void sort_last(struct engine *engine)
{
    struct violation *violations = engine->violations;

    for (size_t i = engine->verdict.n_violations - 1; i > 0; i--) {
        struct violation last = violations[i];
        if (in_order(&violations[i - 1], &last))
            return;
        violations[i] = violations[i - 1];
        violations[i - 1] = last;
    }
}

void check_violated(struct check_context *context, const char *format, ...)
{
    struct engine *engine = context->engine;
    struct verdict *verdict = &engine->verdict;
    va_list arguments;

    for (size_t i = 0; i < verdict->n_violations; i++)
        if (engine->violations[i].check == context->check)
            return;
    struct violation *violation = &engine->violations[verdict->n_violations++];
    violation->check = context->check;
    violation->event = context->index;
    va_start(arguments, format);
    vsnprintf(violation->message, sizeof(violation->message), format, arguments);
    va_end(arguments);
    sort_last(engine);
}

void check_inconclusive(struct check_context *context, const char *reason)
{
    struct engine *engine = context->engine;

    if (!engine->damage[0])
        g_strlcpy(engine->damage, reason, sizeof(engine->damage));
}

/* These outcomes leave a run without its end; the others promise one. */
static bool may_lack_end(uint32_t outcome)
{
    return outcome == FL_OUTCOME_GUEST_FAULT || outcome == FL_OUTCOME_ABI_VIOLATION ||
           outcome == FL_OUTCOME_DEAD || outcome == FL_OUTCOME_SILENT;
}

/* A run that the monitor ended, since it knows the rest, has not come to its end. */
static void end_checks(struct engine *engine)
{
    if (engine->verdict.outcome == FL_OUTCOME_KNOWN)
        return;
    engine->context.event = NULL;
    engine->context.outcome = engine->verdict.outcome;
    const uint64_t last = engine->events ? engine->events - 1 : 0;
    for (size_t i = 0; i < engine->n_checks; i++) {
        engine->context.index = last;
        if (checks[i]->end)
            run_check(engine, i, checks[i]->end);
    }
}

const struct verdict *engine_end(struct engine *engine, uint32_t outcome)
{
    struct verdict *verdict = &engine->verdict;

    if (!trace_value_name(TRACE_OUTCOME, outcome))
        outcome = FL_OUTCOME_ABI_VIOLATION; /* a result that the guest scribbled over */
    verdict->outcome = outcome != FL_OUTCOME_NONE ? outcome : engine->model.outcome;
    verdict->events = engine->events;
    verdict->event_hash = engine->hash;
    if (!engine->model.ended && !may_lack_end(verdict->outcome))
        engine_damage(engine, "the trace ends before its run_end");
    end_checks(engine);
    if (engine->damage[0])
        g_strlcpy(verdict->reason, engine->damage, sizeof(verdict->reason));
    verdict->kind = verdict->n_violations > 0 ? VERDICT_VIOLATION
                    : engine->damage[0]       ? VERDICT_INCONCLUSIVE
                                              : VERDICT_CLEAN;
    return verdict;
}

/* What was violated already counts, what was said of it does not. */
static void violation_facts(const struct engine *engine, struct fingerprint *fingerprint)
{
    for (size_t i = 0; i < engine->verdict.n_violations; i++) {
        const char *id = engine->violations[i].check->id;
        fingerprint_fact(fingerprint, 0, id, strlen(id));
    }
}

uint64_t engine_fingerprint(struct engine *engine)
{
    struct fingerprint fingerprint = {.sum = 0};

    model_fingerprint(&engine->model, &fingerprint);
    for (size_t i = 0; i < engine->n_checks; i++) {
        fingerprint.teller = 1 + (uint32_t)i;
        engine->context.state = engine->states + engine->state_offsets[i];
        if (checks[i]->fingerprint)
            checks[i]->fingerprint(&engine->context, &fingerprint);
        else if (checks[i]->state_size > 0)
            fingerprint_fact(&fingerprint, 0, engine->context.state, checks[i]->state_size);
    }
    fingerprint.teller = UINT32_MAX;
    violation_facts(engine, &fingerprint);
    return fingerprint.sum;
}

uint16_t engine_threads(const struct engine *engine, uint64_t set, uint32_t but, GArray *paths)
{
    return places_ready(paths, &engine->model, set, but);
}

const struct place *engine_places(const struct engine *engine, size_t *count)
{
    *count = engine->places.places->len;
    return (const struct place *)(const void *)engine->places.places->data;
}

const uint32_t *engine_ready(const struct engine *engine)
{
    return (const uint32_t *)(const void *)engine->places.ready->data;
}

const struct span *engine_spans(const struct engine *engine, size_t *count)
{
    *count = engine->spans.spans->len;
    return (const struct span *)(const void *)engine->spans.spans->data;
}

const struct frame_life *engine_frame_lives(const struct engine *engine, size_t *count)
{
    *count = engine->frames.lives->len;
    return (const struct frame_life *)(const void *)engine->frames.lives->data;
}

const struct thread_birth *engine_births(const struct engine *engine, size_t *count)
{
    *count = engine->spans.births->len;
    return (const struct thread_birth *)(const void *)engine->spans.births->data;
}

uint32_t engine_lone_spaces(const struct engine *engine)
{
    uint32_t one = 0, several = engine->frames.sharing;

    for (guint i = 0; i < engine->model.threads->len; i++) {
        uint16_t space = model_thread(&engine->model, i)->space;
        uint32_t bit = space < 32 ? 1u << space : 0;
        several |= one & bit;
        one |= bit;
    }
    return one & ~several;
}
