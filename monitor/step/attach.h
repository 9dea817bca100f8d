/* gdb beside a stepper: a guest of its own, parked where the stepper's stands. Whatever gdb does to
 * it, the stepper's run stays what it is.
 */
#ifndef FAULTLINE_STEP_ATTACH_H
#define FAULTLINE_STEP_ATTACH_H

#include "gdb/gdb.h"
#include "stepper.h"

struct attached {
    struct gdb_session *session; /* NULL: none */
    bool told;                   /* that it diverged */
};

/* Parks a guest, in place of the one before, and says how to attach. `where`: "localhost:PORT", or
 * the path of a socket to be made; NULL: one of its own. */
bool attach_here(struct attached *attached, const struct stepper *stepper, const char *where,
                 GString *out, GError **error);
/* Says, once, when gdb wrote registers or memory. */
void attach_tell(struct attached *attached, GString *out);
/* Ends it, and says what it was when that was not the run. */
void attach_end(struct attached *attached, GString *out);

#endif
