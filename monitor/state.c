#include "state.h"

#include <string.h>
#include <xxhash.h>
#include "abi.h"
#include "guestwalk.h"

#define ALL_USED UINT32_MAX

/* Bytes of each entry of one of the kernel's objects. Addresses are offsets in RAM. */
struct piece {
    uint32_t at;
    uint32_t used; /* of the number of entries in use, or ALL_USED */
    uint32_t stride, count, size;
};

/* What core says of its pool of frames. */
enum pool_field { POOL_FIRST, POOL_USED, POOL_COUNT, POOL_HOMES, POOL_FIELDS };

static const unsigned pool_fields[POOL_FIELDS] = {
    [POOL_FIRST] = FL_AUDIT_FIELD_FRAMES_FIRST,
    [POOL_USED] = FL_AUDIT_FIELD_FRAMES_USED,
    [POOL_COUNT] = FL_AUDIT_FIELD_FRAMES_COUNT,
    [POOL_HOMES] = FL_AUDIT_FIELD_FRAME_HOMES,
};

struct state_reader {
    uint32_t arch;
    GArray *pieces; /* struct piece: kept, in their order */
    GArray *sets;   /* struct piece: whatever order their entries are in */
    struct piece dead;
    const struct fl_audit_field *pool[POOL_FIELDS];
    XXH3_state_t *hash;
    struct fl_dead left_out[FL_MAX_THREADS]; /* of the state being read, ascending */
    size_t n_left_out;
};

guint state_hash_key(gconstpointer state)
{
    return (guint)((const struct state_hash *)state)->low;
}

gboolean state_hash_equal(gconstpointer a, gconstpointer b)
{
    return memcmp(a, b, sizeof(struct state_hash)) == 0;
}

/* ---- what to read ---- */

/* All of RAM lies in the kernel's half at a multiple of its size. */
static uint32_t ram_offset(uint64_t kernel_address)
{
    return (uint32_t)(kernel_address % FL_RAM_SIZE);
}

static struct piece piece_of(const struct fl_state_row *row, uint32_t begin, uint32_t end)
{
    return (struct piece){
        .at = ram_offset(row->object.address) + begin,
        .used = row->used.address != 0 ? ram_offset(row->used.address) : ALL_USED,
        .stride = row->stride,
        .count = row->count,
        .size = end - begin,
    };
}

static void add_piece(GArray *pieces, const struct fl_state_row *row, uint32_t begin, uint32_t end)
{
    const struct piece piece = piece_of(row, begin, end);
    if (begin < end)
        g_array_append_val(pieces, piece);
}

/* The dropped member of the object that ends behind `from` and begins first; NULL: none is left. */
static const struct fl_state_row *next_dropped(const struct image *image,
                                               const struct fl_state_row *kept, uint32_t from)
{
    const struct fl_state_row *next = NULL;
    for (size_t i = 0; i < image->n_state; i++) {
        const struct fl_state_row *row = &image->state[i];
        if (!row->kept && row->object.address == kept->object.address &&
            row->offset + row->size > from && (next == NULL || row->offset < next->offset))
            next = row;
    }
    return next;
}

static void add_object(struct state_reader *reader, const struct image *image,
                       const struct fl_state_row *kept)
{
    const struct fl_state_row *dropped;
    uint32_t at = kept->offset;
    while ((dropped = next_dropped(image, kept, at)) != NULL) {
        add_piece(reader->pieces, kept, at, MAX(at, dropped->offset));
        at = dropped->offset + dropped->size;
    }
    add_piece(reader->pieces, kept, at, kept->offset + kept->size);
}

static void add_row(struct state_reader *reader, const struct image *image,
                    const struct fl_state_row *row)
{
    if (row->kept == FL_STATE_ROW_KEPT)
        add_object(reader, image, row);
    else if (row->kept == FL_STATE_ROW_SET)
        add_piece(reader->sets, row, row->offset, row->offset + row->size);
    else if (row->kept == FL_STATE_ROW_DEAD && row->stride == sizeof(struct fl_dead) &&
             row->count <= FL_MAX_THREADS)
        reader->dead = piece_of(row, 0, row->size);
}

static const struct fl_audit_field *audit_field(const struct image *image, unsigned id)
{
    for (size_t i = 0; i < image->n_audit; i++)
        if (image->audit[i].id == id && image->audit[i].root == 0 &&
            image->audit[i].size == sizeof(uint32_t))
            return &image->audit[i];
    return NULL;
}

