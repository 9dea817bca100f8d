/* The other end of the remote protocol: what asks a stub, here QEMU's. */
#ifndef FAULTLINE_GDB_LINK_H
#define FAULTLINE_GDB_LINK_H

#include <glib.h>
#include <stdbool.h>
#include "rsp.h"

struct link {
    int fd;
    struct rsp_reader reader;
    bool gone;
};

void link_open(struct link *link, int fd);
void link_close(struct link *link);

void link_send(struct link *link, const char *request);
void link_interrupt(struct link *link);
/* The next packet, valid until the next call; NULL: there is none in time, or the stub is gone. */
const char *link_receive(struct link *link, int timeout_ms);
/* Sends, and waits long enough for what is answered at once. */
const char *link_ask(struct link *link, const char *request);
/* Whether the stub answers OK. */
bool link_order(struct link *link, const char *request);

#endif
