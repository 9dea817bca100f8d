/* What the threads of a run ended with, of all the runs of a search: its final states, as far as a
 * litmus scenario tells them by its exit codes.
 */
#ifndef FAULTLINE_ENDS_H
#define FAULTLINE_ENDS_H

#include <string.h>
#include "explore/drive.h"

struct ends {
    GHashTable *seen;   /* of text: what each thread ended with, and the outcome */
    GHashTable *orders; /* of uint64_t: run_report.order */
    uint64_t runs, redundant, pruned;
};

static inline struct ends ends_new(void)
{
    return (struct ends){
        .seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL),
        .orders = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL),
    };
}

static inline void ends_free(struct ends *ends)
{
    g_hash_table_unref(ends->seen);
    g_hash_table_unref(ends->orders);
}

static inline int ends_compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* drive.on_run; the context is a struct ends. Who ended first does not count. */
static inline bool ends_note(void *context, const struct driven *driven)
{
    struct ends *ends = context;
    g_autoptr(GPtrArray) codes = g_ptr_array_new_with_free_func(g_free);
    for (uint32_t i = 0; i < driven->run->result.packets; i++) {
        size_t count;
        const struct fl_packet *packet = session_packet(driven->session, driven->run, i, &count);
        for (size_t j = 0; j < count; j++)
            if (fl_event_id(&packet->events[j]) == FL_EVENT_THREAD_EXIT)
                g_ptr_array_add(codes, g_strdup_printf("%08x:%u", packet->events[j].thread,
                                                       packet->events[j].arg));
    }
    ends->runs++;
    if (driven->run->result.outcome == FL_OUTCOME_KNOWN)
        return true; /* it was cut where another goes on */
    g_ptr_array_sort(codes, ends_compare);
    g_ptr_array_add(codes, g_strdup_printf("%u, %zu violated", driven->report->verdict->outcome,
                                           driven->report->verdict->n_violations));
    g_ptr_array_add(codes, NULL);
    assert_int_equal(driven->report->n_taken, driven->report->plan->n_preemptions);
    g_hash_table_add(ends->seen, g_strjoinv(" ", (char **)codes->pdata));
    g_hash_table_add(ends->orders,
                     g_memdup2(&driven->report->order, sizeof(driven->report->order)));
    return true;
}

static inline void ends_assert_same(GHashTable *a, GHashTable *b)
{
    GHashTableIter iter;
    gpointer key;
    assert_int_equal(g_hash_table_size(a), g_hash_table_size(b));
    g_hash_table_iter_init(&iter, a);
    while (g_hash_table_iter_next(&iter, &key, NULL))
        assert_true(g_hash_table_contains(b, key));
}

#endif
