/* Packets of the ring onto disk, as they are. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include "ctf_metadata.h"
#include "ctf_packet.h"
#include "disk.h"

struct ctf_writer {
    char *dir;
    char *path; /* of the stream */
    int file, sums;
    const struct fl_scenario *scenario;
    struct ctf_clock *clock; /* NULL: the run's own */
    GArray *paths;           /* uint32_t, ascending: the threads that the metadata names */
    uint64_t packets;
    struct ctf_sequence sequence;
};

/* More threads than this only a guest makes that is out of its mind: they stay numbers. */
#define MAX_NAMED 4096u

/* ---- Threads ---- */

/* Adds a thread; false when it was there, or is none. A guest that is out of its mind may put any
 * number into a record. */
static bool add_path(struct ctf_writer *writer, uint64_t path)
{
    guint at = 0;
    char name[TRACE_NAME_MAX];
    while (at < writer->paths->len && g_array_index(writer->paths, uint32_t, at) < path)
        at++;
    if (at < writer->paths->len && g_array_index(writer->paths, uint32_t, at) == path)
        return false;
    if (writer->paths->len == MAX_NAMED || path > UINT32_MAX || path == FL_PATH_KERNEL ||
        *trace_thread_name(writer->scenario, (uint32_t)path, name) == '?')
        return false;
    uint32_t new = (uint32_t)path;
    g_array_insert_val(writer->paths, at, new);
    return true;
}

static bool add_paths(struct ctf_writer *writer, const struct fl_packet *packet, size_t count)
{
    bool added = false;
    for (size_t i = 0; i < count; i++) {
        const struct fl_event *event = &packet->events[i];
        const struct trace_event_info *info = trace_event_info(fl_event_id(event));
        added |= add_path(writer, event->thread);
        if (info->addr_kind == TRACE_FIELD_THREAD)
            added |= add_path(writer, event->addr);
        if (info->arg_kind == TRACE_FIELD_THREAD)
            added |= add_path(writer, event->arg);
        if (info->aux_kind == TRACE_FIELD_THREAD)
            added |= add_path(writer, event->aux);
    }
    return added;
}

/* What the scenario says beforehand spares most rewriting of the metadata. */
static void add_scenario_paths(struct ctf_writer *writer)
{
    const struct fl_scenario *scenario = writer->scenario;
    add_path(writer, FL_PATH_CORE);
    for (uint32_t i = 0; scenario && i < MIN(scenario->n_domains, FL_MAX_DOMAINS); i++)
        add_path(writer, FL_PATH_DOMAIN(i));
    for (uint32_t i = 0; scenario && i < MIN(scenario->n_named, FL_MAX_NAMED_THREADS); i++)
        add_path(writer, scenario->named[i].path);
}

static bool write_metadata(struct ctf_writer *writer, GError **error)
{
    char *text = ctf_metadata(writer->scenario, writer->clock,
                              (const uint32_t *)(void *)writer->paths->data, writer->paths->len);
    bool done = disk_replace(writer->dir, "metadata", text, strlen(text), error);
    g_free(text);
    return done;
}

/* ---- The writer ---- */

static void writer_free(struct ctf_writer *writer)
{
    if (writer->file >= 0)
        close(writer->file);
    if (writer->sums >= 0)
        close(writer->sums);
    g_array_free(writer->paths, TRUE);
    g_free(writer->clock);
    g_free(writer->path);
    g_free(writer->dir);
    g_free(writer);
}

static int open_new(const char *path, GError **error)
{
    int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0)
        disk_error(error, "make", path);
    return file;
}

static bool open_files(struct ctf_writer *writer, GError **error)
{
    if (mkdir(writer->dir, 0777) != 0)
        return disk_error(error, "make", writer->dir);
    char *sums = g_strconcat(writer->dir, "/" CTF_SUMS, NULL);
    writer->file = open_new(writer->path, error);
    if (writer->file >= 0)
        writer->sums = open_new(sums, error);
    g_free(sums);
    return writer->sums >= 0;
}

struct ctf_writer *ctf_writer_open_on(const char *dir, const struct fl_scenario *scenario,
                                      const struct ctf_clock *clock, GError **error)
{
    struct ctf_writer *writer = g_new0(struct ctf_writer, 1);
    writer->dir = g_strdup(dir);
    writer->path = g_strconcat(dir, "/events", NULL);
    writer->file = writer->sums = -1;
    writer->scenario = scenario;
    writer->clock = clock ? g_memdup2(clock, sizeof *clock) : NULL;
    writer->paths = g_array_new(FALSE, FALSE, sizeof(uint32_t));
    add_scenario_paths(writer);
    if (open_files(writer, error) && write_metadata(writer, error))
        return writer;
    writer_free(writer);
    return NULL;
}

struct ctf_writer *ctf_writer_open(const char *dir, const struct fl_scenario *scenario,
                                   GError **error)
{
    return ctf_writer_open_on(dir, scenario, NULL, error);
}

static void cut(int file, uint64_t size)
{
    if (ftruncate(file, (off_t)size) == 0)
        lseek(file, (off_t)size, SEEK_SET);
}

/* The sum goes first: a writer that is killed in between leaves one too many, never one too few.
 * The disk may be full; what is cut off again leaves a stream of whole packets. */
static bool append(struct ctf_writer *writer, const struct fl_packet *packet, GError **error)
{
    uint64_t sum = ctf_packet_sum(packet);
    if (disk_write_all(writer->sums, &sum, sizeof sum) &&
        disk_write_all(writer->file, packet, sizeof *packet))
        return true;
    disk_error(error, "write", writer->path);
    cut(writer->file, writer->packets * sizeof *packet);
    cut(writer->sums, writer->packets * sizeof sum);
    return false;
}

bool ctf_writer_packet(struct ctf_writer *writer, const struct fl_packet *source, GError **error)
{
    /* The ring belongs to the guest, which may still write to it after the check. */
    struct fl_packet packet = *source;
    struct ctf_sequence sequence = writer->sequence;
    size_t count;
    const char *fault;
    if (!ctf_sequence_check(&sequence, &packet, &count, &fault)) {
        g_set_error(error, TRACE_ERROR, TRACE_ERROR_FORMAT,
                    "packet %" G_GUINT64_FORMAT " is not written to %s: %s", writer->packets,
                    writer->path, fault);
        return false;
    }
    if (add_paths(writer, &packet, count) && !write_metadata(writer, error))
        return false;
    ctf_trace_uuid(writer->clock, packet.uuid);
    if (!append(writer, &packet, error))
        return false;
    writer->packets++;
    writer->sequence = sequence;
    return true;
}

static bool sync_and_close(int *file)
{
    bool done = fsync(*file) == 0;
    int reason = errno;
    done = close(*file) == 0 && done;
    *file = -1;
    errno = reason;
    return done;
}

bool ctf_writer_close(struct ctf_writer *writer, GError **error)
{
    bool done = sync_and_close(&writer->file) && sync_and_close(&writer->sums);
    if (!done)
        disk_error(error, "write", writer->path);
    writer_free(writer);
    return done;
}
