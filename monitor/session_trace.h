/* What a session tells the host's trace (host_trace.h), and what it keeps for that: since when each
 * plan lies there, and what was asked. NULL, which costs one comparison: nobody wants to know.
 * Private to the session. */
#ifndef FAULTLINE_SESSION_TRACE_H
#define FAULTLINE_SESSION_TRACE_H

#include <stdbool.h>
#include "session.h"

struct session_trace;

/* NULL: there is no host trace. */
struct session_trace *session_trace_open(const char *backend, const struct image *image);
void session_trace_close(struct session_trace *trace, unsigned boots);

void session_trace_started(struct session_trace *trace, unsigned boot);
void session_trace_stopped(struct session_trace *trace, unsigned boot);
void session_trace_exited(struct session_trace *trace, unsigned boot, const char *reason);
/* Before the guest can see the plan, and when it is given so many. */
void session_trace_posted(struct session_trace *trace, const struct fl_plan *plan);
void session_trace_sent(struct session_trace *trace, uint32_t first, uint32_t end);
/* The run of plan `serial` asks, and before the guest can see the answer. */
void session_trace_asked(struct session_trace *trace, uint32_t serial,
                         const struct fl_decision *decision);
void session_trace_answered(struct session_trace *trace, uint32_t serial, uint32_t target);
/* The run is out, and its packets can be read. */
void session_trace_result(struct session_trace *trace, struct session *session,
                          const struct run *run);
void session_trace_reset(struct session_trace *trace, uint32_t serial);
void session_trace_verdict(struct session_trace *trace, uint32_t serial,
                           const struct verdict *verdict);

#endif
