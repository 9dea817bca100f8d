/* QEMU's control socket, as far as a replay needs it. */
#ifndef FAULTLINE_GDB_QMP_H
#define FAULTLINE_GDB_QMP_H

#include <glib.h>
#include <stdbool.h>
#include <stdint.h>

struct qmp;

/* Takes the connected socket over, and greets. */
struct qmp *qmp_open(int fd, GError **error);
void qmp_close(struct qmp *qmp);

/* Instructions executed since the recording's begin. */
bool qmp_position(struct qmp *qmp, uint64_t *icount);
/* Has QEMU go there; it tells its stub when it has arrived. */
bool qmp_seek(struct qmp *qmp, uint64_t icount);
/* Has QEMU end. */
bool qmp_quit(struct qmp *qmp);

#endif
