/* What the monitor tells of itself: one function an event. The table lies in plugin/lttng-ust.so,
 * where each is a tracepoint of LTTng-UST, so that the monitor itself does not need that library.
 *
 * `guest` numbers the sessions of this process, from 1; `serial` the plans of a session. Threads
 * are paths (guest/abi). */
#ifndef FAULTLINE_LTTNG_HOST_EVENTS_H
#define FAULTLINE_LTTNG_HOST_EVENTS_H

#include <stdint.h>
#include "abi.h"

struct host_plan {
    unsigned guest;
    uint32_t serial;
    const char *scenario, *variant;
    unsigned mode; /* FL_MODE_* */
    unsigned preemptions;
};

struct host_decision {
    unsigned guest;
    uint32_t serial;
    uint32_t number; /* of the run's decisions, from 1 */
    uint32_t thread, n, k;
    uint32_t target; /* of an answer: 0 to go on */
};

struct host_result {
    unsigned guest;
    uint32_t serial;
    const char *outcome;
    const char *death;
    uint32_t events, lost, reached, entries;
};

struct host_verdict {
    unsigned guest;
    uint32_t serial;
    const char *verdict;
    const char *check; /* the one that is violated, or "" */
    uint64_t event_hash;
};

struct host_events {
    void (*command)(const char *verb, const char *subject);
    void (*session_open)(unsigned guest, const char *backend, const char *arch);
    void (*session_close)(unsigned guest, unsigned boots);
    void (*guest_start)(unsigned guest, unsigned boot);
    void (*guest_stop)(unsigned guest, unsigned boot);
    void (*guest_exit)(unsigned guest, unsigned boot, const char *reason);
    void (*plan)(const struct host_plan *plan);
    void (*injection)(unsigned guest, uint32_t serial, const struct fl_preemption *preemption);
    void (*batch)(unsigned guest, uint32_t first, unsigned plans);
    void (*decision_asked)(const struct host_decision *decision);
    void (*decision_answered)(const struct host_decision *decision);
    void (*result)(const struct host_result *result);
    void (*reset)(unsigned guest, uint32_t serial);
    void (*timeline_full)(unsigned guest, uint32_t serial);
    void (*verdict)(const struct host_verdict *verdict);
};

#define HOST_EVENTS_SYMBOL "faultline_host_events"

#endif