struct state_reader *state_reader_new(const struct image *image, GError **error)
{
    struct state_reader *reader = g_new0(struct state_reader, 1);
    bool whole = true;
    reader->arch = image->header.arch;
    reader->pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
    reader->sets = g_array_new(FALSE, FALSE, sizeof(struct piece));
    reader->hash = XXH3_createState();
    for (size_t i = 0; i < POOL_FIELDS; i++) {
        reader->pool[i] = audit_field(image, pool_fields[i]);
        whole = whole && reader->pool[i] != NULL;
    }
    for (size_t i = 0; i < image->n_state; i++)
        add_row(reader, image, &image->state[i]);
    if (reader->pieces->len > 0 && whole)
        return reader;
    g_set_error(error, IMAGE_ERROR, IMAGE_ERROR_NOT_GUEST,
                "guest image %s does not say what its state is: it can be searched, but not with "
                "--stateful",
                image->path);
    state_reader_free(reader);
    return NULL;
}

void state_reader_free(struct state_reader *reader)
{
    XXH3_freeState(reader->hash);
    g_array_free(reader->pieces, TRUE);
    g_array_free(reader->sets, TRUE);
    g_free(reader);
}

/* ---- reading it ---- */

static bool entries_used(struct guestmem *memory, const struct piece *piece, uint32_t *entries)
{
    const uint32_t *used = NULL;
    *entries = piece->count;
    if (piece->used == ALL_USED)
        return true;
    used = guestmem_at(memory, piece->used, sizeof *used, sizeof *used);
    if (used != NULL)
        *entries = MIN(*used, piece->count);
    return used != NULL;
}

static bool read_piece(struct state_reader *reader, struct guestmem *memory,
                       const struct piece *piece)
{
    uint32_t entries;
    if (!entries_used(memory, piece, &entries))
        return false;
    if (entries == 0)
        return true;
    const uint8_t *bytes =
        guestmem_at(memory, piece->at, (size_t)(entries - 1) * piece->stride + piece->size, 1);
    if (bytes == NULL)
        return false;
    if (piece->size == piece->stride) {
        XXH3_128bits_update(reader->hash, bytes, (size_t)entries * piece->stride);
        return true;
    }
    for (uint32_t i = 0; i < entries; i++)
        XXH3_128bits_update(reader->hash, bytes + (size_t)i * piece->stride, piece->size);
    return true;
}

/* ---- sets ---- */

/* One entry of the pieces of the set that begins here; the next set's begin behind `end`. */
static bool add_entry(struct state_reader *reader, struct guestmem *memory, guint begin, guint end,
                      uint32_t entry, struct state_hash *sum)
{
    XXH128_hash_t hash = {0, 0};
    for (guint i = begin; i < end; i++) {
        const struct piece *piece = &g_array_index(reader->sets, struct piece, i);
        const void *bytes = guestmem_at(memory, piece->at + entry * piece->stride, piece->size, 1);
        if (bytes == NULL)
            return false;
        hash = XXH3_128bits_withSeed(bytes, piece->size, hash.low64 ^ hash.high64);
    }
    sum->low += hash.low64;
    sum->high += hash.high64;
    return true;
}

static bool read_set(struct state_reader *reader, struct guestmem *memory, guint begin, guint end)
{
    struct state_hash sum = {0, 0};
    uint32_t entries;
    if (!entries_used(memory, &g_array_index(reader->sets, struct piece, begin), &entries))
        return false;
    for (uint32_t i = 0; i < entries; i++)
        if (!add_entry(reader, memory, begin, end, i, &sum))
            return false;
    XXH3_128bits_update(reader->hash, &sum, sizeof sum);
    return true;
}

static bool read_sets(struct state_reader *reader, struct guestmem *memory)
{
    guint end;
    for (guint begin = 0; begin < reader->sets->len; begin = end) {
        const struct piece *first = &g_array_index(reader->sets, struct piece, begin);
        for (end = begin + 1; end < reader->sets->len; end++)
            if (g_array_index(reader->sets, struct piece, end).used != first->used)
                break;
        if (!read_set(reader, memory, begin, end))
            return false;
    }
    return true;
}

/* ---- frames ---- */

static bool dead_sound(const struct fl_dead *dead)
{
    return dead->at % FL_PAGE_SIZE == 0 && dead->at < FL_RAM_SIZE && dead->bytes < FL_PAGE_SIZE;
}

/* Of two on one page what is dead for both is: two threads may be on one stack. */
static void leave_out(struct state_reader *reader, const struct fl_dead *dead)
{
    struct fl_dead *all = reader->left_out;
    size_t at = 0;
    while (at < reader->n_left_out && all[at].at < dead->at)
        at++;
    if (at < reader->n_left_out && all[at].at == dead->at) {
        all[at].bytes = MIN(all[at].bytes, dead->bytes);
        return;
    }
    memmove(&all[at + 1], &all[at], (reader->n_left_out - at) * sizeof *all);
    all[at] = *dead;
    reader->n_left_out++;
}

