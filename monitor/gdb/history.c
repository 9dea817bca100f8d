#include "history.h"

#include <poll.h>
#include <string.h>
#include "capture.h"
#include "gdb.h"
#include "ring.h"

#define STOP_MS       60000
#define STORES_LIMIT  256 /* instructions in which an event is written */
#define WORD          4u
#define NOT_THERE_YET UINT64_MAX

struct client_break {
    enum gdb_break kind;
    uint64_t address;
    size_t size;
};

struct history {
    const struct gdb_arch *arch;
    struct gdb_target *target;
    uint64_t begin;      /* position of the first event */
    uint64_t *positions; /* of each event, once known */
    GArray *breaks;      /* struct client_break */
    bool diverged;
    enum gdb_resume how;
    bool guarded; /* the watchpoint at the end of the run is in the guest */
    bool known;   /* how it stopped, without the target having been asked */
    struct gdb_stop stop;
};

struct gdb_target *history_target(struct history *history)
{
    return history->target;
}

const struct fl_event *history_events(const struct history *history, size_t *count)
{
    *count = history->target->events->len;
    return (const struct fl_event *)(const void *)history->target->events->data;
}

size_t history_written(const struct history *history)
{
    size_t count;
    const struct fl_event *events = history_events(history, &count);
    return ring_common(history->target->memory, events, count);
}

void history_diverge(struct history *history)
{
    history->diverged = true;
}

bool history_diverged(const struct history *history)
{
    return history->diverged;
}

/* ---- to a place ---- */

static bool order(struct history *history, enum gdb_break kind, uint64_t offset, size_t size,
                  bool insert)
{
    struct gdb_target *target = history->target;
    return target->ops->set_break(target, kind, history->arch->kernel + offset, size, insert);
}

/* Until the target stands still again. */
static bool go(struct history *history, enum gdb_resume how, struct gdb_stop *stop)
{
    struct gdb_target *target = history->target;
    target->ops->resume(target, how);
    while (!target->ops->stopped(target, stop)) {
        struct pollfd ready = {.fd = target->fd, .events = POLLIN};
        if (poll(&ready, 1, STOP_MS) == 0)
            return false;
    }
    return stop->kind != GDB_STOP_GONE;
}

/* To where the event is being written. */
static bool approach(struct history *history, size_t event)
{
    struct gdb_target *target = history->target;
    const uint64_t offset = ring_event_offset(event);
    struct gdb_stop stop;
    if (target->ops->before_event != NULL)
        return target->ops->seek(target, target->ops->before_event(target, event));
    if (!order(history, GDB_WATCH_WRITE, offset, sizeof(struct fl_event), true))
        return false;
    const bool there = go(history, GDB_CONTINUE, &stop) && stop.kind == GDB_STOP_WATCH;
    return order(history, GDB_WATCH_WRITE, offset, sizeof(struct fl_event), false) && there;
}

/* From somewhere before the event was written to the instruction after. Its fields are stored one
 * after the other. */
static bool run_to_event(struct history *history, size_t event)
{
    struct gdb_stop stop;
    if (!approach(history, event))
        return false;
    for (unsigned i = 0; i < STORES_LIMIT && history_written(history) <= event; i++)
        if (!go(history, GDB_STEP, &stop))
            return false;
    return history_written(history) == event + 1;
}

bool history_seek(struct history *history, uint64_t position)
{
    history->diverged = false;
    return history->target->ops->seek(history->target, position);
}

/* The last known place at or before the event. */
static uint64_t place_before(const struct history *history, size_t event)
{
    for (size_t i = event + 1; i-- > 0;)
        if (history->positions[i] != NOT_THERE_YET)
            return history->positions[i];
    return history->begin;
}

bool history_goto(struct history *history, size_t event)
{
    size_t count;
    history_events(history, &count);
    if (event >= count || !history_seek(history, place_before(history, event)))
        return false;
    if (history->positions[event] == NOT_THERE_YET) {
        if (!run_to_event(history, event))
            return false;
        history->positions[event] = history->target->position;
    }
    return true;
}

/* ---- going, with a client's breakpoints ---- */

bool history_has_break(const struct history *history, enum gdb_break kind)
{
    const bool reads = kind == GDB_WATCH_READ || kind == GDB_WATCH_ACCESS;
    return kind < GDB_BREAKS && !(reads && history->target->ops->reads_unwatched);
}

bool history_set_break(struct history *history, enum gdb_break kind, uint64_t address, size_t size,
                       bool insert)
{
    const struct client_break wanted = {kind, address, size};
    for (guint i = 0; i < history->breaks->len; i++) {
        const struct client_break *other = &g_array_index(history->breaks, struct client_break, i);
        if (other->kind != kind || other->address != address || other->size != size)
            continue;
        if (!insert)
            g_array_remove_index(history->breaks, i);
        return true;
    }
    if (insert)
        g_array_append_val(history->breaks, wanted);
    return true;
}

