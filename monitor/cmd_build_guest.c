/* faultline build-guest: guest images of a scenario that lies anywhere. Compilers and linkers are
 * called by the kit's script; what they made is then looked at as any image is. */
#include <errno.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include "backend/backend.h"
#include "cli.h"
#include "guest_kit.h"
#include "image.h"
#include "main.h"

struct build {
    char *out; /* images are called that, .ARCH.elf */
    gboolean json;
    GPtrArray *images; /* struct image */
};

/* "dir/pool.c" -> "pool", in the directory where one is. */
static char *name_of(const char *source)
{
    char *name = g_path_get_basename(source);
    if (g_str_has_suffix(name, ".c"))
        name[strlen(name) - 2] = '\0';
    return name;
}

/* Its output is the user's to read, as it is; on stderr, where it does not get into JSON. false: it
 * has said why, or *error says why it was not even called. */
static bool call_script(const struct build *build, char **sources, GError **error)
{
    g_autofree char *script = guest_kit_file("build-guest.sh", error);
    if (script == NULL)
        return false;
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    g_ptr_array_add(words, (char *)"sh");
    g_ptr_array_add(words, script);
    g_ptr_array_add(words, build->out);
    for (; *sources != NULL; sources++)
        g_ptr_array_add(words, *sources);
    g_ptr_array_add(words, NULL);
    int status = 0;
    return g_spawn_sync(NULL, (char **)words->pdata, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL,
                        NULL, &status, error) &&
           WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* One image for each architecture that the script had a compiler for. What no verb would take does
 * not stay. */
static bool open_images(struct build *build, GError **error)
{
    bool sound = true;
    for (size_t i = 0; backends[i] != NULL; i++) {
        if (backend_for(backends[i]->arch) != backends[i])
            continue;
        g_autofree char *path = g_strdup_printf("%s.%s.elf", build->out, backends[i]->arch);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            continue;
        struct image *image = image_open(path, sound ? error : NULL);
        sound = sound && image != NULL;
        if (image != NULL)
            g_ptr_array_add(build->images, image);
        else
            remove(path);
    }
    return sound;
}

static void print_text(const struct build *build)
{
    for (guint i = 0; i < build->images->len; i++) {
        const struct image *image = g_ptr_array_index(build->images, i);
        printf("made    %s\n", image->path);
    }
    const struct image *first = g_ptr_array_index(build->images, 0);
    const struct fl_scenario *scenario = first->scenarios;
    printf("list    %s list --guest %s\n", program_invocation_name, first->path);
    for (uint32_t i = 0; i < scenario->n_variants; i++)
        printf("search  %s explore %s/%s --guest %s\n", program_invocation_name, scenario->id,
               scenario->variants[i].id, first->path);
}

static void print_json(const struct build *build)
{
    json_t *images = json_array();
    for (guint i = 0; i < build->images->len; i++) {
        const struct image *image = g_ptr_array_index(build->images, i);
        json_array_append_new(images, json_pack("{s:s, s:s, s:s}", "arch", image->arch, "path",
                                                image->path, "hash", image->hash));
    }
    const struct image *first = g_ptr_array_index(build->images, 0);
    cli_print_json(json_pack("{s:s, s:o}", "scenario", first->scenarios->id, "images", images));
}

static int make(struct build *build, char **sources, GError **error)
{
    if (build->out == NULL)
        build->out = name_of(sources[0]);
    if (!call_script(build, sources, error) || !open_images(build, error))
        return EXIT_ERROR;
    if (build->json)
        print_json(build);
    else
        print_text(build);
    return EXIT_CLEAN;
}

int cmd_build_guest(int argc, char **argv)
{
    struct build build = {.out = NULL};
    const GOptionEntry entries[] = {
        {"out", 0, 0, G_OPTION_ARG_FILENAME, &build.out,
         "images are called NAME.ARCH.elf (default: as the first source, here)", "NAME"},
        {"json", 0, 0, G_OPTION_ARG_NONE, &build.json, "print a JSON object", NULL},
        G_OPTION_ENTRY_NULL,
    };
    int status;
    if (!cli_parse(&argc, &argv, "SOURCE.c [MORE.c...]",
                   "Makes a guest image of one scenario for each architecture. The sources include "
                   "faultline.h,\nwhich says what there is; one of them describes the scenario and "
                   "names its program. The\nother verbs take the image with --guest.",
                   entries, NULL, &status))
        return status;
    GError *error = NULL;
    build.images = g_ptr_array_new_with_free_func((GDestroyNotify)image_close);
    status = EXIT_ERROR;
    if (cli_words(argc, 1, G_MAXINT, "expected the SOURCE.c of a scenario", &error))
        status = make(&build, argv + 1, &error);
    if (error != NULL)
        status = cli_fail("faultline build-guest", error);
    g_ptr_array_free(build.images, TRUE);
    g_free(build.out);
    return status;
}
