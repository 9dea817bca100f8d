/* Traces on disk, and what events are called. FORMAT.md beside this file is the contract.
 *
 * A trace directory holds one run:
 *   ctf/metadata, ctf/events   CTF 1.8, whole packets exactly as the guest's ring held them
 *   ctf/.sums                  a checksum for each packet
 *   manifest.json              what was run: scenario and its tables, parameters, image
 *   plan.json                  the plan that was run
 *   verdict.json               what the analysis said of it
 *
 * Errors are GErrors in the domain TRACE_ERROR; the message is one line that says what and how to
 * mend it. All strings are UTF-8, all times nanoseconds since the run's start.
 */
#ifndef FAULTLINE_TRACE_H
#define FAULTLINE_TRACE_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"

#define TRACE_ERROR (g_quark_from_static_string("faultline-trace"))
enum trace_error { TRACE_ERROR_IO, TRACE_ERROR_FORMAT, TRACE_ERROR_BUSY };

/* ---- names.c: names instead of numbers ---- */

/* The kinds of names.def. */
enum trace_kind {
    TRACE_DEPTH,
    TRACE_OUTCOME,
    TRACE_ACCESS,
    TRACE_RIGHTS,
    TRACE_HALT,
    TRACE_SWITCH,
    TRACE_ERRORS,
    TRACE_LABEL,
    TRACE_OBJECT,
    TRACE_AUDIT,
    TRACE_DEED,
    TRACE_FAIL
};

/* The field kinds of events.def. */
enum trace_field {
    TRACE_FIELD_NONE,
    TRACE_FIELD_RAW,
    TRACE_FIELD_PC,
    TRACE_FIELD_SET,
    TRACE_FIELD_VALUE,
    TRACE_FIELD_VA,
    TRACE_FIELD_THREAD,
    TRACE_FIELD_OUTCOME,
    TRACE_FIELD_ACCESS,
    TRACE_FIELD_RIGHTS,
    TRACE_FIELD_HALT,
    TRACE_FIELD_SWITCH,
    TRACE_FIELD_ERROR,
    TRACE_FIELD_LABEL,
    TRACE_FIELD_OBJECT,
    TRACE_FIELD_AUDIT,
    TRACE_FIELD_DEED,
    TRACE_FIELD_FAIL
};

struct trace_event_info {
    const char *name; /* "ipc_send" */
    const char *doc;
    enum trace_field addr_kind, arg_kind, aux_kind;
    const char *addr_name, *arg_name, *aux_name;
};

/* NULL for an id that events.def does not have. */
const struct trace_event_info *trace_event_info(uint16_t id);

/* The text of a value, or NULL when the table has none. */
const char *trace_value_name(enum trace_kind kind, uint64_t value);
const char *trace_point_name(uint16_t point);
/* Least FL_DEPTH_* at which the point is a place; FL_DEPTH_NEVER for none and unknown ones. */
unsigned trace_point_depth(uint16_t point);
/* FL_DEPTH_* of a name, or -1. */
int trace_depth_of(const char *name);

#define TRACE_NAME_MAX 48
/* "main", "t1.2", "core", "kernel": the longest prefix that the scenario names, then .n a level.
 * scenario may be NULL (then domains are d1, d2, ...). Returns buffer. */
const char *trace_thread_name(const struct fl_scenario *scenario, uint32_t path,
                              char buffer[TRACE_NAME_MAX]);
/* The inverse: the path of which trace_thread_name gives exactly this name; 0 when there is none
 * ("kernel" has path 0 too, and is refused). */
uint32_t trace_thread_path(const struct fl_scenario *scenario, const char *name);
const char *trace_space_name(const struct fl_scenario *scenario, uint16_t space,
                             char buffer[TRACE_NAME_MAX]);

/* regions.def: the region's index from 1 and the page in it; 0 outside of all. Pages of a region
 * whose layout is the compiler's are always 0. */
unsigned trace_region(uint64_t address, uint32_t *page);
const char *trace_region_name(unsigned region);