static bool read_dead(struct state_reader *reader, struct guestmem *memory)
{
    uint32_t entries = 0;
    reader->n_left_out = 0;
    if (reader->dead.count == 0)
        return true;
    if (!entries_used(memory, &reader->dead, &entries))
        return false;
    const struct fl_dead *dead = guestmem_at(
        memory, reader->dead.at, MAX(entries, 1) * sizeof *dead, _Alignof(struct fl_dead));
    if (dead == NULL)
        return false;
    for (uint32_t i = 0; i < entries; i++) {
        if (!dead_sound(&dead[i]))
            return false;
        leave_out(reader, &dead[i]);
    }
    return true;
}

/* RAM from a page on, but for what is dead in it. */
static bool read_ram(struct state_reader *reader, struct guestmem *memory, uint32_t at,
                     uint32_t size)
{
    const uint8_t *bytes = guestmem_at(memory, at, size, 1);
    uint32_t done = at;
    if (bytes == NULL)
        return false;
    for (size_t i = 0; i < reader->n_left_out; i++) {
        const struct fl_dead *dead = &reader->left_out[i];
        if (dead->at < done || dead->at >= at + size)
            continue;
        XXH3_128bits_update(reader->hash, bytes + (done - at), dead->at - done);
        done = dead->at + dead->bytes;
    }
    XXH3_128bits_update(reader->hash, bytes + (done - at), at + size - done);
    return true;
}

static bool pool_words(const struct state_reader *reader, struct guestwalk *walk,
                       enum pool_field field, uint32_t *words, size_t n)
{
    const void *bytes = guestwalk_at(walk, reader->pool[field]->address, n * sizeof *words);
    if (bytes != NULL)
        memcpy(words, bytes, n * sizeof *words);
    return bytes != NULL;
}

/* The last frames of the pool, of which some are handed out, each by its number. */
static bool read_homes(struct state_reader *reader, struct guestmem *memory, uint32_t end,
                       const uint32_t *taken, uint32_t homes)
{
    for (uint32_t i = 0; i < homes; i++) {
        if ((taken[i / 32] >> i % 32 & 1) == 0)
            continue;
        XXH3_128bits_update(reader->hash, &i, sizeof i);
        if (!read_ram(reader, memory, (end - homes + i) * FL_PAGE_SIZE, FL_PAGE_SIZE))
            return false;
    }
    return true;
}

#define HOME_WORDS 32u

/* The pool from its head on: what core itself is made of, then what it handed out in turn, with
 * what was given back to it, then homes. What is in no use is zeroed, or filled, before it is
 * read. */
static bool read_frames(struct state_reader *reader, struct guestmem *memory, uint64_t core_table)
{
    struct guestwalk walk = guestwalk_begin(memory, reader->arch, core_table);
    const uint32_t n = MIN(reader->pool[POOL_HOMES]->count, HOME_WORDS), homes = n * 32;
    uint32_t first, used, count, taken[HOME_WORDS];
    if (!pool_words(reader, &walk, POOL_FIRST, &first, 1) ||
        !pool_words(reader, &walk, POOL_USED, &used, 1) ||
        !pool_words(reader, &walk, POOL_COUNT, &count, 1) ||
        !pool_words(reader, &walk, POOL_HOMES, taken, n))
        return false;
    const uint32_t begin = FL_FRAMES_OFFSET / FL_PAGE_SIZE;
    const uint32_t all = begin + FL_FRAMES_SIZE / FL_PAGE_SIZE;
    if (first < begin || first > all || count > all - first || used > count || homes > count)
        return false;
    return read_ram(reader, memory, FL_FRAMES_OFFSET, (first + used - begin) * FL_PAGE_SIZE) &&
           read_homes(reader, memory, first + count, taken, homes);
}

bool state_read(struct state_reader *reader, struct guestmem *memory, uint64_t core_table,
                struct state_hash *hash)
{
    XXH3_128bits_reset(reader->hash);
    if (!read_dead(reader, memory))
        return false;
    for (guint i = 0; i < reader->pieces->len; i++)
        if (!read_piece(reader, memory, &g_array_index(reader->pieces, struct piece, i)))
            return false;
    if (!read_sets(reader, memory) || !read_frames(reader, memory, core_table))
        return false;
    const XXH128_hash_t sum = XXH3_128bits_digest(reader->hash);
    *hash = (struct state_hash){sum.low64, sum.high64};
    return true;
}
