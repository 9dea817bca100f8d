/* What the parts of the stub share: packets (stub.c), what is asked (stub_query.c), and what is
 * asked of the run (monitor.c). Private to them. */
#ifndef FAULTLINE_GDB_STUB_STATE_H
#define FAULTLINE_GDB_STUB_STATE_H

#include "model.h"
#include "engine.h"
#include "report_text.h"
#include "stub.h"
#include "subject.h"

/* Where the next continue goes, whatever breakpoints there are. */
enum aim { AIM_NOWHERE, AIM_EVENT, AIM_POSITION };

struct stub {
    struct stub_config config;
    struct history *history;
    struct view *view;
    struct model model;
    struct engine *engine;
    struct subject subject; /* for the names of places: its image alone */
    unsigned general;       /* thread that registers and memory are asked of; 0: the current one */
    unsigned stepped; /* who is current for the client, though the kernel went on to another */
    bool quiet;
    bool diverged; /* ever */
    bool told;     /* and this client was told of it */
    char end[160];
    GString *console; /* text for people, to be sent before what is sent next */
    enum aim aim;
    size_t aim_event;
    uint64_t aim_position;
    bool arrived; /* where it aimed at, or not: `stop` says */
    struct gdb_stop stop;
    GArray *positions; /* uint64_t: where a client's resumes began */
};

/* The thread whose registers the processor holds, and the one that a client's request is about.
 *
 * In the middle of the kernel the processor goes over to another thread. A client that steps there
 * is told of the thread that it steps until the kernel is left: gdb 13 aborts when the step off a
 * breakpoint or a watchpoint ends in another thread (infrun.c, finish_step_over). */
unsigned stub_current(const struct stub *stub);
unsigned stub_thread(const struct stub *stub);
bool stub_is_thread(const struct stub *stub, unsigned thread);

/* stub_query.c: q and Q packets. false: not one that is known. */
bool stub_query(struct stub *stub, const char *packet, GString *reply);
/* The packet that says how and where the guest stopped. */
void stub_append_stop(struct stub *stub, const struct gdb_stop *stop, GString *reply);

/* monitor.c: a command of gdb's `monitor`; what it answers is text for people. */
void stub_monitor(struct stub *stub, const char *command, GString *out);

#endif
