/* Who owns what is told by flock alone: the kernel drops a lock when its holder ends, also by
 * SIGKILL, and no number can be reused as a pid can. The directory of all sessions is locked while
 * one is made or swept, so that a directory whose lock is free, or not there yet, has no owner. */
#include "workdir.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/pidfd.h>
#include <sys/stat.h>
#include <unistd.h>
#include "domain_note.h"

#define PID_FILE     "vm.pid"
#define KEPT_FILE    "kept"
#define LOCK_FILE    "lock"
#define KILL_WAIT_MS 5000

struct workdir {
    char *root;
    char *path;
    int lock;
};

/* The places where a root may be, best first. */
static const char *candidate(unsigned index)
{
    switch (index) {
    case 0:
        return g_getenv("XDG_RUNTIME_DIR");
    case 1:
        return "/dev/shm";
    default:
        return g_get_tmp_dir();
    }
}
#define N_CANDIDATES 3

static char *root_below(const char *place)
{
    return g_strdup_printf("%s/faultline-%u", place, (unsigned)geteuid());
}

/* Opens and locks the root. Others may write to /dev/shm and /tmp too: a root that is a link, or
 * somebody else's, is not used. The last session takes the root away, possibly while we wait for
 * the lock; what we hold then is not what the path means any more. -1: with errno. */
static int open_root(const char *root)
{
    int fd = open(root, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    struct stat status;
    if (fd < 0)
        return -1;
    while (flock(fd, LOCK_EX) != 0)
        g_assert(errno == EINTR);
    int code = 0;
    if (fstat(fd, &status) != 0 || status.st_nlink == 0)
        code = ENOENT;
    else if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        code = EPERM;
    if (code == 0)
        return fd;
    close(fd);
    errno = code;
    return -1;
}

static int make_root(const char *root)
{
    int fd;
    do {
        if (mkdir(root, 0700) != 0 && errno != EEXIST)
            return -1;
        fd = open_root(root);
    } while (fd < 0 && errno == ENOENT);
    return fd;
}

static int make_any_root(char **root, GError **error)
{
    int code = ENOENT;
    for (unsigned i = 0; i < N_CANDIDATES; i++) {
        if (candidate(i) == NULL)
            continue;
        *root = root_below(candidate(i));
        int fd = make_root(*root);
        if (fd >= 0)
            return fd;
        code = errno;
        g_free(*root);
    }
    *root = NULL;
    g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
                "no place for guest RAM: none of $XDG_RUNTIME_DIR, /dev/shm and $TMPDIR can hold a "
                "directory faultline-%u of your own (%s); set XDG_RUNTIME_DIR to one that can",
                (unsigned)geteuid(), g_strerror(code));
    return -1;
}

char *workdir_root(GError **error)
{
    char *root;
    int fd = make_any_root(&root, error);
    if (fd < 0)
        return NULL;
    rmdir(root);
    close(fd);
    return root;
}

/* ---- the process of a session that died ---- */

void workdir_note_process(const char *dir, pid_t pid)
{
    char *path = g_build_filename(dir, PID_FILE, NULL);
    FILE *file = fopen(path, "we");
    if (file != NULL) {
        fprintf(file, "%ld\n", (long)pid);
        fclose(file);
    }
    g_free(path);
}

/* Whether the process was started on the RAM file of this very directory. */
static bool runs_on(pid_t pid, const char *dir)
{
    char *file = g_strdup_printf("/proc/%ld/cmdline", (long)pid);
    char *owner = g_path_get_dirname(dir);
    char *ram =
        g_strdup_printf("%s/%s/" WORKDIR_RAM, strrchr(owner, '/') + 1, strrchr(dir, '/') + 1);
    char *cmdline = NULL;
    gsize size = 0;
    bool found = g_file_get_contents(file, &cmdline, &size, NULL) &&
                 memmem(cmdline, size, ram, strlen(ram)) != NULL;
    g_free(cmdline);
    g_free(ram);
    g_free(owner);
    g_free(file);
    return found;
}

/* The pid may be another process's by now. A pidfd keeps meaning the process that was looked at. */
static void end_process(const char *dir)
{
    char *path = g_build_filename(dir, PID_FILE, NULL);
    char *text = NULL;
    long pid = g_file_get_contents(path, &text, NULL, NULL) ? strtol(text, NULL, 10) : 0;
    int fd = pid > 1 ? pidfd_open((pid_t)pid, 0) : -1;
    if (fd >= 0) {
        if (runs_on((pid_t)pid, dir) && pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0) {
            struct pollfd ended = {.fd = fd, .events = POLLIN};
            poll(&ended, 1, KILL_WAIT_MS);
        }
        close(fd);
    }
    g_free(text);
    g_free(path);
}

/* ---- directories ---- */

static void remove_dir(const char *dir)
{
    GDir *entries = g_dir_open(dir, 0, NULL);
    const char *name;
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        char *path = g_build_filename(dir, name, NULL);
        if (unlink(path) != 0 && errno == EISDIR)
            remove_dir(path);
        g_free(path);
    }
    if (entries != NULL)
        g_dir_close(entries);
    rmdir(dir);
}

static bool is_kept(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, KEPT_FILE, NULL);
    return g_file_test(path, G_FILE_TEST_EXISTS);
}

