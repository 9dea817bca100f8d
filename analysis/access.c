/* A run is gone through three times. First every page that was touched learns by whom; most are
 * touched by one thread alone and need no further look. Of the others, every granule learns who
 * read and who wrote it, and when; then every access is held against its granule.
 *
 * Kernel accesses (lock words, message pages) are not among these: they happen at entries, which
 * are places anyway. Two accesses that no schedule can reorder, since one comes before the other's
 * thread is made, do not conflict (birth.h). */
#include "access.h"

#include <stdbool.h>
#include <string.h>
#include "abi.h"
#include "birth.h"
#include "table.h"

#define GRANULE_SHIFT 2u /* what a word access touches */
#define GRANULES      (FL_PAGE_SIZE >> GRANULE_SHIFT)
#define FRAMES        (FL_RAM_SIZE >> FL_PAGE_SHIFT)
#define NOBODY        FL_PATH_KERNEL
#define SEVERAL       UINT32_MAX
#define NONE          0u

/* What one thread did to one granule. A granule is a word of a page, a page a frame in one of its
 * lives. */
struct use {
    uint32_t thread;
    uint32_t next; /* use of the same granule, or NONE */
    struct {
        uint32_t first, last; /* spans; first > last: never */
    } loads, stores;
};

struct access_set {
    struct table instructions; /* program counters; never emptied */
    size_t n_instructions;
    unsigned generation;

    /* of the run being learned from */
    uint32_t page_of[FRAMES]; /* index in pages; NONE: not touched in this life */
    GArray *pages;            /* uint32_t: who touched it: NOBODY, a thread, SEVERAL */
    GArray *touched;          /* uint32_t: index in pages of each access */
    struct table use_of;      /* granule -> index in uses of its first */
    GArray *uses;             /* struct use; number NONE is not used */
};

struct access_set *access_set_new(void)
{
    struct access_set *set = g_new0(struct access_set, 1);

    table_init(&set->instructions);
    table_init(&set->use_of);
    set->pages = g_array_new(FALSE, TRUE, sizeof(uint32_t));
    set->touched = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    set->uses = g_array_new(FALSE, TRUE, sizeof(struct use));
    return set;
}

void access_set_free(struct access_set *set)
{
    if (!set)
        return;
    table_free(&set->instructions);
    table_free(&set->use_of);
    g_array_free(set->pages, TRUE);
    g_array_free(set->touched, TRUE);
    g_array_free(set->uses, TRUE);
    g_free(set);
}

unsigned access_generation(const struct access_set *set)
{
    return set->generation;
}

size_t access_instructions(const struct access_set *set)
{
    return set->n_instructions;
}

static bool is_store(const struct access *access)
{
    return access->place >> 28 == ACCESS_STORE;
}

static uint32_t number_of(const struct access *access)
{
    return access->place & 0xffffffu;
}

/* What is learned from. The log is a stranger's: it ends where a record belongs to no span. It
 * begins where there is a second thread: what core did before comes before all that others do, and
 * is most of the log, since core clears memory then. */
struct lesson {
    const struct engine *engine;
    const struct span *spans;
    const struct access *log;
    size_t n;
};

static uint32_t first_span(const struct engine *engine)
{
    size_t n;
    const struct thread_birth *births = engine_births(engine, &n);

    while (n > 0 && births->thread == FL_PATH_CORE)
        births++, n--;
    return n > 0 ? births->span : UINT32_MAX;
}

static struct lesson begin(const struct engine *engine, const struct access *log, size_t n)
{
    struct lesson lesson = {.engine = engine, .log = log};
    uint32_t first = first_span(engine);
    size_t n_spans;

    lesson.spans = engine_spans(engine, &n_spans);
    for (; n > 0 && lesson.log->span < first; n--)
        lesson.log++;
    while (lesson.n < n && lesson.log[lesson.n].span < n_spans)
        lesson.n++;
    return lesson;
}

static uint32_t thread_of(const struct lesson *lesson, size_t i)
{
    return lesson->spans[lesson->log[i].span].thread;
}

/* ---- pages: who touched them ---- */

static uint32_t touch_page(struct access_set *set, uint32_t frame, uint32_t thread)
{
    uint32_t *index = &set->page_of[frame];

    if (*index == NONE) {
        *index = set->pages->len;
        g_array_set_size(set->pages, set->pages->len + 1);
    }
    uint32_t *who = &g_array_index(set->pages, uint32_t, *index);
    if (*who != thread)
        *who = *who == NOBODY ? thread : SEVERAL;
    return *index;
}

static void find_pages(struct access_set *set, const struct lesson *lesson)
{
    size_t n_lives, life = 0;
    const struct frame_life *lives = engine_frame_lives(lesson->engine, &n_lives);

    memset(set->page_of, 0, sizeof(set->page_of));
    g_array_set_size(set->pages, 0);
    g_array_set_size(set->pages, NONE + 1);
    g_array_set_size(set->touched, (guint)lesson->n);
    for (size_t i = 0; i < lesson->n; i++) {
        const struct access *access = &lesson->log[i];
        for (; life < n_lives && lives[life].span <= access->span; life++)
            set->page_of[lives[life].frame] = NONE;
        uint32_t frame = (access->address >> FL_PAGE_SHIFT) % FRAMES;
        g_array_index(set->touched, uint32_t, i) = touch_page(set, frame, thread_of(lesson, i));
    }
}

static bool is_shared(const struct access_set *set, size_t i)
{
    uint32_t page = g_array_index(set->touched, uint32_t, i);

    return g_array_index(set->pages, uint32_t, page) == SEVERAL;
}

/* ---- granules: who did what, and when ---- */

