/* gdb on one run: a guest of its own, parked at an event of the run, behind a server that speaks
 * gdb's remote protocol.
 *
 * The guest is made for the debugger and for nobody else: what a client does to it, no other
 * session sees. Its run is made once, recorded, and from then on replayed, forwards and backwards,
 * so that a client may go to any instruction of it as often as it likes.
 */
#ifndef FAULTLINE_GDB_H
#define FAULTLINE_GDB_H

#include <glib.h>
#include <stdbool.h>
#include "backend/backend.h"
#include "image.h"

#define GDB_PROGRAM "gdb-multiarch"
#define GDB_SCRIPT  "scripts/gdb/faultline.py" /* where it is built; installed, elsewhere */

#define GDB_ERROR (g_quark_from_static_string("faultline-gdb"))
enum gdb_error {
    GDB_ERROR_UNABLE,  /* this back end, or what is installed here, has no debugger */
    GDB_ERROR_ADDRESS, /* where to listen */
    GDB_ERROR_RUN,     /* the run is another than the one recorded, or has no such event */
    GDB_ERROR_GUEST,
};

/* Event numbers count from 0, as those of verdicts, `run --events` and `explain` do. */
struct gdb_options {
    const struct image *image;          /* must outlive the session */
    const struct backend_ops *backend;  /* BACKEND_GDB */
    const struct fl_scenario *scenario; /* of the image */
    const struct fl_plan *plan;         /* its modes online and audit are left out */
    size_t event;                       /* the guest stands right after this one was written */
    const struct fl_event *events;      /* of the run, as far as known: it must be the same */
    size_t n_events;
    const char
        *listen; /* "HOST:PORT" (loopback, or a refusal), a path, NULL: a socket of its own */
};

struct gdb_session;

/* Makes the run, parks a guest and listens; serves from a thread of its own until gdb_close. The
 * calling thread must live as long as the session does. Takes some 0.3 s. */
struct gdb_session *gdb_open(const struct gdb_options *options, GError **error);

/* What a shell is given to attach: "gdb-multiarch -q IMAGE -ex ...". */
const char *gdb_attach_line(const struct gdb_session *session);
/* What an IDE is given: "localhost:4321", or the path of a socket. */
const char *gdb_address(const struct gdb_session *session);

struct gdb_status {
    bool attached;    /* just now */
    unsigned clients; /* so far */
    bool diverged;    /* a client wrote registers or memory */
    char end[160];    /* "": the guest lives; else how it ended */
};
struct gdb_status gdb_status(struct gdb_session *session);

/* Ends the guest, sends a client home. */
void gdb_close(struct gdb_session *session);

#endif
