#include "access_reader.h"

#include <glib.h>

struct access_reader {
    struct access_log *log;
    uint64_t tail;
    size_t max;
    uint32_t begun; /* runs of this guest so far */
    GQueue runs;    /* GArray of struct access each; the last may still be running */
    GQueue unused;  /* such arrays, to be used again */
};

struct access_reader *access_reader_new(size_t max)
{
    struct access_reader *reader = g_new0(struct access_reader, 1);
    reader->max = max;
    return reader;
}

static void free_array(gpointer array)
{
    g_array_free(array, TRUE);
}

void access_reader_free(struct access_reader *reader)
{
    if (reader == NULL)
        return;
    g_queue_clear_full(&reader->runs, free_array);
    g_queue_clear_full(&reader->unused, free_array);
    g_free(reader);
}

void access_reader_attach(struct access_reader *reader, struct access_log *log)
{
    while (!g_queue_is_empty(&reader->runs))
        access_reader_release(reader);
    reader->log = log;
    reader->tail = 0;
    reader->begun = 0;
}

static bool is_run(const struct access *record)
{
    return record->place >> 28 == ACCESS_RUN;
}

static bool begin_run(struct access_reader *reader, const struct access *record)
{
    if (record->address != reader->begun)
        return false;
    GArray *run = g_queue_pop_tail(&reader->unused);
    if (run == NULL)
        run = g_array_new(FALSE, FALSE, sizeof(struct access));
    g_queue_push_tail(&reader->runs, run);
    reader->begun++;
    return true;
}

/* Takes in the records from the tail on that belong together, at most `n`: a run's beginning, or
 * accesses of one run. Returns how many; 0: they cannot be. */
static size_t take(struct access_reader *reader, size_t n)
{
    const size_t at = reader->tail % ACCESS_LOG_RECORDS;
    const struct access *records = &reader->log->records[at];
    n = MIN(n, ACCESS_LOG_RECORDS - at);
    if (is_run(&records[0]))
        return begin_run(reader, &records[0]) ? 1 : 0;
    GArray *run = g_queue_peek_tail(&reader->runs);
    if (run == NULL)
        return 0;
    size_t count = 1;
    while (count < n && !is_run(&records[count]))
        count++;
    g_array_append_vals(run, records, (guint)MIN(count, reader->max - run->len));
    return count;
}

bool access_reader_drain(struct access_reader *reader)
{
    uint64_t head = __atomic_load_n(&reader->log->head, __ATOMIC_ACQUIRE);
    if (head - reader->tail > ACCESS_LOG_RECORDS)
        return false;
    while (reader->tail != head) {
        size_t taken = take(reader, head - reader->tail);
        if (taken == 0)
            return false;
        reader->tail += taken;
        __atomic_store_n(&reader->log->tail, reader->tail, __ATOMIC_RELEASE);
    }
    return true;
}

const struct access *access_reader_run(struct access_reader *reader, size_t *n)
{
    const GArray *run = g_queue_peek_head(&reader->runs);
    *n = run != NULL ? run->len : 0;
    return run != NULL ? (const struct access *)(void *)run->data : NULL;
}

void access_reader_release(struct access_reader *reader)
{
    GArray *run = g_queue_pop_head(&reader->runs);
    if (run == NULL)
        return;
    g_array_set_size(run, 0);
    g_queue_push_tail(&reader->unused, run);
}