void history_clear_breaks(struct history *history)
{
    g_array_set_size(history->breaks, 0);
}

static bool order_all(struct history *history, bool insert)
{
    struct gdb_target *target = history->target;
    bool done = true;
    for (guint i = 0; i < history->breaks->len; i++) {
        const struct client_break *wanted = &g_array_index(history->breaks, struct client_break, i);
        done =
            target->ops->set_break(target, wanted->kind, wanted->address, wanted->size, insert) &&
            done;
    }
    return done;
}

static bool run_is_over(const struct history *history)
{
    struct fl_result result;
    return ring_result(history->target->memory, &result);
}

/* Where nothing is left to go to, the target is not asked. */
static bool at_an_end(struct history *history, enum gdb_resume how, enum gdb_stop_kind *end)
{
    const bool back = how >= GDB_REVERSE_STEP;
    *end = back ? GDB_STOP_BEGIN : GDB_STOP_END;
    if (back)
        return history->diverged || history->target->position <= history->begin;
    return run_is_over(history);
}

void history_resume(struct history *history, enum gdb_resume how)
{
    history->how = how;
    history->stop = (struct gdb_stop){.kind = GDB_STOPPED};
    history->known = at_an_end(history, how, &history->stop.kind);
    history->guarded = !history->known && how == GDB_CONTINUE;
    if (history->known)
        return;
    if (history->guarded)
        order(history, GDB_WATCH_WRITE, ring_end_offset(), WORD, true);
    order_all(history, true);
    history->target->ops->resume(history->target, how);
}

static bool is_end(const struct history *history, const struct gdb_stop *stop)
{
    return history->guarded && stop->kind == GDB_STOP_WATCH &&
           stop->address == history->arch->kernel + ring_end_offset();
}

bool history_stopped(struct history *history, struct gdb_stop *stop)
{
    *stop = history->stop;
    if (history->known)
        return true;
    if (!history->target->ops->stopped(history->target, stop))
        return false;
    if (stop->kind == GDB_STOP_GONE)
        return true;
    order_all(history, false);
    if (history->guarded)
        order(history, GDB_WATCH_WRITE, ring_end_offset(), WORD, false);
    if (is_end(history, stop))
        stop->kind = GDB_STOP_END;
    if (history->how >= GDB_REVERSE_STEP && history->target->position < history->begin)
        stop->kind = history_seek(history, history->begin) ? GDB_STOP_BEGIN : GDB_STOP_GONE;
    return true;
}

/* ---- life ---- */

static bool same_run(const struct history *history, const struct fl_event *expected, size_t n,
                     GError **error)
{
    size_t count;
    const struct fl_event *events = history_events(history, &count);
    const size_t known = MIN(n, count);
    const size_t differs = events_differ(expected, known, events, known);
    if (n <= count && differs == SIZE_MAX)
        return true;
    g_set_error(error, GDB_ERROR, GDB_ERROR_RUN,
                "the run is not the one that is known: they differ from event %zu on",
                MIN(differs, count));
    return false;
}

static bool find_begin(struct history *history, GError **error)
{
    if (history->target->events->len > 0 && run_to_event(history, 0)) {
        history->begin = history->positions[0] = history->target->position;
        return true;
    }
    g_set_error_literal(error, GDB_ERROR, GDB_ERROR_GUEST,
                        "the guest, gone over again, does not come to the run's first event");
    return false;
}

struct history *history_open(const struct gdb_target_ops *ops,
                             const struct gdb_target_config *config, const struct fl_event *events,
                             size_t n_events, GError **error)
{
    struct history *history = g_new0(struct history, 1);
    history->arch = config->arch;
    history->breaks = g_array_new(FALSE, FALSE, sizeof(struct client_break));
    history->target = ops->open(config, error);
    if (history->target == NULL || !same_run(history, events, n_events, error)) {
        history_close(history);
        return NULL;
    }
    const size_t count = history->target->events->len;
    history->positions = g_new(uint64_t, count + 1);
    for (size_t i = 0; i < count; i++)
        history->positions[i] = NOT_THERE_YET;
    if (!find_begin(history, error)) {
        history_close(history);
        return NULL;
    }
    return history;
}

void history_close(struct history *history)
{
    if (history->target != NULL)
        history->target->ops->close(history->target);
    g_array_free(history->breaks, TRUE);
    g_free(history->positions);
    g_free(history);
}
