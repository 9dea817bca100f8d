/* A private directory for one session: guest RAM, log, pid of the QEMU that runs on it.
 *
 *   $XDG_RUNTIME_DIR, or /dev/shm, or $TMPDIR
 *     faultline-<uid>/            gone when the last session is
 *       <pid>-<n>/                one session
 *         lock                    flock'ed as long as its owner lives, however that ends
 *         ram  image  accesses  vm.pid  vm.log
 */
#ifndef FAULTLINE_WORKDIR_H
#define FAULTLINE_WORKDIR_H

#include <glib.h>
#include <sys/types.h>

struct workdir;

/* Sweeps, then makes a new directory. */
struct workdir *workdir_open(GError **error);
/* Removes it with all that is in it. */
void workdir_close(struct workdir *workdir);
const char *workdir_path(const struct workdir *workdir);

/* Removes the directories whose owners are gone, after ending the QEMU noted there if it still is
 * that one. Never touches those of the living. Returns how many there were. */
unsigned workdir_sweep(void);

/* Where directories are made; to be freed with g_free. NULL: nowhere. */
char *workdir_root(GError **error);

/* A back end notes the process that runs the guest in directory `dir`. */
#define WORKDIR_RAM      "ram"
#define WORKDIR_IMAGE    "image"
#define WORKDIR_LOG      "vm.log"
#define WORKDIR_ACCESSES "accesses"
void workdir_note_process(const char *dir, pid_t pid);

#endif
