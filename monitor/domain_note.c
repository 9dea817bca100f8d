#include "domain_note.h"

#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <unistd.h>
#include "backend/parts.h"

#define FILE_NAME    "domain"
#define GROUP        "domain"
#define EMBEDDED     "qemu:///embed"
#define KILL_WAIT_MS 5000
#define ROUNDS       50

static char *path_in(const char *dir)
{
    return g_build_filename(dir, FILE_NAME, NULL);
}

bool domain_note_write(const char *dir, const struct domain_note *note, GError **error)
{
    g_autofree char *path = path_in(dir);
    g_autoptr(GKeyFile) file = g_key_file_new();
    g_key_file_set_string(file, GROUP, "uri", note->uri);
    g_key_file_set_string(file, GROUP, "uuid", note->uuid);
    g_key_file_set_string(file, GROUP, "name", note->name);
    return g_key_file_save_to_file(file, path, error);
}

bool domain_note_read(const char *dir, struct domain_note *note)
{
    g_autofree char *path = path_in(dir);
    g_autoptr(GKeyFile) file = g_key_file_new();
    if (!g_key_file_load_from_file(file, path, G_KEY_FILE_NONE, NULL))
        return false;
    *note = (struct domain_note){
        .uri = g_key_file_get_string(file, GROUP, "uri", NULL),
        .uuid = g_key_file_get_string(file, GROUP, "uuid", NULL),
        .name = g_key_file_get_string(file, GROUP, "name", NULL),
    };
    if (note->uri != NULL && note->uuid != NULL && note->name != NULL)
        return true;
    domain_note_free(note);
    return false;
}

void domain_note_free(struct domain_note *note)
{
    g_free(note->uri);
    g_free(note->uuid);
    g_free(note->name);
}

bool domain_ask(const struct domain_note *note, const char *verb, char **out, GError **error)
{
    g_autofree char *helper = part_find(DOMAIN_HELPER, DOMAIN_HELPER_INSTALLED);
    char *argv[] = {helper, (char *)verb, note->uri, note->uuid, NULL};
    int status = 1;
    *out = NULL;
    if (helper == NULL)
        g_set_error_literal(error, G_SPAWN_ERROR, G_SPAWN_ERROR_NOENT,
                            "this faultline was built without libvirt");
    else if (g_spawn_sync(NULL, argv, NULL, G_SPAWN_STDERR_TO_DEV_NULL, NULL, NULL, out, NULL,
                          &status, error) &&
             status != 0)
        g_set_error(error, G_SPAWN_ERROR, G_SPAWN_ERROR_FAILED, "libvirt: %s",
                    g_str_has_prefix(*out, "error ") ? g_strchomp(*out) + strlen("error ")
                                                     : "no answer");
    return helper != NULL && status == 0;
}

/* ---- processes ---- */

/* Whether it is a QEMU or a helper with a file of this directory on its command line. What libvirt
 * forks looks like the helper until it has become QEMU. */
static bool belongs_to(const char *pid, const char *mark)
{
    g_autofree char *path = g_build_filename("/proc", pid, "cmdline", NULL);
    g_autofree char *cmdline = NULL;
    gsize size = 0;
    if (!g_file_get_contents(path, &cmdline, &size, NULL) || size == 0)
        return false;
    g_autofree char *program = g_path_get_basename(cmdline);
    return (strcmp(program, DOMAIN_HELPER) == 0 || g_str_has_prefix(program, "qemu-system-")) &&
           memmem(cmdline, size, mark, strlen(mark)) != NULL;
}

/* The number may be another process's by now. A pidfd keeps meaning the one that was looked at. */
static bool end_process(const char *name, const char *mark)
{
    const int fd = pidfd_open((pid_t)atoi(name), 0);
    if (fd < 0)
        return false;
    const bool ours = belongs_to(name, mark) && pidfd_send_signal(fd, SIGKILL, NULL, 0) == 0;
    struct pollfd ended = {.fd = fd, .events = POLLIN};
    if (ours)
        poll(&ended, 1, KILL_WAIT_MS);
    close(fd);
    return ours;
}

static bool end_round(const char *mark)
{
    bool any = false;
    GDir *processes = g_dir_open("/proc", 0, NULL);
    const char *name;
    while (processes != NULL && (name = g_dir_read_name(processes)) != NULL)
        if (g_ascii_isdigit(name[0]) && belongs_to(name, mark))
            any = end_process(name, mark) || any;
    if (processes != NULL)
        g_dir_close(processes);
    return any;
}

/* Until a whole round finds none: one that was about to be killed may just have made another. */
void domain_end_processes(const char *dir)
{
    g_autofree char *owner = g_path_get_dirname(dir);
    g_autofree char *mark =
        g_strdup_printf("%s/%s/", strrchr(owner, '/') + 1, strrchr(dir, '/') + 1);
    for (int round = 0; round < ROUNDS && end_round(mark); round++)
        continue;
}

/* A daemon is told, an embedded driver is a process of the directory. The daemon may be gone, and
 * then so is the domain, or it is found when its QEMU is: that runs on our RAM file. */
void domain_sweep(const char *dir)
{
    struct domain_note note;
    g_autofree char *out = NULL;
    if (!domain_note_read(dir, &note))
        return;
    if (!g_str_has_prefix(note.uri, EMBEDDED))
        domain_ask(&note, "destroy", &out, NULL);
    domain_end_processes(dir);
    domain_note_free(&note);
}
