/* lttng-sessiond, where none runs: ours, and gone with us. */
#ifndef FAULTLINE_LTTNG_DAEMON_H
#define FAULTLINE_LTTNG_DAEMON_H

#include <glib.h>
#include <stdbool.h>

/* Starts it and waits until it can be talked to. kernel: it is to control the kernel's tracer. */
bool daemon_start(bool kernel, GError **error);
/* Ends the one that was started, if one was. */
void daemon_end(void);
/* Whether the one that is running was started by another monitor, with which it will end; *pid. */
bool daemon_is_of_another(long *pid);

#endif