/* Whether the owner is gone. *lock holds off nobody: the root is locked. */
static bool is_abandoned(const char *dir)
{
    char *path = g_build_filename(dir, LOCK_FILE, NULL);
    int lock = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    bool abandoned = lock >= 0 ? flock(lock, LOCK_EX | LOCK_NB) == 0 : errno == ENOENT;
    if (lock >= 0)
        close(lock);
    g_free(path);
    return abandoned;
}

/* The root is locked. */
static unsigned sweep(const char *root)
{
    unsigned swept = 0;
    GDir *entries = g_dir_open(root, 0, NULL);
    const char *name;
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        char *dir = g_build_filename(root, name, NULL);
        if (is_abandoned(dir) && !is_kept(dir)) {
            end_process(dir);
            domain_sweep(dir);
            remove_dir(dir);
            swept++;
        }
        g_free(dir);
    }
    if (entries != NULL)
        g_dir_close(entries);
    return swept;
}

unsigned workdir_sweep(void)
{
    unsigned swept = 0;
    for (unsigned i = 0; i < N_CANDIDATES; i++) {
        if (candidate(i) == NULL)
            continue;
        char *root = root_below(candidate(i));
        int fd = open_root(root);
        if (fd >= 0) {
            swept += sweep(root);
            rmdir(root);
            close(fd);
        }
        g_free(root);
    }
    return swept;
}

/* The root is locked. Another container that shares the place may have a process of our number. */
static char *make_dir(const char *root)
{
    for (unsigned n = 1;; n++) {
        char *dir = g_strdup_printf("%s/%ld-%u", root, (long)getpid(), n);
        if (mkdir(dir, 0700) == 0)
            return dir;
        g_free(dir);
        if (errno != EEXIST)
            return NULL;
    }
}

static int make_lock(const char *dir)
{
    char *path = g_build_filename(dir, LOCK_FILE, NULL);
    int lock = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (lock >= 0)
        g_assert(flock(lock, LOCK_EX | LOCK_NB) == 0);
    g_free(path);
    return lock;
}

struct workdir *workdir_open(GError **error)
{
    workdir_sweep();
    struct workdir *workdir = g_new0(struct workdir, 1);
    int root = make_any_root(&workdir->root, error);
    if (root < 0) {
        g_free(workdir);
        return NULL;
    }
    workdir->path = make_dir(workdir->root);
    workdir->lock = workdir->path != NULL ? make_lock(workdir->path) : -1;
    int code = errno;
    close(root);
    if (workdir->lock < 0) {
        g_set_error(error, G_FILE_ERROR, g_file_error_from_errno(code),
                    "cannot make a directory for guest RAM in %s: %s", workdir->root,
                    g_strerror(code));
        workdir_close(workdir);
        return NULL;
    }
    return workdir;
}

void workdir_close(struct workdir *workdir)
{
    if (workdir == NULL)
        return;
    if (workdir->path != NULL)
        remove_dir(workdir->path);
    if (workdir->lock >= 0)
        close(workdir->lock);
    int root = open_root(workdir->root);
    if (root >= 0) {
        rmdir(workdir->root);
        close(root);
    }
    g_free(workdir->path);
    g_free(workdir->root);
    g_free(workdir);
}

const char *workdir_path(const struct workdir *workdir)
{
    return workdir->path;
}

/* ---- guests that outlive their monitor ---- */

bool workdir_keep(const struct workdir *workdir, const char *text, GError **error)
{
    g_autofree char *path = g_build_filename(workdir->path, KEPT_FILE, NULL);
    return g_file_set_contents(path, text, -1, error);
}

void workdir_leave(struct workdir *workdir)
{
    if (workdir->lock >= 0)
        close(workdir->lock);
    g_free(workdir->path);
    g_free(workdir->root);
    g_free(workdir);
}

void workdir_remove_kept(const char *dir)
{
    g_autofree char *path = g_build_filename(dir, KEPT_FILE, NULL);
    domain_end_processes(dir);
    unlink(path);
    workdir_sweep();
}

static void list_root(const char *root, GPtrArray *list)
{
    GDir *entries = g_dir_open(root, 0, NULL);
    const char *name;
    while (entries != NULL && (name = g_dir_read_name(entries)) != NULL) {
        struct workdir_entry *entry = g_new0(struct workdir_entry, 1);
        entry->path = g_build_filename(root, name, NULL);
        g_autofree char *path = g_build_filename(entry->path, KEPT_FILE, NULL);
        g_file_get_contents(path, &entry->kept, NULL, NULL);
        entry->owner = (pid_t)strtol(name, NULL, 10);
        entry->owned = !is_abandoned(entry->path);
        g_ptr_array_add(list, entry);
    }
    if (entries != NULL)
        g_dir_close(entries);
}

static void free_entry(void *pointer)
{
    struct workdir_entry *entry = pointer;
    g_free(entry->path);
    g_free(entry->kept);
    g_free(entry);
}

GPtrArray *workdir_list(void)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_entry);
    for (unsigned i = 0; i < N_CANDIDATES; i++) {
        g_autofree char *root = candidate(i) != NULL ? root_below(candidate(i)) : NULL;
        const int fd = root != NULL ? open_root(root) : -1;
        if (fd >= 0) {
            list_root(root, list);
            close(fd);
        }
    }
    return list;
}
