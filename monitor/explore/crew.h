/* The guests of a search: one or more of a kind, each opened when it is first wanted. Those that
 * record accesses are guests of their own, since recording makes them slower.
 */
#ifndef FAULTLINE_CREW_H
#define FAULTLINE_CREW_H

#include <glib.h>
#include <stdbool.h>
#include "session.h"

struct crew;

/* `options` apply to every guest; their `accesses` is set as needed. */
struct crew *crew_new(const struct session_options *options, unsigned jobs);
/* One guest, which is another's: it is not closed with the crew. */
struct crew *crew_of(struct session *session);
void crew_free(struct crew *crew); /* NULL: nothing */

/* Opens the guests of a kind, if that was not done. */
bool crew_open(struct crew *crew, bool accesses, GError **error);
/* Of the guests of a kind, which are open, the one with the least to do and room for so many plans;
 * NULL: there is none. Which one it is does not change what a run is. */
struct session *crew_pick(const struct crew *crew, bool accesses, unsigned plans);

/* Forgets what is in flight. */
void crew_drop(struct crew *crew);
/* Of all guests. */
struct audit_totals crew_audits(const struct crew *crew);
unsigned crew_jobs(const struct crew *crew);

#endif
