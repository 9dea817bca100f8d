/* A guest that has plans loses nothing while the monitor sleeps, and whoever wakes takes a core
 * away from it when each guest has but one, with what its caches held. So the first nap lasts about
 * as long as the guest surely has work: six naps a run cost it 10 % of its speed.
 *
 * A guest's silence is measured in naps, not by the clock: time in which the monitor analysed a
 * run, waited for a user, or was itself stopped, is not the guest's. For the same reason a nap
 * counts for little more than it was meant to last. Nor is it silence that others had the guest's
 * processor: what a run is called must not depend on what else the machine does. */
#include "watchdog.h"

#include <glib.h>
#include <string.h>
#include <time.h>

#define NAP_RUN_NS     20000 /* less than any run takes */
#define NAP_EAGER_NS   1000
#define NAP_LONGEST_NS 1000000
#define NAP_COUNTS_FOR 0.1 /* seconds at most */

#define ASK_EVERY      0.05 /* seconds of silence */
#define WAITED_AT_MOST 0.95 /* of them: a guest gets some of a processor however many want it */

struct naps naps_begin(unsigned runs)
{
    const long needs = (long)runs * NAP_RUN_NS;
    return (struct naps){.next_ns = CLAMP(needs, NAP_EAGER_NS, NAP_LONGEST_NS)};
}

bool naps_take(struct naps *naps, double *slept)
{
    gint64 before = g_get_monotonic_time();
    struct timespec nap = {.tv_nsec = naps->next_ns};
    bool whole = nanosleep(&nap, NULL) == 0;
    double passed = (double)(g_get_monotonic_time() - before) / G_USEC_PER_SEC;
    *slept = MIN(passed, NAP_COUNTS_FOR);
    naps->next_ns = MIN(naps->next_ns + naps->next_ns / 2, NAP_LONGEST_NS);
    return whole;
}

void watchdog_start(struct watchdog *watchdog, double limit)
{
    *watchdog = (struct watchdog){.limit = limit};
}

void watchdog_feed(struct watchdog *watchdog, double slept, struct channel_progress now)
{
    if (memcmp(&watchdog->seen, &now, sizeof now) != 0) {
        watchdog_start(watchdog, watchdog->limit);
        watchdog->seen = now;
    } else {
        watchdog->silent += slept;
    }
}

bool watchdog_asks(const struct watchdog *watchdog)
{
    return watchdog->silent - watchdog->asked >= MIN(ASK_EVERY, watchdog->limit / 10);
}

void watchdog_told(struct watchdog *watchdog, double waited)
{
    if (watchdog->asked == 0)
        watchdog->waited_before = waited;
    watchdog->asked = watchdog->silent;
    watchdog->waited = waited - watchdog->waited_before;
}

/* Several threads may wait at a time, and nothing may put off the end for ever. */
bool watchdog_bites(const struct watchdog *watchdog)
{
    const double most = watchdog->silent * WAITED_AT_MOST;
    return watchdog->silent - CLAMP(watchdog->waited, 0, most) >= watchdog->limit;
}
