/* One domain, for as long as the monitor wants it.
 *
 * On stdin, a socket, the monitor says by a letter what is to be done; on the same one it is told,
 * a line each:
 *
 *   <- started PID        the domain is there, and paused; QEMU's number, 0: not known
 *   <- error TEXT         it cannot be; the end
 *   -> r  s               resume, suspend
 *   -> d                  destroy it, and end
 *   -> l                  leave it as it is, and end
 *   <- ended HOW STATUS LINE   it has ended by itself: shutdown, crashed, failed or destroyed, its
 *                         status as of waitpid or -1, and the last line it said
 *
 * The socket's end means that the monitor is gone: the domain is destroyed.
 */
#ifndef FAULTLINE_LIBVIRT_SERVE_H
#define FAULTLINE_LIBVIRT_SERVE_H

#include <stdbool.h>

/* lasts: it may be left. Else it also ends with the connection. */
int serve(const char *uri, const char *xml_path, bool lasts);

#endif
