/* A private directory for one session: guest RAM, log, pid of the QEMU that runs on it.
 *
 *   $XDG_RUNTIME_DIR, or /dev/shm, or $TMPDIR
 *     faultline-<uid>/            gone when the last session is
 *       <pid>-<n>/                one session
 *         lock                    flock'ed as long as its owner lives, however that ends
 *         ram  image  accesses  vm.pid  vm.log
 *         domain  domain.xml  libvirt/     of a guest of libvirt's (domain_note.h)
 *         kept                             of one that outlives its owner
 */
#ifndef FAULTLINE_WORKDIR_H
#define FAULTLINE_WORKDIR_H

#include <glib.h>
#include <stdbool.h>
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

/* The directory is not swept any more: what runs there is to outlive us. `text` says what it is. */
bool workdir_keep(const struct workdir *workdir, const char *text, GError **error);
/* Instead of close: it stays. */
void workdir_leave(struct workdir *workdir);
/* Ends what runs there, and removes it. */
void workdir_remove_kept(const char *dir);

struct workdir_entry {
    char *path;
    char *kept;  /* the text; NULL: it is swept when its owner is gone */
    pid_t owner; /* the process that made it */
    bool owned;  /* it still has it */
};
/* All that there are, after a sweep or before; to be freed with g_ptr_array_unref. */
GPtrArray *workdir_list(void);

/* Where directories are made; to be freed with g_free. NULL: nowhere. */
char *workdir_root(GError **error);

/* A back end notes the process that runs the guest in directory `dir`. */
#define WORKDIR_RAM      "ram"
#define WORKDIR_IMAGE    "image"
#define WORKDIR_LOG      "vm.log"
#define WORKDIR_ACCESSES "accesses"
void workdir_note_process(const char *dir, pid_t pid);

#endif
