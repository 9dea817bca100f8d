/* A session: one guest, from boot to end, that runs plans and yields runs.
 *
 * Plans are posted, run in the order posted, and come back in that order. A guest that dies or
 * falls silent is a result of the run that it was in (FL_OUTCOME_DEAD, FL_OUTCOME_SILENT); the
 * session boots another and the rest of the batch goes on as if nothing had been.
 */
#ifndef FAULTLINE_SESSION_H
#define FAULTLINE_SESSION_H

#include <glib.h>
#include <stdbool.h>
#include "abi.h"
#include "audit.h"
#include "backend/backend.h"
#include "guestwalk.h"
#include "image.h"
#include "plugin/access_log.h"

struct session;

#define SESSION_ERROR (g_quark_from_static_string("faultline-session"))
enum session_error {
    SESSION_ERROR_GUEST,
    SESSION_ERROR_ACCESSES, /* they were asked for and cannot be had here; all else may */
};

struct session_options {
    const struct backend_ops *backend; /* NULL: the first that runs the image */
    const struct image *image;         /* must outlive the session */
    double watchdog;                   /* seconds without progress; 0: the default */
    bool accesses;                     /* record user mode's accesses: on the back end that tells
                                          them for this one (backend_telling) */
    const struct spawn *spawn;         /* how QEMUs are brought to life (backend/spawn.h); NULL: as
                                          children. Must outlive the session */
};

/* A run that has ended. The packets lie in the ring until session_release. */
struct run {
    struct fl_plan plan;
    struct fl_result result; /* sanitised: packet numbers are within the ring */
    char death[160];         /* how the guest ended: FL_OUTCOME_DEAD, _SILENT, _ABI_VIOLATION */
    bool corrupt;            /* the guest wrote nonsense into its result or its packets */
};

struct session *session_open(const struct session_options *options, GError **error);
void session_close(struct session *session);
/* Its guest, which has nothing to do and was spawned as one that lasts, outlives the session, which
 * is to be closed all the same. `text` is kept with it (workdir_keep). */
bool session_leave(struct session *session, const char *text, GError **error);

/* Plans that can be posted without waiting. */
unsigned session_room(const struct session *session);
unsigned session_in_flight(const struct session *session);
/* Of those in flight, the ones that the guest has still to run, as far as it says. */
unsigned session_unfinished(const struct session *session);
/* There is room. The plan's serial is set by the session. */
void session_post(struct session *session, const struct fl_plan *plan);

enum session_event { SESSION_RUN, SESSION_TIMEOUT, SESSION_ASK, SESSION_STOP, SESSION_FAILED };

/* Waits, asleep, for the next run to end or, in online mode, for the guest to ask, or, in mode
 * step, for it to stand still (SESSION_STOP; *ask says who stands there). A run must be released
 * before the next call. timeout_ms < 0: no limit. SESSION_TIMEOUT also when a signal came, and when
 * nothing is in flight. SESSION_FAILED: no guest can be had any more. */
enum session_event session_wait(struct session *session, int timeout_ms, struct run *run,
                                struct fl_decision *ask, GError **error);
/* Online: target path, or 0 to go on. */
void session_answer(struct session *session, uint32_t target);

/* Before it is answered: the thread that the guest asks about, as it stands there. */
struct asker {
    uint32_t core_table; /* physical address of core's top page table */
    uint32_t frame;      /* its registers, as its kernel keeps them: offset in RAM; 0: not told */
    struct guestwalk memory;
};
struct asker session_asker(const struct session *session);
/* Mode step, of a plan that is alone in flight: the next stop (abi.h, struct fl_stop), to be said
 * before the plan is posted, and at a stop before session_go_on. */
void session_stop_at(struct session *session, uint32_t event, uint32_t k);
/* At a stop: the pc of the instruction that comes next, 0: the guest stands in the kernel. */
uint64_t session_stop_pc(const struct session *session);
/* At a stop or a question: the i-th event of the run, one of those so far. It is not checked. */
const struct fl_event *session_event(const struct session *session, uint32_t i);
/* A run has no more than so many by now. */
uint32_t session_events_limit(const struct session *session);
void session_go_on(struct session *session);

/* The i-th packet of the run last waited for, with its number of events; NULL when it is unsound
 * (run.corrupt is set then). Valid until session_release. */
const struct fl_packet *session_packet(struct session *session, const struct run *run, uint32_t i,
                                       size_t *n_events);
struct verdict;
/* What the analysis says of the run last waited for, for the host's trace. */
void session_judged(struct session *session, const struct verdict *verdict);
void session_release(struct session *session);

/* While a run is waited for that is alone in flight: how many packets the guest has closed so far,
 * and the i-th of them, which is the run's i-th. It is not checked yet. */
uint32_t session_closed(const struct session *session);
const struct fl_packet *session_closed_packet(const struct session *session, uint32_t i);

#define SESSION_ACCESSES (1u << 20)

/* The accesses of the run last waited for, in order, without its ACCESS_RUN record; NULL unless the
 * session was opened with `accesses` and the run came to user mode. Valid until session_release. Of
 * a run with more than SESSION_ACCESSES, which is one that hangs, the first so many. */
const struct access *session_accesses(struct session *session, size_t *count);

/* Forget what is posted and not yet waited for (a search ended early). */
void session_drop(struct session *session);

/* Of the plans with FL_MODE_AUDIT so far; the session answers these itself. */
struct audit_totals session_audits(const struct session *session);

unsigned session_boots(const struct session *session);

#endif
