/* faultline ps: the guests of libvirt's that there are. */
#include <stdio.h>
#include "cli.h"
#include "lasting.h"
#include "main.h"

static const char *word_of(const struct lasting *lasting, const char *key)
{
    const char *word = json_string_value(json_object_get(lasting->about, key));
    return word != NULL ? word : "";
}

static char *what(const struct lasting *lasting)
{
    if (lasting->about == NULL)
        return g_strdup_printf("session of process %ld", (long)lasting->entry->owner);
    return g_strdup_printf("%s/%s '%s' %s", word_of(lasting, "scenario"),
                           word_of(lasting, "variant"), word_of(lasting, "schedule"),
                           word_of(lasting, "verdict"));
}

static void print_line(const struct lasting *lasting, const struct lasting_state *state)
{
    g_autofree char *of = what(lasting);
    printf("%-34s %-11s %6.1f s  %-12s %s\n%-34s virsh -c '%s'\n", lasting->note.name, state->state,
           state->cpu, state->console, of, "", lasting->note.uri);
    if (state->why != NULL)
        printf("%-34s %s\n", "", state->why);
}

static json_t *to_json(const struct lasting *lasting, const struct lasting_state *state)
{
    json_t *json = lasting->about != NULL ? json_deep_copy(lasting->about) : json_object();
    json_object_set_new(json, "name", json_string(lasting->note.name));
    json_object_set_new(json, "uri", json_string(lasting->note.uri));
    json_object_set_new(json, "uuid", json_string(lasting->note.uuid));
    json_object_set_new(json, "state", json_string(state->state));
    json_object_set_new(json, "console", json_string(state->console));
    json_object_set_new(json, "cpu_seconds", json_real(state->cpu));
    json_object_set_new(json, "directory", json_string(lasting->entry->path));
    json_object_set_new(json, "owner",
                        lasting->entry->owned ? json_integer(lasting->entry->owner) : json_null());
    return json;
}

static void show(bool json)
{
    workdir_sweep();
    GPtrArray *entries = workdir_list();
    GPtrArray *list = lasting_list(entries);
    json_t *array = json ? json_array() : NULL;
    if (!json && list->len > 0)
        printf("%-34s %-11s %8s  %-12s %s\n", "NAME", "STATE", "CPU", "CONSOLE", "WHAT");
    for (guint i = 0; i < list->len; i++) {
        const struct lasting *lasting = g_ptr_array_index(list, i);
        struct lasting_state state;
        lasting_ask(lasting, &state);
        if (json)
            json_array_append_new(array, to_json(lasting, &state));
        else
            print_line(lasting, &state);
        lasting_state_clear(&state);
    }
    if (json)
        cli_print_json(array);
    else if (list->len == 0)
        puts("no guest is up");
    g_ptr_array_unref(list);
    g_ptr_array_unref(entries);
}

int cmd_ps(int argc, char **argv)
{
    gboolean json = FALSE;
    const GOptionEntry entries[] = {
        {"json", 0, 0, G_OPTION_ARG_NONE, &json, "print a JSON array", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GError *error = NULL;
    int status;
    if (!cli_parse(
            &argc, &argv, "",
            "Lists the guests that `up` has made, and those of running sessions that libvirt "
            "has spawned.\nheld: an embedded driver is one process's at a time, here the "
            "session's. Exit code: 0.",
            entries, NULL, &status))
        return status;
    if (!cli_words(argc, 0, 0, "takes no words", &error))
        return cli_fail("faultline ps", error);
    show(json);
    return EXIT_CLEAN;
}
