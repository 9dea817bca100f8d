/* What a session is made of. Private to session.c and session_ask.c. */
#ifndef FAULTLINE_SESSION_INSIDE_H
#define FAULTLINE_SESSION_INSIDE_H

#include "access_reader.h"
#include "audit.h"
#include "channel.h"
#include "machine.h"
#include "session.h"
#include "session_trace.h"
#include "watchdog.h"

enum phase { PHASE_OFF, PHASE_BOOTING, PHASE_UP };

struct session {
    struct machine *machine;
    struct channel channel;
    uint32_t arch; /* FL_ARCH_* */
    struct audit *audit;
    struct session_trace *trace;    /* NULL: none is wanted */
    bool audited;                   /* just now: the guest goes on, and may ask again at once */
    struct access_reader *accesses; /* NULL: nobody wants to know */
    uint32_t stop_event, stop_k;    /* mode step: the next stop */
    struct watchdog watchdog;
    double watchdog_limit;
    enum phase phase;
    unsigned failed_boots; /* in a row */
    uint32_t first, next;  /* serials in flight */
    uint32_t sent;         /* those before it have been given to this guest */
    uint32_t alone_until;  /* those before it are given one at a time */
    bool held;             /* a run is out, its packets are in use */
    bool held_accesses;    /* and so are the accesses of the log's oldest run */
    uint32_t held_end;     /* number of the packet after its last */
    uint16_t held_events[FL_RING_PACKETS];
    struct fl_plan plans[FL_PLAN_SLOTS]; /* by serial */
};

#endif
