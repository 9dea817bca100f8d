/* One debugger at a time on a listening socket. */
#ifndef FAULTLINE_GDB_SERVER_H
#define FAULTLINE_GDB_SERVER_H

#include <glib.h>
#include "gdb.h"
#include "stub.h"

struct server;

/* Neither the listener nor the stub is taken over. */
struct server *server_new(int listener, struct stub *stub);
/* Serves until server_stop, which another thread may call. */
void server_run(struct server *server);
void server_stop(struct server *server);
/* Another thread may ask. */
struct gdb_status server_status(struct server *server);
/* It does not run. */
void server_free(struct server *server);

#endif
