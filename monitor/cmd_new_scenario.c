/* faultline new-scenario: the source of a scenario to begin with. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include "cli.h"
#include "guest_kit.h"
#include "main.h"

#define PLACEHOLDER "MY_SCENARIO"

/* What an image takes for an id (image.c), as far as it is also good for a file. */
static bool name_sound(const char *name, GError **error)
{
    const size_t length = strlen(name);
    const size_t room = sizeof(((struct fl_scenario *)NULL)->id);
    if (length > 0 && length < room && g_ascii_islower(name[0]) &&
        strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_") == length)
        return true;
    g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                "\"%s\" is no name of a scenario: at most %zu of a-z, 0-9 and _, a letter first",
                name, room - 1);
    return false;
}

static char *fill_in(const char *name, GError **error)
{
    g_autofree char *path = guest_kit_file("template.c", error);
    g_autofree char *text = NULL;
    if (path == NULL || !g_file_get_contents(path, &text, NULL, error))
        return NULL;
    g_auto(GStrv) parts = g_strsplit(text, PLACEHOLDER, -1);
    return g_strjoinv(name, parts);
}

/* Never over a file that is there. */
static bool write_new(const char *path, const char *text, GError **error)
{
    const int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    const size_t length = strlen(text);
    const bool written = fd >= 0 && write(fd, text, length) == (ssize_t)length;
    if (!written)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE, "%s cannot be written: %s%s", path,
                    g_strerror(errno), errno == EEXIST ? "; choose another name" : "");
    if (fd >= 0)
        close(fd);
    return written;
}

static bool write_scenario(const char *name, GError **error)
{
    if (!name_sound(name, error))
        return false;
    g_autofree char *path = g_strdup_printf("%s.c", name);
    g_autofree char *text = fill_in(name, error);
    if (text == NULL || !write_new(path, text, error))
        return false;
    printf("made    %s\nbuild   %s build-guest %s\n", path, program_invocation_name, path);
    return true;
}

int cmd_new_scenario(int argc, char **argv)
{
    const GOptionEntry entries[] = {G_OPTION_ENTRY_NULL};
    int status;
    if (!cli_parse(&argc, &argv, "NAME",
                   "Writes NAME.c, the commented source of a small scenario that works, to be made "
                   "into\none's own.",
                   entries, NULL, &status))
        return status;
    GError *error = NULL;
    if (cli_words(argc, 1, 1, "expected the NAME of the new scenario", &error))
        write_scenario(argv[1], &error);
    return error != NULL ? cli_fail("faultline new-scenario", error) : EXIT_CLEAN;
}
