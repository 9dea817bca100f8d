#include "link.h"

#include <errno.h>
#include <libvirt/virterror.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define EMBED "qemu:///embed?root="

static char said[400]; /* the last error, in our words */

static void quiet(void *data, virErrorPtr error)
{
    (void)data;
    (void)error;
}

void link_begin(void)
{
    virSetErrorFunc(NULL, quiet);
    virEventRegisterDefaultImpl();
}

char *link_root(const char *uri)
{
    if (!g_str_has_prefix(uri, EMBED))
        return NULL;
    return g_uri_unescape_string(uri + strlen(EMBED), NULL);
}

/* A driver of our own is for guests that the rig trusts as much as itself: they are its children
 * in all but name. What a host's libvirt does for strangers' guests would want a daemon's rights
 * (chown, cgroups, namespaces, security labels), and a container has none of them. */
static bool write_settings(const char *root)
{
    g_autofree char *etc = g_build_filename(root, "etc", NULL);
    g_autofree char *file = g_build_filename(etc, "qemu.conf", NULL);
    g_autofree char *text = g_strdup_printf("stdio_handler = \"file\"\n"
                                            "user = \"+%u\"\n"
                                            "group = \"+%u\"\n"
                                            "dynamic_ownership = 0\n"
                                            "remember_owner = 0\n"
                                            "security_driver = \"none\"\n"
                                            "namespaces = []\n"
                                            "cgroup_controllers = []\n"
                                            "seccomp_sandbox = 0\n",
                                            (unsigned)geteuid(), (unsigned)getegid());
    if (g_file_test(file, G_FILE_TEST_EXISTS))
        return true;
    return g_mkdir_with_parents(etc, 0700) == 0 && g_file_set_contents(file, text, -1, NULL);
}

/* What libvirt has found out about a QEMU takes 0.7 s and more to find: it is kept for all roots.
 * Without a place to keep it, it is found out again. */
static void share_cache(const char *root)
{
    g_autofree char *shared =
        g_build_filename(g_get_user_cache_dir(), "faultline", "libvirt", NULL);
    g_autofree char *here = g_build_filename(root, "cache", NULL);
    if (!g_file_test(here, G_FILE_TEST_EXISTS) && g_mkdir_with_parents(shared, 0700) == 0 &&
        access(shared, W_OK | X_OK) == 0 && symlink(shared, here) != 0)
        fprintf(stderr, "%s: %s\n", here, g_strerror(errno));
}

virConnectPtr link_open(const char *uri)
{
    g_autofree char *root = link_root(uri);
    said[0] = '\0';
    if (root != NULL) {
        if (!g_path_is_absolute(root) || !write_settings(root)) {
            g_snprintf(said, sizeof said,
                       "cannot make %s, the root of an embedded driver: %s; name another one", root,
                       g_path_is_absolute(root) ? g_strerror(errno) : "the path is not absolute");
            return NULL;
        }
        share_cache(root);
    }
    virConnectPtr connection = virConnectOpen(uri);
    if (connection == NULL && root != NULL &&
        strstr(virGetLastErrorMessage(), "Failed to acquire pid file") != NULL)
        g_snprintf(said, sizeof said,
                   "another process holds the root %s: an embedded driver is one process's at a "
                   "time; wait for it to end, or name another root with --connect",
                   root);
    return connection;
}

#define NO_PERMISSION                                                                              \
    "no permission on libvirt's socket; join its group (usermod -aG libvirt USER), or leave out "  \
    "--connect: the embedded driver needs none"
#define NO_DRIVER "libvirt has no driver for QEMU here: apt install libvirt-daemon-driver-qemu"

/* The part of libvirt's message that tells, and what to do about it. */
static const struct {
    const char *part, *with, *line;
} mending[] = {
    {"Failed to connect socket", "Permission denied", NO_PERMISSION},
    {"authentication", "", NO_PERMISSION},
    {"Unable to get system bus", "", NO_PERMISSION}, /* where polkit is, which is asked by it */
    {"Failed to connect socket", "",
     "libvirtd does not run here, or not for this URI; start it (systemctl start libvirtd, or "
     "libvirtd -d), or leave out --connect: the embedded driver needs none"},
    {"no connection driver available", "", NO_DRIVER},
    {"Failed to load module", "", NO_DRIVER},
    {"Cannot recv data", "", "libvirtd has hung up: was it stopped?"},
    {"client socket is closed", "", "libvirtd has hung up: was it stopped?"},
};

const char *link_last_error(void)
{
    const char *message = virGetLastErrorMessage();
    if (said[0] != '\0')
        return said;
    for (size_t i = 0; i < G_N_ELEMENTS(mending) && said[0] == '\0'; i++)
        if (strstr(message, mending[i].part) != NULL && strstr(message, mending[i].with) != NULL)
            g_snprintf(said, sizeof said, "%s (%s)", mending[i].line, message);
    return said[0] != '\0' ? said : message;
}

int link_fail(const char *message)
{
    g_autofree char *line = g_strdelimit(g_strdup(message), "\n\r\t", ' ');
    printf("error %s\n", line);
    return 2;
}
