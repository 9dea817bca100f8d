/* The connection to libvirt, and its errors as one line that says how to mend it. */
#ifndef FAULTLINE_LIBVIRT_LINK_H
#define FAULTLINE_LIBVIRT_LINK_H

#include <glib.h>
#include <libvirt/libvirt.h>
#include <stdbool.h>

/* Before all else: libvirt's event loop, and its errors are ours to print. */
void link_begin(void);

/* NULL: link_last_error says why. The root of an embedded driver is made ready before. */
virConnectPtr link_open(const char *uri);

/* Of "qemu:///embed?root=DIR" that DIR, to be freed; NULL: another URI. */
char *link_root(const char *uri);

/* In words of ours where libvirt's do not say how to mend it. */
const char *link_last_error(void);

/* Prints it for the monitor. Returns the exit status. */
int link_fail(const char *message);

#endif
