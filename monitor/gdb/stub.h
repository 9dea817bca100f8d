/* The commands of gdb's remote protocol, for one client at a time, over a guest and its run. What
 * is received and sent are packets; whose sockets they travel on is the server's business. */
#ifndef FAULTLINE_GDB_STUB_H
#define FAULTLINE_GDB_STUB_H

#include <glib.h>
#include <stdbool.h>
#include "history.h"
#include "view.h"

struct stub;

struct stub_config {
    const struct image *image;
    const struct gdb_arch *arch;
    const struct fl_scenario *scenario;
    const struct fl_plan *plan;
    size_t event;          /* a client finds the guest here */
    const size_t *numbers; /* of the run's events as the trace counts them; NULL: the same */
};

/* Takes history and view over. What the configuration points to must outlive the stub. */
struct stub *stub_open(const struct stub_config *config, struct history *history,
                       struct view *view);
void stub_close(struct stub *stub);

/* A client came. false: the guest is gone. */
bool stub_attach(struct stub *stub);
/* It went: no breakpoint of its own stays, and the next one finds the guest where this one did. */
void stub_detach(struct stub *stub);

enum stub_next {
    STUB_WAIT, /* for the next packet */
    STUB_RUN,  /* the guest goes: stub_stopped is to be asked when history_target's fd is ready */
    STUB_BYE,  /* the client is done */
};
/* Takes a packet in, which is followed by a zero byte, and appends what is to be sent. */
enum stub_next stub_packet(struct stub *stub, const uint8_t *data, size_t size, GByteArray *out);
/* Ctrl-C, or the client vanished. */
void stub_interrupt(struct stub *stub);
/* Whether the guest stands still again; appends the stop's packet. */
bool stub_stopped(struct stub *stub, GByteArray *out);

/* The client wants no acknowledgements any more. */
bool stub_is_quiet(const struct stub *stub);
/* Some client wrote registers or memory. */
bool stub_has_diverged(const struct stub *stub);
/* "": the guest lives. */
const char *stub_end(const struct stub *stub);
struct history *stub_history(const struct stub *stub);

#endif
