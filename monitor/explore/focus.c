#include "focus.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include "plan.h"
#include "trace.h"

#define MAX_FRAMES 16

enum kind { THREAD, SPACE, FUNCTION, ADDR, KINDS };

static const char *const kind_names[] = {
    [THREAD] = "thread",
    [SPACE] = "space",
    [FUNCTION] = "function",
    [ADDR] = "addr",
};

struct word {
    enum kind kind;
    uint32_t path; /* THREAD; SPACE: that of its main thread */
    const char *function;
    uint64_t low, high;
};

struct focus {
    const struct image *image;
    char **texts;
    GArray *words;       /* of struct word */
    GHashTable *by_pc;   /* pc -> 1 in focus, 2 not: asking for symbols is slow */
    GHashTable *entries; /* of one run: (thread, n) -> pc */
    GArray *kept;        /* of struct place */
};

/* ---- reading ---- */

static bool refuse(const char *text, const char *why, GError **error)
{
    g_set_error(error, PLAN_ERROR, PLAN_ERROR_SYNTAX, "--focus %s: %s", text, why);
    return false;
}

static bool read_addr(const char *text, const char *value, struct word *word, GError **error)
{
    char *end;
    errno = 0;
    word->low = strtoull(value, &end, 0);
    if (errno == 0 && *end == '-' && end != value) {
        value = end + 1;
        word->high = strtoull(value, &end, 0);
        if (errno == 0 && *end == '\0' && end != value && word->low <= word->high)
            return true;
    }
    return refuse(text, "expected addr=LO-HI, for example addr=0x1000240-0x1000290", error);
}

static bool read_word(const char *text, char *copy, const struct fl_scenario *scenario,
                      struct word *word, GError **error)
{
    char *value = strchr(copy, '=');
    if (value != NULL)
        *value++ = '\0';
    for (word->kind = THREAD; word->kind < KINDS; word->kind++)
        if (strcmp(copy, kind_names[word->kind]) == 0)
            break;
    if (value == NULL || *value == '\0' || word->kind == KINDS)
        return refuse(text, "expected thread=, space=, function= or addr=", error);
    if (word->kind == ADDR)
        return read_addr(text, value, word, error);
    word->function = value;
    if (word->kind == FUNCTION)
        return true;
    word->path = trace_thread_path(scenario, value);
    if (word->path == 0)
        return refuse(text, "the scenario has none of that name", error);
    return true;
}

struct focus *focus_new(char *const *words, const struct image *image,
                        const struct fl_scenario *scenario, GError **error)
{
    struct focus *focus = g_new0(struct focus, 1);
    focus->image = image;
    focus->texts = g_strdupv((char **)words);
    focus->words = g_array_new(FALSE, TRUE, sizeof(struct word));
    focus->by_pc = g_hash_table_new(NULL, NULL);
    focus->entries = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, NULL);
    focus->kept = g_array_new(FALSE, FALSE, sizeof(struct place));
    for (size_t i = 0; words[i] != NULL; i++) {
        struct word word = {.path = 0};
        if (!read_word(words[i], focus->texts[i], scenario, &word, error)) {
            focus_free(focus);
            return NULL;
        }
        g_array_append_val(focus->words, word);
    }
    return focus;
}

void focus_free(struct focus *focus)
{
    if (focus == NULL)
        return;
    g_strfreev(focus->texts);
    g_array_free(focus->words, TRUE);
    g_hash_table_unref(focus->by_pc);
    g_hash_table_unref(focus->entries);
    g_array_free(focus->kept, TRUE);
    g_free(focus);
}

/* ---- choosing ---- */

static bool in_function(const struct focus *focus, uint32_t pc, const char *function)
{
    struct source_frame frames[MAX_FRAMES];
    const size_t count = image_frames(focus->image, pc, frames, MAX_FRAMES);
    for (size_t i = 0; i < count; i++)
        if (strcmp(frames[i].place.function, function) == 0)
            return true;
    return false;
}

static bool look_up(const struct focus *focus, uint32_t pc)
{
    for (guint i = 0; i < focus->words->len; i++) {
        const struct word *word = &g_array_index(focus->words, struct word, i);
        if ((word->kind == ADDR && pc >= word->low && pc <= word->high) ||
            (word->kind == FUNCTION && in_function(focus, pc, word->function)))
            return true;
    }
    return false;
}

static bool code_in_focus(struct focus *focus, uint32_t pc)
{
    const gpointer key = GUINT_TO_POINTER(pc);
    guint known = GPOINTER_TO_UINT(g_hash_table_lookup(focus->by_pc, key));
    if (known == 0) {
        known = look_up(focus, pc) ? 1 : 2;
        g_hash_table_insert(focus->by_pc, key, GUINT_TO_POINTER(known));
    }
    return known == 1;
}

/* A thread's path begins with its domain, and each domain has an address space (abi.h). */
static bool thread_in_focus(const struct focus *focus, uint32_t path)
{
    for (guint i = 0; i < focus->words->len; i++) {
        const struct word *word = &g_array_index(focus->words, struct word, i);
        if ((word->kind == THREAD && word->path == path) ||
            (word->kind == SPACE && word->path >> 24 == path >> 24))
            return true;
    }
    return false;
}

static gint64 entry_key(uint32_t thread, uint32_t n)
{
    return (gint64)((uint64_t)thread << 32 | n);
}

static void note_entries(struct focus *focus, const struct engine *engine)
{
    size_t count;
    const struct place *places = engine_places(engine, &count);
    g_hash_table_remove_all(focus->entries);
    for (size_t i = 0; i < count; i++) {
        if (places[i].k > 0)
            continue;
        const gint64 key = entry_key(places[i].thread, places[i].n);
        g_hash_table_insert(focus->entries, g_memdup2(&key, sizeof(key)),
                            GUINT_TO_POINTER(places[i].pc));
    }
}

static bool entry_in_focus(struct focus *focus, uint32_t thread, uint32_t n)
{
    const gint64 key = entry_key(thread, n);
    gpointer pc;
    return g_hash_table_lookup_extended(focus->entries, &key, NULL, &pc) &&
           code_in_focus(focus, GPOINTER_TO_UINT(pc));
}

static bool place_in_focus(struct focus *focus, const struct place *place)
{
    if (thread_in_focus(focus, place->thread))
        return true;
    if (place->k == 0 || place->pc != 0)
        return code_in_focus(focus, place->pc);
    return entry_in_focus(focus, place->thread, place->n) ||
           entry_in_focus(focus, place->thread, place->n + 1);
}

void focus_places(struct focus *focus, const struct engine *engine, struct run_report *report)
{
    note_entries(focus, engine);
    g_array_set_size(focus->kept, 0);
    for (size_t i = 0; i < report->n_places; i++)
        if (place_in_focus(focus, &report->places[i]))
            g_array_append_val(focus->kept, report->places[i]);
    report->places = (const struct place *)(const void *)focus->kept->data;
    report->n_places = focus->kept->len;
}
