#include "touched.h"

#include <glib.h>
#include <stdbool.h>
#include <string.h>
#include "model.h"
#include "table.h"

#define FRAMES (FL_RAM_SIZE >> FL_PAGE_SHIFT)

struct touched {
    struct table seen;      /* accesses, by hash and the life of their frame */
    uint64_t sums[FRAMES];  /* of what was touched in each frame's present life */
    uint32_t lives[FRAMES]; /* which one it is */
    uint64_t sum;           /* of all frames */

    /* the run, and how far it was gone through */
    const struct span *spans;
    const struct access *log;
    const struct frame_life *frame_lives;
    const struct thread_birth *births;
    size_t n_spans, n, n_lives, n_births;
    size_t at, life;
    uint32_t whose; /* span of the last access */
    uint64_t by;    /* its thread, and bounds_of() */
};

struct touched *touched_new(void)
{
    struct touched *touched = g_new0(struct touched, 1);
    table_init(&touched->seen);
    return touched;
}

void touched_free(struct touched *touched)
{
    if (touched == NULL)
        return;
    table_free(&touched->seen);
    g_free(touched);
}

/* Before there is a second thread all is core's, and comes before all that others do. */
static uint32_t first_span(const struct touched *touched)
{
    for (size_t i = 0; i < touched->n_births; i++)
        if (touched->births[i].thread != FL_PATH_CORE)
            return touched->births[i].span;
    return UINT32_MAX;
}

void touched_begin(struct touched *touched, const struct engine *engine, const struct access *log,
                   size_t n)
{
    table_clear(&touched->seen);
    memset(touched->sums, 0, sizeof(touched->sums));
    memset(touched->lives, 0, sizeof(touched->lives));
    touched->sum = 0;
    touched->log = log;
    touched->n = n;
    touched->spans = engine_spans(engine, &touched->n_spans);
    touched->frame_lives = engine_frame_lives(engine, &touched->n_lives);
    touched->births = engine_births(engine, &touched->n_births);
    touched->life = touched->at = 0;
    touched->whose = UINT32_MAX;
    const uint32_t first = first_span(touched);
    while (touched->at < n && log[touched->at].span < first)
        touched->at++;
}

static uint64_t mixed(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * 0x9e3779b97f4a7c15u;
    return hash ^ hash >> 32;
}

/* Before which lives what the thread does in the span comes for sure, as far as that can differ: of
 * those that it asks for, before the request; of core's doings, all between request and birth. */
static uint64_t bounds_of(const struct touched *touched, uint32_t thread, uint32_t span)
{
    uint64_t sum = 0;
    for (size_t i = 0; i < touched->n_births; i++) {
        const struct thread_birth *birth = &touched->births[i];
        if (span >= birth->request && (thread == model_parent_path(birth->thread) ||
                                       (thread == FL_PATH_CORE && span < birth->span)))
            sum += mixed(thread, birth->thread);
    }
    return sum;
}

static void begin_lives(struct touched *touched, uint32_t span)
{
    for (; touched->life < touched->n_lives && touched->frame_lives[touched->life].span <= span;
         touched->life++) {
        const uint32_t frame = touched->frame_lives[touched->life].frame % FRAMES;
        touched->sum -= touched->sums[frame];
        touched->sums[frame] = 0;
        touched->lives[frame]++;
    }
}

/* How often the frame was mapped anew has no say. */
static void note(struct touched *touched, uint64_t access, uint32_t word)
{
    const uint32_t frame = (word >> (FL_PAGE_SHIFT - 2)) % FRAMES;
    const uint64_t hash = mixed(access, word);
    uint32_t *seen = table_put(&touched->seen, mixed(hash, touched->lives[frame]));
    if (*seen)
        return;
    *seen = 1;
    touched->sums[frame] += hash;
    touched->sum += hash;
}

static void take(struct touched *touched, const struct access *access, uint32_t thread)
{
    const bool writes = access->place >> 28 == ACCESS_STORE;
    const uint32_t size = 1u << (access->place >> 24 & 0xfu);
    if (touched->whose != access->span)
        touched->by = mixed(bounds_of(touched, thread, access->span), thread);
    touched->whose = access->span;
    const uint64_t made = mixed(touched->by, (uint64_t)access->pc << 1 | writes);
    for (uint32_t word = access->address >> 2; word <= (access->address + size - 1) >> 2; word++)
        note(touched, made, word);
}

uint64_t touched_until(struct touched *touched, uint64_t event)
{
    for (; touched->at < touched->n; touched->at++) {
        const struct access *access = &touched->log[touched->at];
        if (access->span >= touched->n_spans || touched->spans[access->span].event > event)
            break;
        begin_lives(touched, access->span);
        take(touched, access, touched->spans[access->span].thread);
    }
    return touched->sum;
}
