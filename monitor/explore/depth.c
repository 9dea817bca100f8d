#include "depth.h"

struct depth {
    unsigned depth;
    struct access_set *set; /* of depths with k >= 1, else NULL */
    GArray *inner;          /* struct place, k >= 1: of the run at hand, at shared memory */
    GArray *places;         /* struct place: all of the run at hand */
    uint32_t alone;         /* spaces of which these were enough in some run, as bits */
    uint32_t shared;        /* spaces of which they were not */
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
    fresh->set = depth_needs_spans(depth) ? access_set_new() : NULL;
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
    return depth->depth == FL_DEPTH_INSN ? depth->alone & ~depth->shared : 0;
}

size_t depth_instructions(const struct depth *depth)
{
    return depth->set != NULL ? access_instructions(depth->set) : 0;
}

/* ---- k >= 1 ---- */

/* All of a span. What ended it with an entry is that entry's place. */
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
            .goes_on = span->thread,
            .event = span->event,
        };
}

/* A walk along the run: its spans, and the places at shared memory, which lie in them. */
struct walk {
    const struct span *spans;
    size_t span, n_spans;
    guint inner;
    uint32_t alone; /* spaces of which those places are enough, as bits */
};

static bool is_alone(const struct walk *walk, const struct span *span)
{
    return span->space < 32 && (walk->alone >> span->space & 1) != 0;
}

/* The places of the next span. */
static void append_inner(struct depth *depth, struct walk *walk)
{
    const struct span *span = &walk->spans[walk->span++];
    const bool whole = depth->depth == FL_DEPTH_INSN && !is_alone(walk, span);
    if (whole)
        append_span(depth->places, span);
    for (; walk->inner < depth->inner->len; walk->inner++) {
        const struct place *place = &g_array_index(depth->inner, struct place, walk->inner);
        if (place->event > span->event)
            break;
        if (!whole)
            g_array_append_vals(depth->places, place, 1);
    }
}

static void note_spaces(struct depth *depth, const struct walk *walk)
{
    uint32_t used = 0;
    for (size_t i = 0; i < walk->n_spans; i++)
        used |= walk->spans[i].space < 32 ? 1u << walk->spans[i].space : 0;
    depth->alone |= used & walk->alone;
    depth->shared |= used & ~walk->alone;
}

static struct walk begin(struct depth *depth, const struct engine *engine, const struct access *log,
                         size_t n)
{
    struct walk walk = {.alone = 0};
    g_array_set_size(depth->inner, 0);
    if (depth->set == NULL)
        return walk;
    walk.spans = engine_spans(engine, &walk.n_spans);
    if (log == NULL)
        return walk;
    access_learn(depth->set, engine, log, n);
    access_places(depth->set, engine, log, n, depth->inner);
    walk.alone = engine_lone_spaces(engine);
    note_spaces(depth, &walk);
    return walk;
}

/* ---- the run's places, in order ---- */

void depth_fill(struct depth *depth, const struct engine *engine, const struct access *log,
                size_t n, struct run_report *report)
{
    size_t n_entries;
    const struct place *entries = engine_places(engine, &n_entries);
    struct walk walk = begin(depth, engine, log, n);
    g_array_set_size(depth->places, 0);
    for (size_t i = 0; i < n_entries; i++) {
        while (walk.span < walk.n_spans && walk.spans[walk.span].event <= entries[i].event)
            append_inner(depth, &walk);
        if (entries[i].k == 0 && strategy_place(&entries[i], depth->depth))
            g_array_append_vals(depth->places, &entries[i], 1);
    }
    report->places = (const struct place *)(void *)depth->places->data;
    report->n_places = depth->places->len;
    report->ready = engine_ready(engine);
    report->generation = depth->set != NULL ? access_generation(depth->set) : 0;
}
