/* faultline down: the end of guests that `up` has made. */
#include <stdio.h>
#include "cli.h"
#include "lasting.h"
#include "main.h"

static bool end(const struct lasting *lasting, GError **error)
{
    g_autofree char *name = g_strdup(lasting->note.name);
    const bool ended = lasting_end(lasting, error);
    if (ended)
        printf("%s is down\n", name);
    return ended;
}

static bool end_named(const GPtrArray *list, const char *name, GError **error)
{
    const struct lasting *lasting = lasting_find(list, name);
    if (lasting != NULL)
        return end(lasting, error);
    g_autoptr(GPtrArray) names = g_ptr_array_new();
    for (guint i = 0; i < list->len; i++) {
        const struct lasting *other = g_ptr_array_index(list, i);
        if (other->about != NULL)
            g_ptr_array_add(names, other->note.name);
    }
    cli_unknown("guest", name, names, "faultline ps", error);
    return false;
}

/* Of several that cannot be ended the last is told as the error, the others before. */
static bool end_all(const GPtrArray *list, GError **error)
{
    GError *last = NULL;
    for (guint i = 0; i < list->len; i++) {
        const struct lasting *lasting = g_ptr_array_index(list, i);
        if (lasting->about == NULL)
            continue;
        if (last != NULL)
            cli_fail("faultline down", g_steal_pointer(&last));
        end(lasting, &last);
    }
    if (last != NULL)
        g_propagate_error(error, last);
    return last == NULL;
}

int cmd_down(int argc, char **argv)
{
    gboolean all = FALSE;
    const GOptionEntry options[] = {
        {"all", 0, 0, G_OPTION_ARG_NONE, &all, "all that `up` has made", NULL},
        G_OPTION_ENTRY_NULL,
    };
    GError *error = NULL;
    int status;
    if (!cli_parse(&argc, &argv, "NAME | --all",
                   "Ends guests that `up` has made, and removes their RAM. `faultline ps` names "
                   "them. Exit code: 0, or 2\nwhen there is no such guest or libvirt cannot be "
                   "reached.",
                   options, NULL, &status))
        return status;
    if (!cli_words(argc, all ? 0 : 1, all ? 0 : 1, "expected the NAME of one guest, or --all",
                   &error))
        return cli_fail("faultline down", error);
    GPtrArray *entries = workdir_list();
    GPtrArray *list = lasting_list(entries);
    const bool done = all ? end_all(list, &error) : end_named(list, argv[1], &error);
    g_ptr_array_unref(list);
    g_ptr_array_unref(entries);
    return done ? EXIT_CLEAN : cli_fail("faultline down", error);
}
