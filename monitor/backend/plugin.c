#include "plugin.h"

#include <string.h>
#include "parts.h"

#define NAME "access.so"

char *plugin_escape(const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text, ",", -1);
    return g_strjoinv(",,", parts);
}

static char *find(void)
{
    return part_find("plugin/" NAME, "lib/faultline/" NAME);
}

void plugin_options(GPtrArray *argv, const struct backend_accesses *accesses, uint64_t ram)
{
    g_autofree char *path = find();
    g_autofree char *file = plugin_escape(path != NULL ? path : NAME);
    g_autofree char *log = plugin_escape(accesses->log);
    g_ptr_array_add(argv, g_strdup("-plugin"));
    g_ptr_array_add(argv,
                    g_strdup_printf("file=%s,log=%s,ram=0x%" G_GINT64_MODIFIER
                                    "x,run=0x%" G_GINT64_MODIFIER "x,leave=0x%" G_GINT64_MODIFIER
                                    "x,leave_measured=0x%" G_GINT64_MODIFIER
                                    "x,leave_nothing=0x%" G_GINT64_MODIFIER "x",
                                    file, log, ram, accesses->run, accesses->leave,
                                    accesses->leave_measured, accesses->leave_nothing));
}

static void say_refused(const char *qemu, const char *err, char *reason, size_t size)
{
    g_auto(GStrv) lines = g_strsplit(err, "\n", 2);
    const char *why = lines[0] != NULL && lines[0][0] != '\0' ? lines[0] : "it says nothing";
    g_snprintf(reason, (gulong)size,
               "%s does not load the plugin " NAME
               " (%s); it needs a QEMU with TCG plugins, version 7.2 to 8.2",
               qemu, why);
}

bool plugin_probe(const char *qemu, char *reason, size_t size)
{
    g_autofree char *path = find();
    if (path == NULL) {
        g_snprintf(reason, (gulong)size, "the plugin " NAME " is not there: build it with `make`");
        return false;
    }
    g_autofree char *file = plugin_escape(path);
    g_autofree char *option = g_strdup_printf("file=%s,probe=on", file);
    g_autofree char *program = g_strdup(qemu);
    g_autofree char *err = NULL;
    char *argv[] = {program, "-M", "none", "-display", "none", "-plugin", option, NULL};
    int status = 1;
    bool ran = g_spawn_sync(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_STDOUT_TO_DEV_NULL,
                            NULL, NULL, NULL, &err, &status, NULL);
    if (!ran)
        g_snprintf(reason, (gulong)size, "%s cannot be started", qemu);
    else if (status != 0)
        say_refused(qemu, err, reason, size);
    else
        g_snprintf(reason, (gulong)size, "%s", path);
    return ran && status == 0;
}
