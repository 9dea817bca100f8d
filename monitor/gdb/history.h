/* One run as a debugger goes through it: from its first event to its result, forwards and
 * backwards, and to any event by its number.
 *
 * Breakpoints of a client are in the guest only while a resume of the client's is under way. */
#ifndef FAULTLINE_GDB_HISTORY_H
#define FAULTLINE_GDB_HISTORY_H

#include <glib.h>
#include "target.h"

struct history;

/* Makes the run and stands at its first event. events: what the run must be, as far as known. */
struct history *history_open(const struct gdb_target_ops *ops,
                             const struct gdb_target_config *config, const struct fl_event *events,
                             size_t n_events, GError **error);
void history_close(struct history *history);

struct gdb_target *history_target(struct history *history);
/* All events of the run, in order. */
const struct fl_event *history_events(const struct history *history, size_t *count);
/* How many of them are written where the guest stands. */
size_t history_written(const struct history *history);

/* Goes to right after that event was written; to a position. Past all breakpoints. What a client
 * wrote is undone. false: the guest is gone, or the run is not what it was. */
bool history_goto(struct history *history, size_t event);
bool history_seek(struct history *history, uint64_t position);

/* A client wrote registers or memory: what follows is another run, whose past is not known. */
void history_diverge(struct history *history);
bool history_diverged(const struct history *history);

/* Whether the target has breakpoints of this kind. */
bool history_has_break(const struct history *history, enum gdb_break kind);
/* false: there is no such breakpoint, or another length is needed. */
bool history_set_break(struct history *history, enum gdb_break kind, uint64_t address, size_t size,
                       bool insert);
void history_clear_breaks(struct history *history);

void history_resume(struct history *history, enum gdb_resume how);
bool history_stopped(struct history *history, struct gdb_stop *stop);

#endif
