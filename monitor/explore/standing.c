#include "standing.h"

#include <string.h>
#include <xxhash.h>

/* A question of a run. */
struct noted {
    uint32_t thread, n, k, point;
    struct state_hash hash;
};

struct standing {
    struct state_reader *reader;
    GArray *noted, *before; /* of struct noted: of this run, and of the one before */
    GArray *places;         /* of struct place: of this run's questions */
    GArray *states;         /* of struct state_hash: of each of them */
    GArray *ready;          /* uint32_t: of the places */
    GArray *all_places, *all_states, *all_ready; /* likewise: as in the report */
    bool ended, before_ended;                    /* by the answer to its last question */
    uint32_t fed;
    unsigned guest; /* session_boots() when the run was last asked about */
    bool bounded;
};

struct standing *standing_new(const struct image *image, bool bounded, GError **error)
{
    struct state_reader *reader = state_reader_new(image, error);
    if (reader == NULL)
        return NULL;
    struct standing *standing = g_new0(struct standing, 1);
    standing->reader = reader;
    standing->bounded = bounded;
    standing->noted = g_array_new(FALSE, FALSE, sizeof(struct noted));
    standing->before = g_array_new(FALSE, FALSE, sizeof(struct noted));
    standing->places = g_array_new(FALSE, FALSE, sizeof(struct place));
    standing->all_places = g_array_new(FALSE, FALSE, sizeof(struct place));
    standing->states = g_array_new(FALSE, FALSE, sizeof(struct state_hash));
    standing->all_states = g_array_new(FALSE, FALSE, sizeof(struct state_hash));
    standing->ready = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    standing->all_ready = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return standing;
}

void standing_free(struct standing *standing)
{
    if (standing == NULL)
        return;
    state_reader_free(standing->reader);
    g_array_free(standing->noted, TRUE);
    g_array_free(standing->before, TRUE);
    g_array_free(standing->places, TRUE);
    g_array_free(standing->all_places, TRUE);
    g_array_free(standing->states, TRUE);
    g_array_free(standing->all_states, TRUE);
    g_array_free(standing->ready, TRUE);
    g_array_free(standing->all_ready, TRUE);
    g_free(standing);
}

void standing_begin(struct standing *standing)
{
    GArray *before = standing->before;
    standing->before = standing->noted;
    standing->noted = before;
    standing->before_ended = standing->ended;
    standing->ended = false;
    g_array_set_size(standing->noted, 0);
    g_array_set_size(standing->places, 0);
    g_array_set_size(standing->states, 0);
    g_array_set_size(standing->ready, 0);
    standing->fed = 0;
}

uint32_t standing_fed(const struct standing *standing, const struct session *session)
{
    return standing->guest == session_boots(session) ? standing->fed : 0;
}

/* A guest that broke the ABI has gone, and another makes the run from its beginning. */
static void follow_guest(struct standing *standing, const struct session *session)
{
    const unsigned guest = session_boots(session);
    if (standing->fed > 0 && standing->guest != guest) {
        standing->fed = 0;
        standing->ended = false;
        g_array_set_size(standing->noted, 0);
    }
    standing->guest = guest;
}

/* ---- a question ---- */

/* All that the run has said by now. */
static void feed(struct standing *standing, struct engine *engine, const struct session *session,
                 const struct fl_decision *ask)
{
    const uint32_t end = MIN(ask->events, session_events_limit(session));
    while (standing->fed < end)
        engine_events(engine, session_event(session, standing->fed++), 1);
}

/* Who is ready, and how each stands, is in the kernel's memory (guest/kernel/standing.c). */
static struct state_hash combine(const struct standing *standing, const struct state_hash *memory,
                                 uint64_t fingerprint, const struct fl_decision *ask)
{
    const bool chosen = standing->bounded && ask->k != FL_K_GIVES_UP;
    const uint64_t words[] = {memory->low, memory->high, fingerprint, chosen ? ask->goes_on : 0};
    const XXH128_hash_t sum = XXH3_128bits(words, sizeof words);
    return (struct state_hash){sum.low64, sum.high64};
}

