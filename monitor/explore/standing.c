#include "standing.h"

#include <string.h>
#include <xxhash.h>

/* A question of a run. */
struct noted {
    uint32_t thread, n;
    struct state_hash hash;
};

struct standing {
    struct state_reader *reader;
    GArray *noted, *before;   /* of struct noted: of this run, and of the one before */
    GArray *states;           /* of struct state_hash, as in the report */
    bool ended, before_ended; /* by the answer to its last question */
    uint32_t fed;
    unsigned guest; /* session_boots() when the run was last asked about */
};

struct standing *standing_new(const struct image *image, GError **error)
{
    struct state_reader *reader = state_reader_new(image, error);
    if (reader == NULL)
        return NULL;
    struct standing *standing = g_new0(struct standing, 1);
    standing->reader = reader;
    standing->noted = g_array_new(FALSE, FALSE, sizeof(struct noted));
    standing->before = g_array_new(FALSE, FALSE, sizeof(struct noted));
    standing->states = g_array_new(FALSE, TRUE, sizeof(struct state_hash));
    return standing;
}

void standing_free(struct standing *standing)
{
    if (standing == NULL)
        return;
    state_reader_free(standing->reader);
    g_array_free(standing->noted, TRUE);
    g_array_free(standing->before, TRUE);
    g_array_free(standing->states, TRUE);
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

/* How many events the run has by now: the last is the entry that is asked about. 0: there is no
 * such entry, the guest is out of its mind. */
static uint32_t events_so_far(const struct standing *standing, const struct session *session,
                              const struct fl_decision *ask)
{
    for (uint32_t i = standing->fed; i < session_events_limit(session); i++) {
        const struct fl_event *event = session_event(session, i);
        if (fl_event_id(event) == FL_EVENT_ENTRY && event->thread == ask->thread &&
            event->aux == ask->n)
            return i + 1;
    }
    return 0;
}

static bool feed(struct standing *standing, struct engine *engine, const struct session *session,
                 const struct fl_decision *ask)
{
    const uint32_t end = events_so_far(standing, session, ask);
    while (standing->fed < end)
        engine_events(engine, session_event(session, standing->fed++), 1);
    return end != 0;
}

/* The ready set is state of the kernel's; who stands there, and on which way in, its memory does
 * not say yet. */
static struct state_hash combine(const struct state_hash *memory, uint64_t fingerprint,
                                 const struct fl_decision *ask)
{
    const uint64_t words[] = {memory->low, memory->high, fingerprint, ask->thread, ask->point};
    const XXH128_hash_t sum = XXH3_128bits(words, sizeof words);
    return (struct state_hash){sum.low64, sum.high64};
}

const struct state_hash *standing_ask(struct standing *standing, struct engine *engine,
                                      const struct fl_scenario *scenario, unsigned variant,
                                      const struct session *session, const struct fl_decision *ask)
{
    struct noted noted = {.thread = ask->thread, .n = ask->n};
    struct state_hash memory;
    const struct asker asker = session_asker(session);
    follow_guest(standing, session);
    if (standing->fed == 0)
        engine_begin(engine, scenario, variant);
    if (!feed(standing, engine, session, ask) ||
        !state_read(standing->reader, asker.memory.memory, asker.core_table, &memory))
        return NULL;
    noted.hash = combine(&memory, engine_fingerprint(engine), ask);
    g_array_append_val(standing->noted, noted);
    return &g_array_index(standing->noted, struct noted, standing->noted->len - 1).hash;
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

void standing_fill(struct standing *standing, struct run_report *report)
{
    guint at = 0;
    g_array_set_size(standing->states, 0);
    g_array_set_size(standing->states, (guint)report->n_places);
    for (size_t i = 0; i < report->n_places && at < standing->noted->len; i++) {
        const struct noted *noted = &g_array_index(standing->noted, struct noted, at);
        const struct place *place = &report->places[i];
        if (place->thread != noted->thread || place->n != noted->n || place->k != 0)
            continue;
        g_array_index(standing->states, struct state_hash, i) = noted->hash;
        at++;
    }
    report->states = (const struct state_hash *)(void *)standing->states->data;
}

void standing_add(struct standing *standing, size_t i, uint64_t what)
{
    struct state_hash *state = &g_array_index(standing->states, struct state_hash, i);
    const uint64_t words[] = {state->low, state->high, what};
    if ((state->low | state->high) == 0)
        return;
    const XXH128_hash_t sum = XXH3_128bits(words, sizeof words);
    *state = (struct state_hash){sum.low64, sum.high64};
}
