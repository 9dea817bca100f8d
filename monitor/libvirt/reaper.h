/* libvirt daemonises QEMU and, to end it, polls until its process number is gone; and that it is
 * only when somebody has collected it. Where process 1 is slow at that, or does not do it at all (a
 * container without --init), a destroy takes 2 to 40 s. So QEMU's parent is a process of ours that
 * does nothing else. It cannot be the process that uses libvirt: waiting for all children there
 * would take away those that libvirt itself waits for.
 */
#ifndef FAULTLINE_LIBVIRT_REAPER_H
#define FAULTLINE_LIBVIRT_REAPER_H

#include <stdbool.h>
#include <sys/types.h>

/* Exit status of the child that wants QEMU collected when it ends, whenever that may be. */
#define REAPER_STAY 64

/* Goes on in a child; the parent collects what falls to it and ends when the child does. */
void reaper_begin(void);

/* In the child: how this process ended, as of waitpid, waited for so long. false: not told. */
bool reaper_status(pid_t pid, int timeout_ms, int *status);

#endif
