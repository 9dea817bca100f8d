/* Traces read in place, and no further than they are sound. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctf_metadata.h"
#include "ctf_packet.h"
#include "disk.h"

struct ctf_reader {
    const char *stream;
    uint64_t size;
    uint64_t offset; /* of the next packet */
    char *sums;      /* NULL: the trace has none */
    gsize sums_size;
    struct ctf_sequence sequence;
    bool stopped;
    struct ctf_damage damage;
};

/* ---- Opening ---- */

static bool unreadable(GError **error, const char *path, const char *reason)
{
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT, "nothing can be read from %s: %s", path,
                reason);
    return false;
}

/* O_NONBLOCK: what stands in the stream's place may be a pipe that nobody writes to. */
static bool map_stream(struct ctf_reader *reader, const char *path, GError **error)
{
    int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (file < 0)
        return disk_error(error, "open", path);
    struct stat status;
    if (fstat(file, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(file);
        return unreadable(error, path, "it is no regular file");
    }
    if (status.st_size == 0) {
        close(file);
        return unreadable(error, path, "it is empty, the run was never recorded");
    }
    void *map = mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    int reason = errno;
    close(file);
    errno = reason;
    if (map == MAP_FAILED)
        return disk_error(error, "map", path);
    reader->stream = map;
    reader->size = (uint64_t)status.st_size;
    reader->damage.bytes_left = reader->size;
    return true;
}

/* What keeps the next packet from being read, or NULL; sets *next and advances the sequence. */
static const char *next_fault(struct ctf_reader *reader, const struct fl_packet **next,
                              size_t *n_events)
{
    uint64_t number = reader->offset / FL_PACKET_SIZE, sum;
    const char *fault;
    if (reader->size - reader->offset < FL_PACKET_SIZE)
        return "the stream is cut short";
    *next = (const struct fl_packet *)(const void *)(reader->stream + reader->offset);
    if (!ctf_sequence_check(&reader->sequence, *next, n_events, &fault))
        return fault;
    if (!reader->sums)
        return NULL;
    if (reader->sums_size < (number + 1) * sizeof sum)
        return "its checksum is missing";
    memcpy(&sum, reader->sums + number * sizeof sum, sizeof sum);
    return ctf_packet_sum(*next) == sum ? NULL : "its checksum differs";
}

static bool check_first_packet(const struct ctf_reader *reader, const char *path, GError **error)
{
    struct ctf_reader copy = *reader;
    const struct fl_packet *packet;
    size_t count;
    const char *fault = next_fault(&copy, &packet, &count);
    return !fault || unreadable(error, path, fault);
}

/* A trace may have no checksums: they are ours, not CTF's. */
static void read_sums(struct ctf_reader *reader, const char *dir)
{
    char *path = g_strconcat(dir, "/" CTF_SUMS, NULL);
    g_file_get_contents(path, &reader->sums, &reader->sums_size, NULL);
    g_free(path);
}

/* Packets say of themselves what they are, so the events can be read without the metadata. But
 * babeltrace2 cannot do so, and whatever hit the metadata may have hit the events. */
static void check_metadata(struct ctf_reader *reader, const char *dir)
{
    char *path = g_strconcat(dir, "/metadata", NULL);
    char *text;
    gsize length;
    const char *fault = "metadata is missing or cannot be read";
    if (g_file_get_contents(path, &text, &length, NULL)) {
        fault = ctf_metadata_fault(text, length);
        g_free(text);
    }
    if (fault)
        g_strlcpy(reader->damage.reason, fault, sizeof reader->damage.reason);
    g_free(path);
}

/* The directory with the stream: `dir`/ctf or `dir` itself. */
static char *stream_directory(const char *dir, GError **error)
{
    static const char *const places[] = {"/ctf", ""};
    for (size_t i = 0; i < G_N_ELEMENTS(places); i++) {
        char *place = g_strconcat(dir, places[i], NULL);
        char *stream = g_strconcat(place, "/events", NULL);
        bool found = access(stream, F_OK) == 0;
        g_free(stream);
        if (found)
            return place;
        g_free(place);
    }
    g_set_error(error, TRACE_ERROR, TRACE_ERROR_IO,
                "%s is no trace directory: there is no ctf/events in it; check the path", dir);
    return NULL;
}

struct ctf_reader *ctf_reader_open(const char *dir, GError **error)
{
    char *place = stream_directory(dir, error);
    if (!place)
        return NULL;
    struct ctf_reader *reader = g_new0(struct ctf_reader, 1);
    char *path = g_strconcat(place, "/events", NULL);
    read_sums(reader, place);
    if (map_stream(reader, path, error) && check_first_packet(reader, path, error)) {
        check_metadata(reader, place);
    } else {
        ctf_reader_close(reader);
        reader = NULL;
    }
    g_free(path);
    g_free(place);
    return reader;
}

void ctf_reader_close(struct ctf_reader *reader)
{
    if (reader->stream)
        munmap((void *)(uintptr_t)reader->stream, reader->size);
    g_free(reader->sums);
    g_free(reader);
}

/* ---- Reading ---- */

static bool stop(struct ctf_reader *reader, const char *reason)
{
    reader->stopped = true;
    snprintf(reader->damage.reason, sizeof reader->damage.reason,
             "packet %" G_GUINT64_FORMAT " (at byte %" G_GUINT64_FORMAT "): %s",
             reader->damage.packets_read, reader->offset, reason);
    return false;
}

bool ctf_reader_packet(struct ctf_reader *reader, const struct fl_packet **packet, size_t *n_events)
{
    if (reader->stopped || reader->offset == reader->size)
        return false;
    const struct fl_packet *next;
    const char *fault = next_fault(reader, &next, n_events);
    if (fault)
        return stop(reader, fault);
    *packet = next;
    reader->offset += FL_PACKET_SIZE;
    reader->damage.packets_read++;
    reader->damage.events_read += *n_events;
    reader->damage.bytes_left = reader->size - reader->offset;
    reader->damage.discarded = next->discarded;
    return true;
}

const struct ctf_damage *ctf_reader_damage(const struct ctf_reader *reader)
{
    return &reader->damage;
}
