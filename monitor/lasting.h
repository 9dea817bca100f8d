/* Guests that outlive the command that made them: `up` makes them, `ps` and `down` find them again,
 * by what is kept in their directories. */
#ifndef FAULTLINE_LASTING_H
#define FAULTLINE_LASTING_H

#include <glib.h>
#include <jansson.h>
#include <stdbool.h>
#include "domain_note.h"
#include "workdir.h"

struct lasting {
    const struct workdir_entry *entry;
    struct domain_note note;
    json_t *about; /* what `up` has kept: scenario, variant, backend, schedule, verdict, event_hash;
                      NULL: it is a running monitor's own */
};

/* All guests of libvirt's that this user has, of `entries` (workdir_list), as struct lasting; to be
 * freed before these. */
GPtrArray *lasting_list(GPtrArray *entries);

/* Of those that `up` has made, the one of that name. NULL: there is none. */
const struct lasting *lasting_find(const GPtrArray *list, const char *name);

struct lasting_state {
    char *state;   /* libvirt's: running, paused, gone ...; held; unreachable */
    char *console; /* path of a terminal; "" */
    double cpu;    /* seconds */
    char *why;     /* of unreachable; NULL */
};
void lasting_ask(const struct lasting *lasting, struct lasting_state *state);
void lasting_state_clear(struct lasting_state *state);

/* Ends it and removes what it leaves. */
bool lasting_end(const struct lasting *lasting, GError **error);

#endif
