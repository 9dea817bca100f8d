/* Golden traces on disk, whole and damaged. */
#ifndef FAULTLINE_GOLDEN_DISK_H
#define FAULTLINE_GOLDEN_DISK_H

#include <glib.h>
#include "golden.h"

enum golden_verdict { GOLDEN_CLEAN, GOLDEN_VIOLATION, GOLDEN_INCONCLUSIVE, GOLDEN_UNREADABLE };

struct golden_damage {
    const char *name;                /* below traces/golden/damaged */
    void (*damage)(GString *stream); /* NULL: the guest itself lost events */
    enum golden_verdict verdict;
    const char *check; /* violated before the damage, or NULL */
};

extern const struct golden_damage golden_damaged[]; /* ends with an entry without a name */

/* Makes `dir`, with ctf/ and manifest.json. */
bool golden_write(const char *dir, const struct story *story, unsigned variant, uint32_t lost,
                  GError **error);
bool golden_write_damaged(const char *dir, const struct golden_damage *damage, GError **error);

#endif
