/* Any events at all: the engine never crashes, and its verdict and places keep their promises.
 * Input: a byte that chooses the outcome, then events as they lie in the ring. */
#include <assert.h>
#include <string.h>
#include "check.h"
#include "engine.h"
#include "trace.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_places(const struct engine *engine, size_t n_events)
{
    size_t n_places;
    const struct place *places = engine_places(engine, &n_places);
    const uint32_t *ready = engine_ready(engine);

    assert(n_places <= n_events);
    for (size_t i = 0; i < n_places; i++)
        for (unsigned j = 1; j < places[i].n_ready; j++)
            assert(ready[places[i].ready + j - 1] < ready[places[i].ready + j]);
}

static void check_verdict(const struct verdict *verdict, size_t n_events)
{
    assert(verdict->events == n_events);
    assert((verdict->kind == VERDICT_VIOLATION) == (verdict->n_violations > 0));
    assert(verdict->kind != VERDICT_INCONCLUSIVE || verdict->reason[0]);
    assert(trace_value_name(TRACE_OUTCOME, verdict->outcome));
    for (size_t i = 1; i < verdict->n_violations; i++) {
        const struct violation *before = &verdict->violations[i - 1];
        const struct violation *after = &verdict->violations[i];
        assert(before->event < after->event ||
               (before->event == after->event && strcmp(before->check->id, after->check->id) < 0));
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static struct engine *engine;
    struct fl_event event;
    size_t n_events = size ? (size - 1) / sizeof(event) : 0;

    if (!engine)
        engine = engine_new();
    engine_begin(engine, NULL, 0);
    for (size_t i = 0; i < n_events; i++) {
        memcpy(&event, data + 1 + i * sizeof(event), sizeof(event));
        engine_events(engine, &event, 1);
    }
    check_verdict(engine_end(engine, size ? data[0] % 32u : 0), n_events);
    check_places(engine, n_events);
    return 0;
}
