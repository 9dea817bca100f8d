/* See table.h. An entry of an older epoch is free, and so is a zeroed one: epochs begin at 1. */
#include "table.h"
#include <glib.h>
#include <string.h>

#define TABLE_FIRST_SIZE 256u

void table_init(struct table *table)
{
    table->entries = g_new0(struct table_entry, TABLE_FIRST_SIZE);
    table->mask = TABLE_FIRST_SIZE - 1;
    table->used = 0;
    table->epoch = 1;
}

void table_free(struct table *table)
{
    g_free(table->entries);
}

void table_clear(struct table *table)
{
    table->used = 0;
    if (++table->epoch != 0)
        return;
    memset(table->entries, 0, (table->mask + 1) * sizeof(*table->entries));
    table->epoch = 1;
}

static void grow(struct table *table)
{
    struct table_entry *old = table->entries;
    uint32_t old_size = table->mask + 1;
    uint32_t epoch = table->epoch;

    table->entries = g_new0(struct table_entry, 2 * (size_t)old_size);
    table->mask = 2 * old_size - 1;
    table->used = 0;
    table->epoch = 1;
    for (uint32_t i = 0; i < old_size; i++)
        if (old[i].epoch == epoch)
            *table_put(table, old[i].key) = old[i].value;
    g_free(old);
}

uint32_t *table_put(struct table *table, uint64_t key)
{
    uint32_t *value = table_find(table, key);

    if (value)
        return value;
    if (table->used >= (table->mask + 1) / 4 * 3)
        grow(table);
    uint32_t slot = table_slot(table, key);
    while (table->entries[slot].epoch == table->epoch)
        slot = (slot + 1) & table->mask;
    table->entries[slot] = (struct table_entry){.key = key, .epoch = table->epoch};
    table->used++;
    return &table->entries[slot].value;
}
