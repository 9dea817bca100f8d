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

struct state_reader {
    uint32_t arch;
    GArray *pieces;
    const struct fl_audit_field *frames_first, *frames_used;
    XXH3_state_t *hash;
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

static void add_piece(struct state_reader *reader, const struct fl_state_row *row, uint32_t begin,
                      uint32_t end)
{
    const struct piece piece = {
        .at = ram_offset(row->object.address) + begin,
        .used = row->used.address != 0 ? ram_offset(row->used.address) : ALL_USED,
        .stride = row->stride,
        .count = row->count,
        .size = end - begin,
    };
    if (begin < end)
        g_array_append_val(reader->pieces, piece);
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
        add_piece(reader, kept, at, MAX(at, dropped->offset));
        at = dropped->offset + dropped->size;
    }
    add_piece(reader, kept, at, kept->offset + kept->size);
}

static const struct fl_audit_field *audit_number(const struct image *image, unsigned id)
{
    for (size_t i = 0; i < image->n_audit; i++)
        if (image->audit[i].id == id && image->audit[i].root == 0)
            return &image->audit[i];
    return NULL;
}

struct state_reader *state_reader_new(const struct image *image, GError **error)
{
    struct state_reader *reader = g_new0(struct state_reader, 1);
    reader->arch = image->header.arch;
    reader->pieces = g_array_new(FALSE, FALSE, sizeof(struct piece));
    reader->hash = XXH3_createState();
    reader->frames_first = audit_number(image, FL_AUDIT_FIELD_FRAMES_FIRST);
    reader->frames_used = audit_number(image, FL_AUDIT_FIELD_FRAMES_USED);
    for (size_t i = 0; i < image->n_state; i++)
        if (image->state[i].kept)
            add_object(reader, image, &image->state[i]);
    if (reader->pieces->len > 0 && reader->frames_first != NULL && reader->frames_used != NULL)
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

static bool core_number(struct guestwalk *walk, const struct fl_audit_field *field,
                        uint32_t *number)
{
    const void *bytes = guestwalk_at(walk, field->address, sizeof *number);
    if (bytes != NULL)
        memcpy(number, bytes, sizeof *number);
    return bytes != NULL;
}

/* The pool from its head on: what core itself is made of, then what it handed out, with what was
 * given back to it. What lies behind that is zeroed, or filled, before it is read. */
static bool read_frames(struct state_reader *reader, struct guestmem *memory, uint64_t core_table)
{
    struct guestwalk walk = guestwalk_begin(memory, reader->arch, core_table);
    uint32_t first, used;
    if (!core_number(&walk, reader->frames_first, &first) ||
        !core_number(&walk, reader->frames_used, &used))
        return false;
    const uint64_t end = ((uint64_t)first + used) * FL_PAGE_SIZE;
    if (end < FL_FRAMES_OFFSET || end > FL_FRAMES_OFFSET + FL_FRAMES_SIZE)
        return false;
    const size_t size = (size_t)(end - FL_FRAMES_OFFSET);
    XXH3_128bits_update(reader->hash, guestmem_at(memory, FL_FRAMES_OFFSET, size, 1), size);
    return true;
}

bool state_read(struct state_reader *reader, struct guestmem *memory, uint64_t core_table,
                struct state_hash *hash)
{
    XXH3_128bits_reset(reader->hash);
    for (guint i = 0; i < reader->pieces->len; i++)
        if (!read_piece(reader, memory, &g_array_index(reader->pieces, struct piece, i)))
            return false;
    if (!read_frames(reader, memory, core_table))
        return false;
    const XXH128_hash_t sum = XXH3_128bits_digest(reader->hash);
    *hash = (struct state_hash){sum.low64, sum.high64};
    return true;
}
