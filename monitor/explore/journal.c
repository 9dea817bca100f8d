#include "journal.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#define HEADER_SIZE 4096
#define FORMAT      "faultline search 3"

_Static_assert(sizeof(struct journal_run) == 16, "journal_run");

struct journal {
    char *path;
    char *key;
    int file; /* -1: not opened */
    GArray *runs;
    uint64_t remembered;
    uint64_t written;
    double seconds; /* before this search */
};

static char *header_text(const char *key, double seconds)
{
    return g_strdup_printf("%s\n%s\nseconds %.3f\n", FORMAT, key, seconds);
}

/* false: it is no journal of this search. */
static bool read_header(struct journal *journal, const char *header)
{
    g_autofree char *begin = g_strdup_printf("%s\n%s\nseconds ", FORMAT, journal->key);
    const size_t length = strlen(begin);
    if (length >= HEADER_SIZE || strncmp(header, begin, length) != 0)
        return false;
    journal->seconds = MAX(0, g_ascii_strtod(header + length, NULL));
    return true;
}

/* A run that was written half counts for nothing. */
static void remember(struct journal *journal)
{
    g_autofree char *data = NULL;
    gsize size;
    if (!g_file_get_contents(journal->path, &data, &size, NULL) || size < HEADER_SIZE)
        return;
    data[HEADER_SIZE - 1] = '\0';
    if (!read_header(journal, data))
        return;
    const guint count = (guint)((size - HEADER_SIZE) / sizeof(struct journal_run));
    g_array_set_size(journal->runs, count);
    memcpy(journal->runs->data, data + HEADER_SIZE, count * sizeof(struct journal_run));
    journal->remembered = journal->written = count;
}

struct journal *journal_open(const char *directory, const char *name, const char *key, bool resume)
{
    struct journal *journal = g_new0(struct journal, 1);
    g_autofree char *hash = g_compute_checksum_for_string(G_CHECKSUM_SHA256, key, -1);
    journal->path = g_strdup_printf("%s/%s-%.16s", directory, name, hash);
    journal->key = g_strdup(key);
    journal->file = -1;
    journal->runs = g_array_new(FALSE, TRUE, sizeof(struct journal_run));
    if (resume)
        remember(journal);
    return journal;
}

uint64_t journal_remembered(const struct journal *journal)
{
    return journal->remembered;
}

double journal_seconds(const struct journal *journal)
{
    return journal->seconds;
}

const struct journal_run *journal_run(const struct journal *journal, uint64_t i)
{
    g_assert(i < journal->remembered);
    return &g_array_index(journal->runs, struct journal_run, (guint)i);
}

void journal_add(struct journal *journal, const struct journal_run *run)
{
    g_array_append_vals(journal->runs, run, 1);
}

static bool fail(const struct journal *journal, GError **error)
{
    const int saved = errno;
    g_set_error(error, G_FILE_ERROR, (gint)g_file_error_from_errno(saved),
                "this search cannot be resumed later: %s: %s", journal->path, g_strerror(saved));
    return false;
}

/* Two monitors on one search: the first keeps the journal. */
static bool open_file(struct journal *journal, GError **error)
{
    if (journal->file >= 0)
        return true;
    g_autofree char *directory = g_path_get_dirname(journal->path);
    if (g_mkdir_with_parents(directory, 0777) != 0)
        return fail(journal, error);
    const int file = open(journal->path, O_RDWR | O_CREAT | O_CLOEXEC, 0666);
    if (file < 0)
        return fail(journal, error);
    const off_t whole = (off_t)(HEADER_SIZE + journal->remembered * sizeof(struct journal_run));
    if (flock(file, LOCK_EX | LOCK_NB) != 0 ||
        ftruncate(file, journal->remembered > 0 ? whole : 0) != 0) {
        fail(journal, error);
        close(file);
        return false;
    }
    journal->file = file;
    return true;
}

static bool write_at(const struct journal *journal, const void *data, size_t size, uint64_t at)
{
    while (size > 0) {
        const ssize_t written = pwrite(journal->file, data, size, (off_t)at);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data = (const char *)data + written;
        size -= (size_t)written;
        at += (uint64_t)written;
    }
    return true;
}

bool journal_flush(struct journal *journal, double seconds, GError **error)
{
    const size_t size = sizeof(struct journal_run);
    const uint64_t fresh = journal->runs->len - journal->written;
    char header[HEADER_SIZE] = "";
    g_autofree char *text = header_text(journal->key, seconds);
    g_strlcpy(header, text, sizeof(header));
    if (!open_file(journal, error))
        return false;
    if (!write_at(journal, header, sizeof(header), 0) ||
        !write_at(journal, journal->runs->data + journal->written * size, fresh * size,
                  HEADER_SIZE + journal->written * size))
        return fail(journal, error);
    journal->written += fresh;
    return true;
}

void journal_remove(struct journal *journal)
{
    if (journal->file >= 0 || journal->remembered > 0)
        g_unlink(journal->path);
}

void journal_close(struct journal *journal)
{
    if (journal == NULL)
        return;
    if (journal->file >= 0)
        close(journal->file);
    g_array_free(journal->runs, TRUE);
    g_free(journal->path);
    g_free(journal->key);
    g_free(journal);
}
