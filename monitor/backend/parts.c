#include "parts.h"

#include <glib.h>

#define MAX_ABOVE 4 /* tests lie so many directories below the program */

char *part_find(const char *built, const char *installed)
{
    g_autofree char *program = g_file_read_link("/proc/self/exe", NULL);
    char *folder = g_path_get_dirname(program != NULL ? program : "build/faultline");
    char *path = g_build_filename(folder, "..", installed, NULL);
    for (int i = 0; i <= MAX_ABOVE && !g_file_test(path, G_FILE_TEST_EXISTS); i++) {
        g_free(path);
        path = g_build_filename(folder, built, NULL);
        char *above = g_path_get_dirname(folder);
        g_free(folder);
        folder = above;
    }
    g_free(folder);
    if (!g_file_test(path, G_FILE_TEST_EXISTS))
        g_clear_pointer(&path, g_free);
    return path;
}
