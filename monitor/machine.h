/* One guest after another: the private directory, guest RAM, and the back end that runs it.
 * Private to the session. */
#ifndef FAULTLINE_MACHINE_H
#define FAULTLINE_MACHINE_H

#include <stdbool.h>
#include "backend/backend.h"
#include "image.h"
#include "plugin/access_log.h"

struct machine;

/* Makes the private directory, with a copy of the image: every boot runs the bytes that were read,
 * whatever becomes of the file meanwhile. accesses: the back end tells user mode's accesses.
 * spawn: as of backend_config; must outlive the machine. */
struct machine *machine_open(const struct backend_ops *ops, const struct image *image,
                             bool accesses, const struct spawn *spawn, GError **error);
void machine_close(struct machine *machine);
/* Instead of close: the guest and its directory stay (workdir_keep says what `text` is). */
bool machine_leave(struct machine *machine, const char *text, GError **error);

/* Starts a guest on new, zeroed RAM. The last one is gone and so is its RAM. NULL: cannot be. */
struct fl_shared *machine_boot(struct machine *machine, GError **error);
/* The log of the accesses of the guest started last; NULL: nobody wanted them. */
struct access_log *machine_access_log(struct machine *machine);
/* Ends the guest, if there is one. Its RAM and its log stay readable until the next boot. */
void machine_kill(struct machine *machine);
bool machine_alive(struct machine *machine, char *reason, size_t size);
/* Of the guest that there is: seconds for which it wanted a processor and had none. */
double machine_waited(struct machine *machine);
/* Ends the guest, which does not end by itself. *text: where it stood, as "; registers", or "". */
void machine_end_telling(struct machine *machine, char *text, size_t size);
/* RAM of the guest that was booted last. */
struct guestmem *machine_memory(const struct machine *machine);
void machine_park(struct machine *machine);
void machine_unpark(struct machine *machine);
unsigned machine_boots(const struct machine *machine);

#endif
