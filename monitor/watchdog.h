/* Waiting for a guest: naps that grow while nothing happens, and the watchdog that counts them.
 * Private to the session. */
#ifndef FAULTLINE_WATCHDOG_H
#define FAULTLINE_WATCHDOG_H

#include <stdbool.h>
#include "channel.h"

struct naps {
    long next_ns;
};

/* runs: how many the guest has still to do; 0: a question is due any moment, and the guest waits
 * for each answer (online decisions). */
struct naps naps_begin(unsigned runs);
/* Sleeps. *slept: seconds that passed, as far as they count (see watchdog.c). false: a signal came.
 */
bool naps_take(struct naps *naps, double *slept);

struct watchdog {
    double limit;         /* seconds */
    double silent;        /* seconds without progress */
    double asked;         /* how many they were when it was last told */
    double waited;        /* that the guest has waited for a processor for so many of them, */
    double waited_before; /* and when first told: since it was started */
    struct channel_progress seen;
};

void watchdog_start(struct watchdog *watchdog, double limit);
/* `slept` more seconds went by, and this is how far the guest has come. */
void watchdog_feed(struct watchdog *watchdog, double slept, struct channel_progress now);
/* Whether to ask how long the guest has waited for a processor, and the answer, since its start.
 * Asking costs too much to be done at each nap. */
bool watchdog_asks(const struct watchdog *watchdog);
void watchdog_told(struct watchdog *watchdog, double waited);
bool watchdog_bites(const struct watchdog *watchdog);

#endif
