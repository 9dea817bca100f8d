#include "guest_kit.h"

#include "backend/parts.h"
#include "cli.h"

char *guest_kit_file(const char *name, GError **error)
{
    g_autofree char *built = g_build_filename("guest/kit", name, NULL);
    g_autofree char *installed = g_build_filename("share/faultline/kit", name, NULL);
    char *path = part_find(built, installed);
    if (path == NULL)
        g_set_error(error, CLI_ERROR, CLI_ERROR_USAGE,
                    "the kit for guests (%s) is not beside this program; run `make`, or `make "
                    "install` again",
                    installed);
    return path;
}
