/* A session's directory that has a guest of libvirt's: what it is called there, and its end when
 * the monitor could not bring that about. The file `domain` lies there before the domain does. */
#ifndef FAULTLINE_DOMAIN_NOTE_H
#define FAULTLINE_DOMAIN_NOTE_H

#include <glib.h>
#include <stdbool.h>

#define DOMAIN_HELPER           "faultline-libvirt"
#define DOMAIN_HELPER_INSTALLED "lib/faultline/" DOMAIN_HELPER

struct domain_note {
    char *uri, *uuid, *name;
};

bool domain_note_write(const char *dir, const struct domain_note *note, GError **error);
/* false: there is none, and nothing to free. */
bool domain_note_read(const char *dir, struct domain_note *note);
void domain_note_free(struct domain_note *note);

/* Runs the helper's `verb` on the domain; what it printed is left in *out, to be freed. */
bool domain_ask(const struct domain_note *note, const char *verb, char **out, GError **error);

/* Ends every QEMU and every helper of the directory. */
void domain_end_processes(const char *dir);

/* Of a directory without an owner: nothing is left of its domain, if it had one. */
void domain_sweep(const char *dir);

#endif
