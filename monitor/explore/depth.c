#include "depth.h"

struct depth {
    unsigned depth;
    struct access_set *set; /* depth access, else NULL */
    GArray *inner;          /* struct place, k >= 1: of the run at hand, at depth access */
    GArray *places;         /* struct place: all of the run at hand */
    uint32_t lone;          /* spaces left out of some run, as bits */
    uint32_t shared;        /* spaces that some run needed */
};

bool depth_needs_spans(unsigned depth)
{
    return depth >= FL_DEPTH_ACCESS;
}

bool depth_needs_accesses(unsigned depth)
{
    return depth == FL_DEPTH_ACCESS;
}

struct depth *depth_new(unsigned depth)
{
    struct depth *fresh = g_new0(struct depth, 1);
    fresh->depth = depth;
    fresh->set = depth_needs_accesses(depth) ? access_set_new() : NULL;
    fresh->inner = g_array_new(FALSE, FALSE, sizeof(struct place));
    fresh->places = g_array_new(FALSE, FALSE, sizeof(struct place));
    return fresh;
}

void depth_free(struct depth *depth)
{
    if (depth == NULL)
        return;
    access_set_free(depth->set);
    g_array_free(depth->inner, TRUE);
    g_array_free(depth->places, TRUE);
    g_free(depth);
}

uint32_t depth_left_out(const struct depth *depth)
{
    return depth->lone & ~depth->shared;
}

size_t depth_instructions(const struct depth *depth)
{
    return depth->set != NULL ? access_instructions(depth->set) : 0;
}

/* ---- k >= 1: all of a span ---- */

static bool is_left_out(uint32_t lone, uint16_t space)
{
    return space < 32 && (lone >> space & 1) != 0;
}

/* What ended a span with an entry is that entry's place. */
static void append_span(GArray *places, const struct span *span)
{
    uint32_t first = span->k + (span->resumed ? 1 : 0);
    uint32_t end = span->k + span->instructions - (span->interrupted ? 0 : 1);
    if (span->n_ready == 0 || end <= first)
        return;
    guint at = places->len;
    g_array_set_size(places, at + (end - first));
    for (uint32_t k = first; k < end; k++)
        g_array_index(places, struct place, at++) = (struct place){
            .thread = span->thread,
            .n = span->n,
            .k = k,
            .point = FL_POINT_NONE,
            .n_ready = span->n_ready,
            .ready = span->ready,
            .event = span->event,
        };
}

static void note_spaces(struct depth *depth, const struct span *spans, size_t n, uint32_t lone)
{
    uint32_t used = 0;
    for (size_t i = 0; i < n; i++)
        used |= spans[i].space < 32 ? 1u << spans[i].space : 0;
    depth->lone |= used & lone;
    depth->shared |= used & ~lone;
}

/* ---- the run's places, in order ---- */

/* What lies before an event: spans at depth insn, single instructions at depth access. */
struct cursor {
    const struct span *spans;
    size_t span, n_spans;
    guint inner;
    uint32_t lone;
};

static void append_before(struct depth *depth, struct cursor *cursor, uint64_t end)
{
    for (; cursor->span < cursor->n_spans; cursor->span++) {
        const struct span *span = &cursor->spans[cursor->span];
        if (span->event > end)
            break;
        if (!is_left_out(cursor->lone, span->space))
            append_span(depth->places, span);
    }
    for (; cursor->inner < depth->inner->len; cursor->inner++) {
        const struct place *place = &g_array_index(depth->inner, struct place, cursor->inner);
        if (place->event > end)
            break;
        g_array_append_vals(depth->places, place, 1);
    }
}

static struct cursor begin(struct depth *depth, const struct engine *engine,
                           const struct access *log, size_t n)
{
    struct cursor cursor = {.lone = 0};
    if (depth->depth == FL_DEPTH_INSN) {
        cursor.spans = engine_spans(engine, &cursor.n_spans);
        cursor.lone = engine_lone_spaces(engine);
        note_spaces(depth, cursor.spans, cursor.n_spans, cursor.lone);
    }
    if (depth->set != NULL) {
        access_learn(depth->set, engine, log, n);
        g_array_set_size(depth->inner, 0);
        access_places(depth->set, engine, log, n, depth->inner);
    }
    return cursor;
}

void depth_fill(struct depth *depth, const struct engine *engine, const struct access *log,
                size_t n, struct run_report *report)
{
    size_t n_entries;
    const struct place *entries = engine_places(engine, &n_entries);
    struct cursor cursor = begin(depth, engine, log, n);
    g_array_set_size(depth->places, 0);
    for (size_t i = 0; i < n_entries; i++) {
        append_before(depth, &cursor, entries[i].event);
        if (entries[i].k == 0 && strategy_place(&entries[i], depth->depth))
            g_array_append_vals(depth->places, &entries[i], 1);
    }
    report->places = (const struct place *)(void *)depth->places->data;
    report->n_places = depth->places->len;
    report->ready = engine_ready(engine);
    report->generation = depth->set != NULL ? access_generation(depth->set) : 0;
}
