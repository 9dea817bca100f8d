/* The monitor's side of the log of accesses (plugin/access_log.h): reads while the guest runs, so
 * that the guest never waits for long, and cuts what was read into runs. Private to the session.
 *
 * What is in the log was written by the process that the guest runs in. It is copied before it is
 * looked at, and a log that cannot be one is said so.
 */
#ifndef FAULTLINE_ACCESS_READER_H
#define FAULTLINE_ACCESS_READER_H

#include <stdbool.h>
#include <stddef.h>
#include "plugin/access_log.h"

struct access_reader;

/* max: of the accesses of one run, how many are kept: the first ones. */
struct access_reader *access_reader_new(size_t max);
void access_reader_free(struct access_reader *reader);

/* A new guest, with a new log: what was read of the last one and not given out is forgotten. */
void access_reader_attach(struct access_reader *reader, struct access_log *log);
/* Reads what is there. false: that is no log. */
bool access_reader_drain(struct access_reader *reader);

/* The oldest run not released yet: its accesses. It has ended, and what came with its end was
 * drained. NULL: the log has no run, or the run no access. */
const struct access *access_reader_run(struct access_reader *reader, size_t *n);
void access_reader_release(struct access_reader *reader);

#endif
