/* A run on its way to disk: the trace directory of one run (traces/trace.h). */
#ifndef FAULTLINE_RECORDER_H
#define FAULTLINE_RECORDER_H

#include <glib.h>
#include <stdbool.h>
#include "capture.h"
#include "engine.h"
#include "subject.h"

#define RECORDER_DEFAULT_ROOT "traces/runs"

struct recorder;

/* Makes the next numbered directory below `root` (made when missing), takes its lock, and writes
 * manifest and plan, so that what a killed monitor leaves can be read. The subject outlives it. */
struct recorder *recorder_open(const char *root, const struct subject *subject,
                               const struct fl_plan *plan, GError **error);
const char *recorder_path(const struct recorder *recorder);
/* Appends what the run that is waited for has closed since the last call. After a failure it
 * appends no more until recorder_capture, which fails in its turn when the reason is still there.
 */
void recorder_follow(struct recorder *recorder, const struct session *session);
/* Appends the run's packets that are not there yet. */
bool recorder_capture(struct recorder *recorder, const struct capture *capture, GError **error);
/* Writes the verdict and frees the recorder. After a failure nothing is left behind. */
bool recorder_close(struct recorder *recorder, const struct verdict *verdict, GError **error);
/* Frees the recorder and leaves a trace without an end; false: it had no packet, nothing is left.
 */
bool recorder_leave(struct recorder *recorder);
/* Frees the recorder and removes what it wrote. */
void recorder_discard(struct recorder *recorder);

/* All of that for a run that is done. The path of its directory (g_free), or NULL. */
char *recorder_write(const char *root, const struct subject *subject, const struct capture *capture,
                     const struct verdict *verdict, GError **error);

#endif
