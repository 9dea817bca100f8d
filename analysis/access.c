/* A run is gone through twice. First every granule of memory that was touched learns who read and
 * who wrote it; then every access is held against its granule. Kernel accesses (lock words, message
 * pages) are not among these: they happen at entries, which are places anyway.
 *
 * No order among threads is taken into account: what a parent wrote before it made the thread that
 * reads it counts as shared. That is some instructions too many, and never one too few. */
#include "access.h"

#include <stdbool.h>
#include "abi.h"
#include "table.h"

#define GRANULE_SHIFT 2u /* what a word access touches */
#define FRAMES        (FL_RAM_SIZE >> FL_PAGE_SHIFT)
#define NOBODY        FL_PATH_KERNEL
#define SEVERAL       UINT32_MAX

/* A granule in one life of its frame. Who did: NOBODY, a thread's path, or SEVERAL. */
struct granule {
    uint32_t reader;
    uint32_t writer;
};

struct access_set {
    struct table instructions; /* program counters; never emptied */
    size_t n_instructions;
    unsigned generation;

    /* of the run being learned from */
    struct table granule_of;  /* (life, address) -> index in granules, from 1 */
    GArray *granules;         /* struct granule; the first is not used */
    GArray *touched;          /* uint32_t: granules of each access, in order */
    uint32_t life_of[FRAMES]; /* number of the life that a frame is in, from 1; 0: its first */
};

struct access_set *access_set_new(void)
{
    struct access_set *set = g_new0(struct access_set, 1);

    table_init(&set->instructions);
    table_init(&set->granule_of);
    set->granules = g_array_new(FALSE, TRUE, sizeof(struct granule));
    set->touched = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    return set;
}

void access_set_free(struct access_set *set)
{
    if (!set)
        return;
    table_free(&set->instructions);
    table_free(&set->granule_of);
    g_array_free(set->granules, TRUE);
    g_array_free(set->touched, TRUE);
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

/* The granules of an access, [first, last]. One that reaches into the next page is told with the
 * physical address of its beginning only, and is cut there: compilers do not make such. */
static uint32_t first_granule(const struct access *access)
{
    return access->address >> GRANULE_SHIFT;
}

static uint32_t last_granule(const struct access *access)
{
    uint32_t size = 1u << (access->place >> 24 & 0xfu);
    uint32_t page_end = access->address | (FL_PAGE_SIZE - 1);

    return MIN(page_end, access->address + size - 1) >> GRANULE_SHIFT;
}

/* ---- who touched what ---- */

static uint32_t granule_index(struct access_set *set, uint32_t granule)
{
    uint32_t frame = granule >> (FL_PAGE_SHIFT - GRANULE_SHIFT);
    uint64_t life = frame < FRAMES ? set->life_of[frame] : 0;
    uint32_t *index = table_put(&set->granule_of, life << 32 | granule);

    if (*index == 0) {
        *index = set->granules->len;
        g_array_set_size(set->granules, set->granules->len + 1);
    }
    return *index;
}

static void note(uint32_t *who, uint32_t thread)
{
    if (*who == NOBODY)
        *who = thread;
    else if (*who != thread)
        *who = SEVERAL;
}

static void touch(struct access_set *set, const struct access *access, uint32_t thread)
{
    for (uint32_t at = first_granule(access); at <= last_granule(access); at++) {
        uint32_t index = granule_index(set, at);
        struct granule *granule = &g_array_index(set->granules, struct granule, index);
        note(is_store(access) ? &granule->writer : &granule->reader, thread);
        g_array_append_val(set->touched, index);
    }
}

static void gather(struct access_set *set, const struct engine *engine, const struct access *log,
                   size_t n)
{
    size_t n_spans, n_lives, life = 0;
    const struct span *spans = engine_spans(engine, &n_spans);
    const struct frame_life *lives = engine_frame_lives(engine, &n_lives);

    for (size_t i = 0; i < n; i++) {
        const struct access *access = &log[i];
        if (access->span >= n_spans)
            continue;
        for (; life < n_lives && lives[life].span <= access->span; life++)
            set->life_of[lives[life].frame] = (uint32_t)life + 1;
        touch(set, access, spans[access->span].thread);
    }
    for (; life > 0; life--)
        set->life_of[lives[life - 1].frame] = 0;
}

/* ---- which of them conflict ---- */

static bool by_another(uint32_t who, uint32_t thread)
{
    return who != NOBODY && who != thread;
}

static bool conflicts(const struct granule *granule, bool store, uint32_t thread)
{
    return by_another(granule->writer, thread) || (store && by_another(granule->reader, thread));
}

static void add_instruction(struct access_set *set, uint32_t pc)
{
    uint32_t *known = table_put(&set->instructions, pc);

    set->n_instructions += *known == 0;
    *known = 1;
}

static void compare(struct access_set *set, const struct engine *engine, const struct access *log,
                    size_t n)
{
    size_t n_spans;
    const struct span *spans = engine_spans(engine, &n_spans);
    const uint32_t *index = (const uint32_t *)(const void *)set->touched->data;

    for (size_t i = 0; i < n; i++) {
        const struct access *access = &log[i];
        if (access->span >= n_spans)
            continue;
        bool shared = false;
        for (uint32_t at = first_granule(access); at <= last_granule(access); at++, index++) {
            const struct granule *granule = &g_array_index(set->granules, struct granule, *index);
            shared |= conflicts(granule, is_store(access), spans[access->span].thread);
        }
        if (shared)
            add_instruction(set, access->pc);
    }
}

void access_learn(struct access_set *set, const struct engine *engine, const struct access *log,
                  size_t n)
{
    const size_t before = set->n_instructions;

    table_clear(&set->granule_of);
    g_array_set_size(set->granules, 0);
    g_array_set_size(set->granules, 1);
    g_array_set_size(set->touched, 0);
    gather(set, engine, log, n);
    compare(set, engine, log, n);
    set->generation += set->n_instructions > before;
}

/* ---- places ---- */

/* Whether a plan can name the instruction as a place of its own: nobody has stood there, and it is
 * not what entered the kernel (it touched some of its memory, and faulted at the rest). */
static bool is_place(const struct span *span, uint32_t number)
{
    uint32_t first = span->resumed ? 2 : 1;
    uint32_t last = span->interrupted ? span->instructions : span->instructions - 1;

    return span->n_ready > 0 && span->instructions > 0 && number >= first && number <= last;
}

void access_places(const struct access_set *set, const struct engine *engine,
                   const struct access *log, size_t n, GArray *places)
{
    size_t n_spans;
    const struct span *spans = engine_spans(engine, &n_spans);
    const struct access *last = NULL;

    for (size_t i = 0; i < n; i++) {
        const struct access *access = &log[i];
        uint32_t number = access->place & 0xffffffu;
        if (access->span >= n_spans || !is_place(&spans[access->span], number) ||
            (last && last->span == access->span && (last->place & 0xffffffu) == number) ||
            !table_find(&set->instructions, access->pc))
            continue;
        const struct span *span = &spans[access->span];
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
