/* The kit by which guest images of a scenario are made out of the tree: it comes with the program
 * (guest/guest.mk says what is in it). */
#ifndef FAULTLINE_GUEST_KIT_H
#define FAULTLINE_GUEST_KIT_H

#include <glib.h>

/* Path of one of its files; free with g_free. NULL, with one line: the kit is not there. */
char *guest_kit_file(const char *name, GError **error);

#endif