/* ---- ctf_writer.c ---- */

struct ctf_writer;

/* Where a stream's time 0 lies when it shares a clock with streams of others (FORMAT.md, Host and
 * guest in one listing). */
struct ctf_clock {
    char uuid[37];   /* of the clock */
    int64_t offset;  /* of time 0, in nanoseconds since 1970 */
    uint16_t number; /* of this trace: readers take two with one UUID for one */
};

/* Makes directory `dir`, the "ctf" of a trace directory (which exists), with metadata and an empty
 * stream. The metadata is rewritten, atomically, before the first packet that names a thread not
 * seen before, so that what is on disk is readable at any moment. scenario may be NULL; it must
 * outlive the writer. */
struct ctf_writer *ctf_writer_open(const char *dir, const struct fl_scenario *scenario,
                                   GError **error);
/* The same with times of that clock. */
struct ctf_writer *ctf_writer_open_on(const char *dir, const struct fl_scenario *scenario,
                                      const struct ctf_clock *clock, GError **error);
/* Appends one whole packet, or nothing: an unsound packet is refused (TRACE_ERROR_FORMAT), since no
 * reader would get past it. */
bool ctf_writer_packet(struct ctf_writer *writer, const struct fl_packet *packet, GError **error);
/* Frees the writer, also on failure. */
bool ctf_writer_close(struct ctf_writer *writer, GError **error);

/* ---- ctf_reader.c ---- */

struct ctf_reader;

struct ctf_damage {
    uint64_t packets_read;
    uint64_t events_read;
    uint64_t bytes_left; /* after the last whole packet that could be read */
    uint64_t discarded;  /* events that the guest had no room for */
    char reason[160];    /* "" when the stream is whole */
};

/* `dir` is a trace directory or its ctf directory. Fails when nothing at all can be read. */
struct ctf_reader *ctf_reader_open(const char *dir, GError **error);
/* The events of the next whole packet; false at the end or at the first damage, which
 * ctf_reader_damage tells apart. The pointer is valid until the reader is closed. */
bool ctf_reader_packet(struct ctf_reader *reader, const struct fl_packet **packet,
                       size_t *n_events);
const struct ctf_damage *ctf_reader_damage(const struct ctf_reader *reader);
void ctf_reader_close(struct ctf_reader *reader);

/* Whether a packet's header and context are sound; reason (may be NULL) says what is not. Used on
 * the live ring and on files alike. */
bool ctf_packet_check(const struct fl_packet *packet, size_t *n_events, const char **reason);

/* ---- rundir.c: numbered trace directories ---- */

/* Creates `root`/<scenario>-<variant>-NNNN with the next free number (safe against other monitors
 * doing the same) and returns its path, to be freed with g_free. */
char *rundir_create(const char *root, const char *scenario, const char *variant, GError **error);
/* Takes the directory for this process until rundir_unlock, or its end; a second taker gets
 * TRACE_ERROR_BUSY. Returns a file descriptor, or -1. */
int rundir_lock(const char *dir, GError **error);
void rundir_unlock(int lock);
/* Writes `dir`/`name` atomically (temporary file, fsync, rename). */
bool rundir_write(const char *dir, const char *name, const char *text, GError **error);

struct trace_manifest {
    char scenario[32];
    char variant[24];
    uint32_t params[FL_MAX_PARAMS];
    uint32_t n_params;
    char param_ids[FL_MAX_PARAMS][16];
    char backend[16];
    char arch[16];
    char image[512];     /* path of the guest image */
    char image_hash[72]; /* SHA-256, hex */
    uint32_t abi_version;
    char event_hash[20]; /* hex, "" until the run has ended */
    char outcome[24];
    /* the scenario's own tables, so that a trace can be read without its image */
    struct fl_scenario scenario_copy;
};

bool manifest_write(const char *dir, const struct trace_manifest *manifest, GError **error);
bool manifest_read(const char *dir, struct trace_manifest *manifest, GError **error);

#endif
