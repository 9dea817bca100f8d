/* The state of a guest that stands still at a place, told by a hash of its memory (design,
 * "State"): thread blocks, queues, page tables, and every frame that core has handed out. Two
 * guests with one hash that stand at one place, with the same ready threads, go on alike under the
 * same choices.
 *
 * What the kernel keeps is state unless its image says that it has no say (struct fl_state_row); of
 * core and the programs everything is. Not in memory, and so no part of it: what of the page tables
 * the processor remembers. A run that forgets to flush is told by its checks.
 */
#ifndef FAULTLINE_STATE_H
#define FAULTLINE_STATE_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>
#include "guestmem.h"
#include "image.h"

struct state_hash {
    uint64_t low, high;
};

/* For tables of them (GHashTable). */
guint state_hash_key(gconstpointer state);
gboolean state_hash_equal(gconstpointer a, gconstpointer b);

struct state_reader;

/* NULL: the image does not say what its state is. It must outlive the reader. */
struct state_reader *state_reader_new(const struct image *image, GError **error);
void state_reader_free(struct state_reader *reader);

/* core_table: physical address of core's top page table. false: the memory is no guest's in its
 * right mind. */
bool state_read(struct state_reader *reader, struct guestmem *memory, uint64_t core_table,
                struct state_hash *hash);

#endif