/* The granules of an access within its page, [first, last]. One that reaches into the next page is
 * told with the physical address of its beginning only, and is cut there: compilers do not make
 * such. */
static uint32_t first_granule(const struct access *access)
{
    return access->address % FL_PAGE_SIZE >> GRANULE_SHIFT;
}

static uint32_t last_granule(const struct access *access)
{
    uint32_t size = 1u << (access->place >> 24 & 0xfu);

    return MIN(access->address % FL_PAGE_SIZE + size - 1, FL_PAGE_SIZE - 1) >> GRANULE_SHIFT;
}

static struct use *use_at(const struct access_set *set, uint32_t index)
{
    return &g_array_index(set->uses, struct use, index);
}

static struct use *new_use(struct access_set *set, uint32_t *link, uint32_t thread)
{
    const struct use use = {
        .thread = thread, .next = *link, .loads.first = UINT32_MAX, .stores.first = UINT32_MAX};

    *link = set->uses->len;
    g_array_append_val(set->uses, use);
    return use_at(set, *link);
}

static void touch_granule(struct access_set *set, uint64_t granule, uint32_t thread,
                          const struct access *access)
{
    uint32_t *link = table_put(&set->use_of, granule);
    struct use *use = NULL;

    for (uint32_t index = *link; index != NONE && !use; index = use_at(set, index)->next)
        if (use_at(set, index)->thread == thread)
            use = use_at(set, index);
    if (!use)
        use = new_use(set, link, thread);
    if (is_store(access)) {
        use->stores.first = MIN(use->stores.first, access->span);
        use->stores.last = access->span;
    } else {
        use->loads.first = MIN(use->loads.first, access->span);
        use->loads.last = access->span;
    }
}

static uint64_t granule_key(const struct access_set *set, size_t i, uint32_t granule)
{
    return (uint64_t)g_array_index(set->touched, uint32_t, i) * GRANULES + granule;
}

static void find_granules(struct access_set *set, const struct lesson *lesson)
{
    table_clear(&set->use_of);
    g_array_set_size(set->uses, NONE + 1);
    for (size_t i = 0; i < lesson->n; i++) {
        const struct access *access = &lesson->log[i];
        if (!is_shared(set, i))
            continue;
        for (uint32_t at = first_granule(access); at <= last_granule(access); at++)
            touch_granule(set, granule_key(set, i, at), thread_of(lesson, i), access);
    }
}

/* ---- accesses: which conflict ---- */

/* Whether the other thread made accesses in its spans first to last, not all bound to come first.
 */
static bool met(const struct lesson *lesson, size_t i, uint32_t other, uint32_t first,
                uint32_t last)
{
    return first <= last && !birth_orders(lesson->engine, other, first, last, thread_of(lesson, i));
}

static bool conflicts_with(const struct lesson *lesson, size_t i, const struct use *use)
{
    const struct access *access = &lesson->log[i];
    uint32_t thread = thread_of(lesson, i), span = access->span;

    return use->thread != thread &&
           (met(lesson, i, use->thread, use->stores.first, use->stores.last) ||
            (is_store(access) && met(lesson, i, use->thread, use->loads.first, use->loads.last))) &&
           !birth_orders(lesson->engine, thread, span, span, use->thread);
}

static bool conflicts(const struct access_set *set, const struct lesson *lesson, size_t i)
{
    const struct access *access = &lesson->log[i];

    for (uint32_t at = first_granule(access); at <= last_granule(access); at++) {
        const uint32_t *first = table_find(&set->use_of, granule_key(set, i, at));
        for (uint32_t index = *first; index != NONE; index = use_at(set, index)->next)
            if (conflicts_with(lesson, i, use_at(set, index)))
                return true;
    }
    return false;
}

void access_learn(struct access_set *set, const struct engine *engine, const struct access *log,
                  size_t n)
{
    const struct lesson lesson = begin(engine, log, n);
    const size_t before = set->n_instructions;

    find_pages(set, &lesson);
    find_granules(set, &lesson);
    for (size_t i = 0; i < lesson.n; i++) {
        const uint32_t pc = lesson.log[i].pc;
        if (!is_shared(set, i) || table_find(&set->instructions, pc) || !conflicts(set, &lesson, i))
            continue;
        *table_put(&set->instructions, pc) = 1;
        set->n_instructions++;
    }
    set->generation += set->n_instructions > before;
}

/* ---- places ---- */

/* Whether a plan can name the instruction as a place of its own: nobody has stood there, and it is
 * not what entered the kernel (it touched some of its memory, and faulted at the rest). */
static bool is_place(const struct span *span, uint32_t number)
{
    uint32_t first = span->resumed ? 2 : 1;
    uint32_t end = span->instructions + (span->interrupted ? 1 : 0);

    return span->n_ready > 0 && number >= first && number < end;
}

void access_places(const struct access_set *set, const struct engine *engine,
                   const struct access *log, size_t n, GArray *places)
{
    const struct lesson lesson = begin(engine, log, n);
    const struct access *last = NULL;

    for (size_t i = 0; i < lesson.n; i++) {
        const struct access *access = &lesson.log[i];
        const struct span *span = &lesson.spans[access->span];
        uint32_t number = number_of(access);
        if (!is_place(span, number) || !table_find(&set->instructions, access->pc) ||
            (last && last->span == access->span && number_of(last) == number))
            continue;
        const struct place place = {.thread = span->thread,
                                    .n = span->n,
                                    .k = span->k + number - 1,
                                    .point = FL_POINT_NONE,
                                    .n_ready = span->n_ready,
                                    .ready = span->ready,
                                    .pc = access->pc,
                                    .event = span->event};
        g_array_append_val(places, place);
        last = access;
    }
}
