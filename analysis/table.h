/* A map from 64-bit keys to 32-bit values that is emptied in no time.
 *
 * An exploration empties the model's maps 2,500 times a second, and a run uses a few dozen entries
 * of each: so an entry carries the epoch that it was written in, and emptying is a new epoch. Open
 * addressing, no deletion (a value of 0 serves), grows when three quarters full.
 */
#ifndef FAULTLINE_TABLE_H
#define FAULTLINE_TABLE_H

#include <stddef.h>
#include <stdint.h>

struct table_entry {
    uint64_t key;
    uint32_t epoch;
    uint32_t value;
};

struct table {
    struct table_entry *entries;
    uint32_t mask;
    uint32_t used;
    uint32_t epoch;
};

void table_init(struct table *table);
void table_free(struct table *table);
void table_clear(struct table *table);
/* The value of the key, made 0 when it was not there. Valid until the next table_put. */
uint32_t *table_put(struct table *table, uint64_t key);

/* Fibonacci hashing: the multiplier is 2^64 divided by the golden ratio (Knuth, TAOCP 3, 6.4). */
static inline uint32_t table_slot(const struct table *table, uint64_t key)
{
    return (uint32_t)((key * 0x9e3779b97f4a7c15u) >> 32) & table->mask;
}

/* The value of the key, or NULL. */
static inline uint32_t *table_find(const struct table *table, uint64_t key)
{
    for (uint32_t slot = table_slot(table, key);; slot = (slot + 1) & table->mask) {
        struct table_entry *entry = &table->entries[slot];
        if (entry->epoch != table->epoch)
            return NULL;
        if (entry->key == key)
            return &entry->value;
    }
}

#endif
