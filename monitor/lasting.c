#include "lasting.h"

#include <stdlib.h>
#include <string.h>

static void free_lasting(void *pointer)
{
    struct lasting *lasting = pointer;
    domain_note_free(&lasting->note);
    json_decref(lasting->about);
    g_free(lasting);
}

GPtrArray *lasting_list(GPtrArray *entries)
{
    GPtrArray *list = g_ptr_array_new_with_free_func(free_lasting);
    for (guint i = 0; i < entries->len; i++) {
        const struct workdir_entry *entry = g_ptr_array_index(entries, i);
        struct domain_note note;
        if ((entry->kept == NULL && !entry->owned) || !domain_note_read(entry->path, &note))
            continue;
        struct lasting *lasting = g_new0(struct lasting, 1);
        lasting->entry = entry;
        lasting->note = note;
        if (entry->kept != NULL && !entry->owned)
            lasting->about = json_loads(entry->kept, 0, NULL);
        g_ptr_array_add(list, lasting);
    }
    return list;
}

const struct lasting *lasting_find(const GPtrArray *list, const char *name)
{
    for (guint i = 0; i < list->len; i++) {
        const struct lasting *lasting = g_ptr_array_index(list, i);
        if (lasting->about != NULL && strcmp(lasting->note.name, name) == 0)
            return lasting;
    }
    return NULL;
}

/* An embedded driver is one process's at a time. */
void lasting_ask(const struct lasting *lasting, struct lasting_state *state)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *out = NULL;
    *state = (struct lasting_state){.cpu = 0};
    if (lasting->about == NULL && strstr(lasting->note.uri, ":///embed") != NULL) {
        state->state = g_strdup("held");
    } else if (domain_ask(&lasting->note, "state", &out, &error)) {
        g_auto(GStrv) words = g_strsplit(g_strchomp(out), "\t", 3);
        const bool whole = g_strv_length(words) == 3;
        state->state = g_strdup(whole ? words[0] : "unknown");
        state->console = g_strdup(whole ? words[1] : "");
        state->cpu = whole ? g_ascii_strtod(words[2], NULL) / 1000 : 0;
    } else {
        state->state = g_strdup("unreachable");
        state->why = g_strdup(error->message);
    }
    if (state->console == NULL)
        state->console = g_strdup("");
}

void lasting_state_clear(struct lasting_state *state)
{
    g_free(state->state);
    g_free(state->console);
    g_free(state->why);
}

bool lasting_end(const struct lasting *lasting, GError **error)
{
    g_autofree char *out = NULL;
    if (!domain_ask(&lasting->note, "destroy", &out, error)) {
        g_prefix_error(error, "%s: ", lasting->note.name);
        return false;
    }
    workdir_remove_kept(lasting->entry->path);
    return true;
}
