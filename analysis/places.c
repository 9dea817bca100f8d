#include "places.h"

void places_init(struct places *places)
{
    places->places = g_array_new(FALSE, FALSE, sizeof(struct place));
    places->ready = g_array_new(FALSE, FALSE, sizeof(uint32_t));
}

void places_free(struct places *places)
{
    g_array_free(places->places, TRUE);
    g_array_free(places->ready, TRUE);
}

void places_clear(struct places *places)
{
    g_array_set_size(places->places, 0);
    g_array_set_size(places->ready, 0);
}

/* Sets are small, and mostly in order already: insertion. */
static void insert_path(GArray *ready, uint32_t first, uint32_t path)
{
    guint at = ready->len;

    g_array_append_val(ready, path);
    for (; at > first && g_array_index(ready, uint32_t, at - 1) > path; at--)
        g_array_index(ready, uint32_t, at) = g_array_index(ready, uint32_t, at - 1);
    g_array_index(ready, uint32_t, at) = path;
}

uint16_t places_ready(GArray *ready, const struct model *model, uint64_t set, uint32_t but)
{
    const guint first = ready->len;

    for (uint64_t left = set; left; left &= left - 1) {
        uint32_t index = model->by_tid[__builtin_ctzll(left)];
        if (index != MODEL_NONE && model_thread(model, index)->path != but)
            insert_path(ready, first, model_thread(model, index)->path);
    }
    return (uint16_t)(ready->len - first);
}

const struct place *places_add(struct places *places, const struct model *model,
                               const struct fl_event *event)
{
    if (model->now.thread == MODEL_NONE)
        return NULL;
    const struct model_thread *thread = model_thread(model, model->now.thread);
    struct place place = {.thread = event->thread,
                          .n = thread->entries,
                          .k = thread->k,
                          .point = event->point,
                          .ready = places->ready->len,
                          .pc = event->arg,
                          .goes_on = event->thread,
                          .event = model->event};

    place.n_ready = places_ready(places->ready, model, event->addr, event->thread);
    g_array_append_val(places->places, place);
    return &g_array_index(places->places, struct place, places->places->len - 1);
}