static void note(struct standing *standing, const struct engine *engine,
                 const struct fl_decision *ask, const struct state_hash *state)
{
    const struct noted noted = {ask->thread, ask->n, ask->k, ask->point, *state};
    struct place place = {
        .thread = ask->thread,
        .n = ask->n,
        .k = ask->k,
        .point = (uint16_t)ask->point,
        .ready = standing->ready->len,
        .goes_on = ask->goes_on,
        .event = standing->fed - 1,
    };
    place.n_ready = engine_threads(engine, ask->ready, ask->goes_on, standing->ready);
    g_array_append_val(standing->noted, noted);
    g_array_append_val(standing->places, place);
    g_array_append_val(standing->states, *state);
}

const struct state_hash *standing_ask(struct standing *standing, struct engine *engine,
                                      const struct fl_scenario *scenario, unsigned variant,
                                      const struct session *session, const struct fl_decision *ask)
{
    struct state_hash state = {0, 0};
    const struct asker asker = session_asker(session);
    follow_guest(standing, session);
    if (standing->fed == 0)
        engine_begin(engine, scenario, variant);
    feed(standing, engine, session, ask);
    const bool told = state_read(standing->reader, asker.memory.memory, asker.core_table, &state);
    if (told)
        state = combine(standing, &state, engine_fingerprint(engine), ask);
    note(standing, engine, ask, &state);
    return told ? &g_array_index(standing->states, struct state_hash, standing->states->len - 1)
                : NULL;
}

void standing_end(struct standing *standing)
{
    standing->ended = true;
}

bool standing_goes_on(const struct standing *standing)
{
    const guint n = standing->noted->len;
    return (n < standing->before->len || (n == standing->before->len && !standing->before_ended)) &&
           memcmp(standing->noted->data, standing->before->data, n * sizeof(struct noted)) == 0;
}

/* ---- the report ---- */

static void put(struct standing *standing, const struct place *from, const uint32_t *ready,
                const struct state_hash *state)
{
    struct place place = *from;
    place.ready = standing->all_ready->len;
    g_array_append_vals(standing->all_ready, ready + from->ready, from->n_ready);
    g_array_append_val(standing->all_places, place);
    g_array_append_vals(standing->all_states, state, 1);
}

/* Places in user mode, up to an event; nobody asked there. From which on to look next. */
static size_t put_inner(struct standing *standing, const struct run_report *report, size_t from,
                        uint64_t until)
{
    const struct state_hash untold = {0, 0};
    for (; from < report->n_places && report->places[from].event <= until; from++)
        if (fl_k_in_user(report->places[from].k))
            put(standing, &report->places[from], report->ready, &untold);
    return from;
}

void standing_fill(struct standing *standing, struct run_report *report)
{
    size_t next = 0;
    g_array_set_size(standing->all_places, 0);
    g_array_set_size(standing->all_states, 0);
    g_array_set_size(standing->all_ready, 0);
    for (guint i = 0; i < standing->places->len; i++) {
        const struct place *asked = &g_array_index(standing->places, struct place, i);
        next = put_inner(standing, report, next, asked->event);
        put(standing, asked, (const uint32_t *)(void *)standing->ready->data,
            &g_array_index(standing->states, struct state_hash, i));
    }
    put_inner(standing, report, next, UINT64_MAX);
    report->places = (const struct place *)(void *)standing->all_places->data;
    report->n_places = standing->all_places->len;
    report->ready = (const uint32_t *)(void *)standing->all_ready->data;
    report->states = (const struct state_hash *)(void *)standing->all_states->data;
}

void standing_add(struct standing *standing, size_t i, uint64_t what)
{
    struct state_hash *state = &g_array_index(standing->all_states, struct state_hash, i);
    const uint64_t words[] = {state->low, state->high, what};
    if ((state->low | state->high) == 0)
        return;
    const XXH128_hash_t sum = XXH3_128bits(words, sizeof words);
    *state = (struct state_hash){sum.low64, sum.high64};
}
