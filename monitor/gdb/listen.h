/* Where a debugger connects: this host's loopback, or a socket that only its owner can reach. */
#ifndef FAULTLINE_GDB_LISTEN_H
#define FAULTLINE_GDB_LISTEN_H

#include <glib.h>

/* "HOST:PORT" (port 0: any that is free), or the path of a socket, which must not be there yet.
 * What gdb is told is left in *address; free with g_free. -1: cannot be, or is not loopback. */
int listen_for_gdb(const char *where, char **address, GError **error);

#endif
